//! Access to the sections of a result by kind.

use super::document::ResultFile;
use crate::analysis::Section;
use crate::analysis::{
    AttentionSection, CausalSection, ChangesSection, ContributionsSection, DirectionsSection, DrillDownSection,
    EffectsSection, HeadEffectsSection, InterventionSection, LayerSection, LensSection, NextSection, PairSection,
    RunDirectionsSection, RunWritesSection, SubstitutedSection, SubstitutionSection, WritesSection,
};

/// Defines for each listed kind of section a method that returns the section, and where a second name follows another one
/// with mutable access.
macro_rules! accessors {
    ($($(#[$about:meta])+ $name:ident $(/ $name_mut:ident)? => $variant:ident($section:ident);)+) => {
        impl ResultFile {
            $(
                $(#[$about])+
                pub fn $name(&self) -> Option<&$section> {
                    self.sections.iter().find_map(|section| match section {
                        Section::$variant(section) => Some(section),
                        _ => None,
                    })
                }

                $(
                    /// Mutable access to the same.
                    pub fn $name_mut(&mut self) -> Option<&mut $section> {
                        self.sections.iter_mut().find_map(|section| match section {
                            Section::$variant(section) => Some(section),
                            _ => None,
                        })
                    }
                )?
            )+
        }
    };
}

accessors! {
    /// The section with substituted vectors, if there is one.
    substitution / substitution_mut => Substitution(SubstitutionSection);
    /// The section with contributions of components, if there is one.
    contributions / contributions_mut => Contributions(ContributionsSection);
    /// The section on what the head writes over the prompts, if there is one.
    run_writes => RunWrites(RunWritesSection);
    /// The section on recurring directions, if there is one.
    run_directions => RunDirections(RunDirectionsSection);
    /// The attention section of its sentence, if there is one.
    attention => Attention(AttentionSection);
    /// The section with the patterns of a layer, if there is one.
    layer => Layer(LayerSection);
    /// The section with the next tokens of its sentence, if there is one.
    next => Next(NextSection);
    /// The section with the decomposed score of a pair of positions, if there is one.
    pair => Pair(PairSection);
    /// The section with direct effects of all heads, if there is one.
    head_effects => HeadEffects(HeadEffectsSection);
    /// The section with the further decomposition of a component, if there is one.
    down => DrillDown(DrillDownSection);
    /// The section with direct effects on the next token, if there is one.
    effects => Effects(EffectsSection);
    /// The section with substituted vectors in one sentence, if there is one.
    substituted / substituted_mut => Substituted(SubstitutedSection);
    /// The section with the tokens that the head raises and lowers, if there is one.
    writes => Writes(WritesSection);
    /// The section with the logit lens, if there is one.
    lens => Lens(LensSection);
    /// The section with the directions of a pair's score, if there is one.
    directions => Directions(DirectionsSection);
    /// The section with the effects of interventions, if there is one.
    intervention => Intervention(InterventionSection);
    /// The section with the causal map, if there is one.
    causal => Causal(CausalSection);
    /// The section with the effects of an intervention over the prompts, if there is one.
    changes / changes_mut => Changes(ChangesSection);
}
