//! The result file as a document: what was run, on which prompts, and what was found, section by section.

use serde::{Deserialize, Serialize};

use crate::analysis::pair::{
    AttentionSection, CausalSection, DirectionsSection, DownSection, EffectsSection, InterventionSection, LayerSection,
    LensSection, NextSection, PairSection, Question, SubstitutedSection, WritesSection,
};
use crate::analysis::{
    Analysis, Analyzed, ChangesSection, ContributionsSection, HeadEffectsSection, Heatmap, RunDirectionsSection,
    RunWritesSection, Section, SubstitutionSection, Timing,
};
use crate::checkpoint::model_name;
use crate::forward::Model;
use crate::model::{Config, Processing};
use crate::names::{Head, HeatmapId, HistogramId, Normalization, SeriesId};
use crate::prompts::{IoiSet, Prompt, PromptSet, TextSet};

/// The value of [`ResultFile::format`]: the version that is written.
pub const FORMAT: &str = "keyside-result/2";

/// Everything that one run found. Readers ignore unknown fields.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ResultFile {
    /// Always [`FORMAT`], whatever version was read.
    pub format: String,
    /// Which model it was.
    pub model: ModelInfo,
    /// Its shape.
    pub config: Config,
    /// Which weight processing was applied.
    pub processing: Processing,
    /// Where the prompts come from, where that is more than their texts say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_set: Option<PromptSet>,
    /// The prompts, in the order of all values. Empty in recorded runs.
    pub prompts: Vec<Prompt>,
    /// What was found.
    pub sections: Vec<Section>,
    /// The kinds of sections that stood in the file that was read, and that this version does not know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<String>,
    /// How long it took. None in recorded runs.
    pub timing: Option<Timing>,
}

/// Which model a result is of, and where it came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelInfo {
    /// A name for people: "GPT-2 small", "owner/model", the folder's or URL's last part.
    pub name: String,
    /// Folder or URL, or where recorded numbers come from.
    pub source: String,
    /// The dtype of its weights in their file, F64, F32, F16 or BF16. None where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dtype: Option<String>,
    /// Where its files say different things, or lack something: what was done. Sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl ModelInfo {
    /// The model's name (its card's, else its name on the hub, or the last part of its folder or URL), source and dtype.
    pub fn of(model: &Model) -> Self {
        let source = model.checkpoint().location();
        let name = match model.checkpoint().card() {
            Some(card) => card.name.clone(),
            None => model_name(&source),
        };
        let dtype = model.checkpoint().dtype();
        Self {
            name,
            source,
            dtype,
            notes: model.checkpoint().notes().to_vec(),
        }
    }
}

impl ResultFile {
    /// The document of a run of `analysis` on `model` that found `found`.
    pub fn new(model: &Model, analysis: &Analysis, found: Analyzed) -> Self {
        Self {
            prompt_set: Some(found.set),
            prompts: found.prompts,
            sections: found.sections,
            timing: Some(found.timing),
            ..Self::empty(ModelInfo::of(model), model.config().clone(), analysis)
        }
    }

    /// The document of a `section` that was found of the sentence `prompt` with `model`, answering `question`.
    pub fn of_sentence(model: &Model, question: &Question, prompt: &Prompt, section: Section) -> Self {
        let set = TextSet {
            prompts: 1,
            prepend_bos: question.prepend_bos,
            seed: 0,
            notes: Vec::new(),
        };
        Self {
            format: FORMAT.to_owned(),
            model: ModelInfo::of(model),
            config: model.config().clone(),
            processing: model.processing(),
            prompt_set: Some(PromptSet::Text(set)),
            prompts: vec![prompt.clone()],
            sections: vec![section],
            skipped: Vec::new(),
            timing: None,
        }
    }

    /// The result of `model` that is `section`, which has prompts of its own.
    pub fn of_section(model: &Model, section: Section) -> Self {
        Self {
            prompt_set: None,
            sections: vec![section],
            ..Self::empty(ModelInfo::of(model), model.config().clone(), &Analysis::default())
        }
    }

    /// Takes over the sections of `part` in place of those of the same kind, and what they are of.
    pub fn take(&mut self, part: Self) {
        let Self {
            model,
            config,
            processing,
            prompt_set,
            prompts,
            sections,
            timing,
            ..
        } = part;
        (self.model, self.config, self.processing) = (model, config, processing);
        (self.prompt_set, self.prompts, self.timing) = (prompt_set, prompts, timing);
        for section in sections {
            match self.sections.iter_mut().find(|known| known.kind() == section.kind()) {
                Some(known) => *known = section,
                None => self.sections.push(section),
            }
        }
    }

    /// The document of `analysis` before anything is found.
    pub fn empty(model: ModelInfo, config: Config, analysis: &Analysis) -> Self {
        Self {
            format: FORMAT.to_owned(),
            model,
            config,
            processing: analysis.processing,
            prompt_set: Some(analysis.prompts.empty_set()),
            prompts: Vec::new(),
            sections: Vec::new(),
            skipped: Vec::new(),
            timing: None,
        }
    }

    /// What a reader should know of a result that is not whole: the kinds of sections that were skipped.
    pub fn skipped_notice(&self) -> Option<String> {
        let sections = match self.skipped.len() {
            0 => return None,
            1 => "a section of a kind".to_owned(),
            count => format!("{count} sections of kinds"),
        };
        Some(format!(
            "This file also has {sections} that this version of keyside does not know and does not show: {}.",
            self.skipped.join(", ")
        ))
    }

    /// The drawn prompts of the IOI dataset that it is of, if it is.
    pub fn ioi(&self) -> Option<&IoiSet> {
        self.prompt_set.as_ref()?.ioi()
    }

    /// Number of prompts that it is of, also where their texts are not in it.
    pub fn prompt_count(&self) -> usize {
        match &self.prompt_set {
            Some(set) => set.count(),
            None if !self.prompts.is_empty() => self.prompts.len(),
            None => self.sections.iter().find_map(Section::prompt_count).unwrap_or(0),
        }
    }

    /// What substituted vectors gave, if it has that.
    pub fn substitution(&self) -> Option<&SubstitutionSection> {
        self.sections.iter().find_map(|section| match section {
            Section::Substitution(section) => Some(section),
            _ => None,
        })
    }

    /// The same, to change.
    pub fn substitution_mut(&mut self) -> Option<&mut SubstitutionSection> {
        self.sections.iter_mut().find_map(|section| match section {
            Section::Substitution(section) => Some(section),
            _ => None,
        })
    }

    /// What the components contribute, if it has that.
    pub fn contributions(&self) -> Option<&ContributionsSection> {
        self.sections.iter().find_map(|section| match section {
            Section::Contributions(section) => Some(section),
            _ => None,
        })
    }

    /// The same, to change.
    pub fn contributions_mut(&mut self) -> Option<&mut ContributionsSection> {
        self.sections.iter_mut().find_map(|section| match section {
            Section::Contributions(section) => Some(section),
            _ => None,
        })
    }

    /// What the head writes over its prompts, if it has that.
    pub fn run_writes(&self) -> Option<&RunWritesSection> {
        self.sections.iter().find_map(|section| match section {
            Section::RunWrites(section) => Some(section),
            _ => None,
        })
    }

    /// Which of the head's directions recur over its prompts, if it has that.
    pub fn run_directions(&self) -> Option<&RunDirectionsSection> {
        self.sections.iter().find_map(|section| match section {
            Section::RunDirections(section) => Some(section),
            _ => None,
        })
    }

    /// Where heads look in its sentence, if it has that.
    pub fn attention(&self) -> Option<&AttentionSection> {
        self.sections.iter().find_map(|section| match section {
            Section::Attention(section) => Some(section),
            _ => None,
        })
    }

    /// The patterns of all heads of a layer, if it has those.
    pub fn layer(&self) -> Option<&LayerSection> {
        self.sections.iter().find_map(|section| match section {
            Section::Layer(section) => Some(section),
            _ => None,
        })
    }

    /// What comes next in its sentence, if it has that.
    pub fn next(&self) -> Option<&NextSection> {
        self.sections.iter().find_map(|section| match section {
            Section::Next(section) => Some(section),
            _ => None,
        })
    }

    /// The account of the score of one pair of positions, if it has that.
    pub fn pair(&self) -> Option<&PairSection> {
        self.sections.iter().find_map(|section| match section {
            Section::Pair(section) => Some(section),
            _ => None,
        })
    }

    /// What every head adds to a difference of logits, if it has that.
    pub fn head_effects(&self) -> Option<&HeadEffectsSection> {
        self.sections.iter().find_map(|section| match section {
            Section::HeadEffects(section) => Some(section),
            _ => None,
        })
    }

    /// What a component of that score was opened into, if it has that.
    pub fn down(&self) -> Option<&DownSection> {
        self.sections.iter().find_map(|section| match section {
            Section::Down(section) => Some(section),
            _ => None,
        })
    }

    /// Direct effects on what comes next in its sentence, if it has that.
    pub fn effects(&self) -> Option<&EffectsSection> {
        self.sections.iter().find_map(|section| match section {
            Section::Effects(section) => Some(section),
            _ => None,
        })
    }

    /// The same score with other vectors in place of what the head reads, if it has that.
    pub fn substituted(&self) -> Option<&SubstitutedSection> {
        self.sections.iter().find_map(|section| match section {
            Section::Substituted(section) => Some(section),
            _ => None,
        })
    }

    /// Which tokens the head raises and lowers, if it has that.
    pub fn writes(&self) -> Option<&WritesSection> {
        self.sections.iter().find_map(|section| match section {
            Section::Writes(section) => Some(section),
            _ => None,
        })
    }

    /// What would come next after each layer, if it has that.
    pub fn lens(&self) -> Option<&LensSection> {
        self.sections.iter().find_map(|section| match section {
            Section::Lens(section) => Some(section),
            _ => None,
        })
    }

    /// The directions of the score of one pair of positions, if it has that.
    pub fn directions(&self) -> Option<&DirectionsSection> {
        self.sections.iter().find_map(|section| match section {
            Section::Directions(section) => Some(section),
            _ => None,
        })
    }

    /// The same, to change.
    pub fn substituted_mut(&mut self) -> Option<&mut SubstitutedSection> {
        self.sections.iter_mut().find_map(|section| match section {
            Section::Substituted(section) => Some(section),
            _ => None,
        })
    }

    /// What interventions at that pair do, if it has that.
    pub fn intervention(&self) -> Option<&InterventionSection> {
        self.sections.iter().find_map(|section| match section {
            Section::Intervention(section) => Some(section),
            _ => None,
        })
    }

    /// What every component of that score does when it is taken out, if it has that.
    pub fn causal(&self) -> Option<&CausalSection> {
        self.sections.iter().find_map(|section| match section {
            Section::Causal(section) => Some(section),
            _ => None,
        })
    }

    /// What an intervention changes in every prompt of its run, if it has that.
    pub fn changes(&self) -> Option<&ChangesSection> {
        self.sections.iter().find_map(|section| match section {
            Section::Changes(section) => Some(section),
            _ => None,
        })
    }

    /// The same, to change.
    pub fn changes_mut(&mut self) -> Option<&mut ChangesSection> {
        self.sections.iter_mut().find_map(|section| match section {
            Section::Changes(section) => Some(section),
            _ => None,
        })
    }

    /// The head that it is about: the first section's that is about one.
    pub fn head(&self) -> Option<Head> {
        self.sections.iter().find_map(Section::head)
    }

    /// The same for people: "10.7", and "?" where it is about none.
    pub fn head_name(&self) -> String {
        self.head().map_or_else(|| "?".to_owned(), |head| head.to_string())
    }

    /// The earlier head, whose output is one of the substituted vectors.
    pub fn earlier_head(&self) -> Option<Head> {
        self.substitution().map(|section| section.earlier_head)
    }

    /// How vectors were normalized that stand in place of what a head reads; None where it has none.
    pub fn normalization(&self) -> Option<Normalization> {
        let of_sentence = || {
            let substituted = self.substituted().map(|section| section.normalization);
            substituted.or_else(|| self.intervention().map(|section| section.normalization))
        };
        self.substitution()
            .map(|section| section.normalization)
            .or_else(of_sentence)
    }

    /// The series of `histogram` in the order of their labels, with a value per prompt.
    pub fn series(&self, histogram: HistogramId) -> Vec<(&SeriesId, &[f32])> {
        let section = self.substitution();
        section.map_or_else(Vec::new, |section| section.series(histogram).collect())
    }

    /// The claim of `histogram` that its series can bear: that of its prompts' maker.
    pub fn claim(&self, histogram: HistogramId) -> (&'static SeriesId, &'static [SeriesId]) {
        let claims = histogram.claims();
        let has = |id: &SeriesId| {
            self.substitution()
                .is_some_and(|section| section.values(histogram, id).is_some())
        };
        let found = claims.iter().find(|(main, _)| has(main));
        let of_maker = if self.is_ioi() { claims.first() } else { claims.last() };
        match found.or(of_maker) {
            Some((main, others)) => (main, others),
            None => (&SeriesId::NoPatching, &[]),
        }
    }

    /// The values of one series of `histogram`; the true ones where there is no such series.
    pub fn values(&self, histogram: HistogramId, series: &SeriesId) -> &[f32] {
        let found = self
            .substitution()
            .and_then(|section| section.values(histogram, series));
        found.unwrap_or_else(|| self.true_values(histogram))
    }

    /// The head's true scores or probabilities, whichever `histogram` shows. Empty in recorded runs.
    pub fn true_values(&self, histogram: HistogramId) -> &[f32] {
        self.substitution()
            .map_or(&[], |section| section.true_values(histogram))
    }

    /// The heatmap `name`.
    pub fn heatmap(&self, name: &HeatmapId) -> Option<&Heatmap> {
        self.contributions()?.heatmaps.get(name)
    }

    /// The names that [`ResultFile::heatmap`] knows, in the order in which they are offered: `key` first, facets together,
    /// names that are not ours last.
    pub fn heatmap_names(&self) -> Vec<HeatmapId> {
        let section = self.contributions();
        section.map_or_else(Vec::new, |section| section.heatmaps.keys().cloned().collect())
    }

    /// Number of prompts that the heatmaps are of.
    pub fn heatmap_prompts(&self) -> usize {
        self.contributions().map_or(0, |section| section.prompts)
    }
}
