//! The result file as a data structure: model, settings, prompts, and the findings as sections.

use serde::{Deserialize, Serialize};

use crate::analysis::pair::Question;
use crate::analysis::{Analysis, Analyzed, Heatmap, Section, Timing};
use crate::checkpoint::model_name;
use crate::forward::Model;
use crate::model::{Config, Processing};
use crate::names::{Head, HeatmapId, HistogramId, Normalization, SeriesId};
use crate::prompts::{IoiSet, Prompt, PromptSet, TextSet};

/// The value of [`ResultFile::format`]: the version that is written.
pub const FORMAT: &str = "keyside-result/2";

/// The results of a run or of a question. Readers ignore unknown fields.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ResultFile {
    /// Always [`FORMAT`], whatever version was read.
    pub format: String,
    /// The model.
    pub model: ModelInfo,
    /// The shape.
    pub config: Config,
    /// The weight processing.
    pub processing: Processing,
    /// The source of the prompts, if there is more to say than their texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_set: Option<PromptSet>,
    /// The prompts, in the order of all values. Empty in recorded runs.
    pub prompts: Vec<Prompt>,
    /// The findings.
    pub sections: Vec<Section>,
    /// Unknown kinds of sections in the file that was read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<String>,
    /// Times of the run. None in recorded runs.
    pub timing: Option<Timing>,
}

/// The model of a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelInfo {
    /// Display name: "GPT-2 small", "owner/model", or the last part of the folder or URL.
    pub name: String,
    /// Folder or URL, or the source of recorded numbers.
    pub source: String,
    /// The dtype of its weights in the file, F64, F32, F16 or BF16. None where unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dtype: Option<String>,
    /// Inconsistencies in the model's files, and how they were resolved. Sentences.
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
    /// The result of a run of `analysis` on `model`.
    pub fn new(model: &Model, analysis: &Analysis, found: Analyzed) -> Self {
        Self {
            prompt_set: Some(found.set),
            prompts: found.prompts,
            sections: found.sections,
            timing: Some(found.timing),
            ..Self::empty(ModelInfo::of(model), model.config().clone(), analysis)
        }
    }

    /// The result with one `section` about the sentence `prompt`, in answer to `question`.
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

    /// The result with one `section` that contains its own prompts.
    pub fn of_section(model: &Model, section: Section) -> Self {
        Self {
            prompt_set: None,
            sections: vec![section],
            ..Self::empty(ModelInfo::of(model), model.config().clone(), &Analysis::default())
        }
    }

    /// Adds the sections of `part`, replacing those of the same kind, and their prompts.
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

    /// The result of `analysis` before anything is found.
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

    /// A notice for the user if sections of unknown kinds were skipped.
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

    /// The IOI prompt set, if its prompts are drawn from the IOI dataset.
    pub fn ioi(&self) -> Option<&IoiSet> {
        self.prompt_set.as_ref()?.ioi()
    }

    /// Number of its prompts, even if their texts are not included.
    pub fn prompt_count(&self) -> usize {
        match &self.prompt_set {
            Some(set) => set.count(),
            None if !self.prompts.is_empty() => self.prompts.len(),
            None => self.sections.iter().find_map(Section::prompt_count).unwrap_or(0),
        }
    }

    /// The head that it is about: that of the first section with a head.
    pub fn head(&self) -> Option<Head> {
        self.sections.iter().find_map(Section::head)
    }

    /// The same as text: "10.7", or "?" if there is none.
    pub fn head_name(&self) -> String {
        self.head().map_or_else(|| "?".to_owned(), |head| head.to_string())
    }

    /// The earlier head, whose output is one of the substituted vectors.
    pub fn earlier_head(&self) -> Option<Head> {
        self.substitution().map(|section| section.earlier_head)
    }

    /// How substituted vectors were normalized; None if there are none.
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

    /// The main claim of `histogram`, which depends on the kind of prompts.
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

    /// The values of one series of `histogram`; those of the true values where the series does not exist.
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

    /// The names of all heatmaps in display order: `key` first, facets together, unknown names last.
    pub fn heatmap_names(&self) -> Vec<HeatmapId> {
        let section = self.contributions();
        section.map_or_else(Vec::new, |section| section.heatmaps.keys().cloned().collect())
    }

    /// Number of prompts behind the heatmaps.
    pub fn heatmap_prompts(&self) -> usize {
        self.contributions().map_or(0, |section| section.prompts)
    }
}
