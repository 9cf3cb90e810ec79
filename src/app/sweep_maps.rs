//! An opened sweep: its sets, the shown set, and runs for its heads.

use super::form::{Form, ModelChoice, PromptChoice};
use crate::analysis::settings::{BATCH_SIZE, BATCHES, EARLIER_HEAD, HEAD, PREPEND_BOS, SEED};
use crate::checkpoint::{HUB_MODELS, hub_url};
use crate::error::Result;
use crate::names::Head;
use crate::quantities::counted;
use crate::sweep::{SweepMeasure, SweptSet, read_rows, sets_of};

/// Prefix of models on the hub in rows of sweeps.
const HUB: &str = "hub:";
/// The folder of the bundled model.
const BUNDLED: &str = "tiny-ioi";
/// Number of heads listed next to the map.
const LISTED: usize = 8;

/// An opened sweep with its view options.
#[derive(Debug, Clone, PartialEq)]
pub struct SweepMaps {
    /// The file's name.
    pub name: String,
    sets: Vec<SweptSet>,
    /// The filter for names of sets, as typed.
    pub filter: String,
    /// Index of the selected set.
    chosen: usize,
    /// The quantity shown by the colors.
    pub measure: SweepMeasure,
}

/// The run that a click on a head opens.
#[derive(Debug, Clone, PartialEq)]
pub enum HeadLink {
    /// A run described by this form; `starts_at_once` if it can start without a download.
    Run {
        /// The form, filled in.
        form: Box<Form>,
        /// Whether it can start at once.
        starts_at_once: bool,
        /// Instructions for the user before the run can start; empty if it can start at once.
        advice: String,
    },
    /// No run is possible, for this reason.
    Nowhere(String),
}

impl SweepMaps {
    /// Parses the rows in `bytes`, from the file `name`.
    ///
    /// # Errors
    /// Those of [`read_rows`].
    pub fn read(name: &str, bytes: &[u8]) -> Result<Self> {
        Ok(Self {
            name: name.to_owned(),
            sets: sets_of(&read_rows(bytes)?),
            filter: String::new(),
            chosen: 0,
            measure: SweepMeasure::default(),
        })
    }

    /// "12 heads in each of 3 sets".
    pub fn summary(&self) -> String {
        let heads = self.sets.iter().map(SweptSet::count);
        let sets = counted(self.sets.len(), "set of prompts", "sets of prompts");
        let (least, most) = (heads.clone().min().unwrap_or(0), heads.max().unwrap_or(0));
        if least == most {
            format!("{} on {sets}", counted(most, "head", "heads"))
        } else {
            format!("{least} to {most} heads on {sets}")
        }
    }

    /// Indices and names of the sets whose names contain every word of the filter, ignoring case.
    pub fn matching(&self) -> Vec<(usize, String)> {
        let words: Vec<String> = self.filter.split_whitespace().map(str::to_lowercase).collect();
        let names = self.sets.iter().map(SweptSet::name).enumerate();
        let has_all = |name: &str| {
            let name = name.to_lowercase();
            words.iter().all(|word| name.contains(word))
        };
        names.filter(|(_, name)| has_all(name)).collect()
    }

    /// Index of the shown set: the selected one, or the first that matches the filter. None where none matches.
    pub fn shown_place(&self) -> Option<usize> {
        let matching = self.matching();
        let chosen = matching.iter().find(|(place, _)| *place == self.chosen);
        chosen.or(matching.first()).map(|(place, _)| *place)
    }

    /// The shown set.
    pub fn shown(&self) -> Option<&SweptSet> {
        self.sets.get(self.shown_place()?)
    }

    /// Selects the set at index `place`.
    pub fn choose(&mut self, place: usize) {
        self.chosen = place;
    }

    /// The heads with the largest values in the shown set.
    pub fn largest(&self) -> Vec<(Head, f64)> {
        let shown = self.shown();
        shown.map_or_else(Vec::new, |set| set.largest(self.measure, LISTED))
    }

    /// The run for `head` of the shown set, based on the current `form`.
    pub fn link_for(&self, head: Head, form: &Form) -> HeadLink {
        let Some(set) = self.shown().filter(|set| set.has(head)) else {
            return HeadLink::Nowhere(format!("Head {head} is not in this set."));
        };
        if head.layer == 0 {
            return HeadLink::Nowhere(format!(
                "Head {head} is in the first layer, and a run compares a head with one of an earlier layer. \
                 Its pattern is in \"Your sentence\"."
            ));
        }
        let mut form = form.clone();
        let mut advice = take_model(&mut form, &set.first_row.model, set.first_row.revision.as_deref());
        form.set(&HEAD, head.to_string());
        let earlier = form.text(&EARLIER_HEAD).parse::<Head>();
        // A typed earlier head is kept if this set has it and it is in an earlier layer; otherwise the same head one layer below.
        if !earlier.is_ok_and(|earlier| earlier.layer < head.layer && set.has(earlier)) {
            form.set(&EARLIER_HEAD, Head::new(head.layer - 1, head.head).to_string());
        }
        form.heads_typed = true;
        form.set(&PREPEND_BOS, if set.first_row.prepend_bos { "1" } else { "0" });
        match (set.first_row.seed, set.first_row.batch_size) {
            (Some(seed), Some(batch_size)) => {
                form.prompts = PromptChoice::Ioi;
                form.set(&SEED, seed.to_string());
                form.set(&BATCHES, (set.prompts() / batch_size.max(1)).to_string());
                form.set(&BATCH_SIZE, batch_size.to_string());
            }
            _ => {
                form.prompts = PromptChoice::Own;
                if form.own.is_empty() {
                    advice.push(format!("Open the file of its prompts, {}.", set.first_row.prompts));
                }
            }
        }
        HeadLink::Run {
            starts_at_once: advice.is_empty() && form.model == ModelChoice::Bundled,
            form: Box::new(form),
            advice: advice.join(" "),
        }
    }
}

/// Selects the `model` of a sweep in `form`. Returns what the user still has to do; empty if nothing.
fn take_model(form: &mut Form, model: &str, revision: Option<&str>) -> Vec<String> {
    let choose = |form: &mut Form, choice: ModelChoice| {
        if form.model != choice {
            form.choose(choice);
        }
    };
    if let Some(name) = model.strip_prefix(HUB) {
        let revision = revision.unwrap_or_default();
        if HUB_MODELS.iter().any(|known| known.name == name) {
            choose(form, ModelChoice::Hub);
            form.hub = name.to_owned();
            form.revision = revision.to_owned();
        } else {
            choose(form, ModelChoice::Url);
            form.url = hub_url(name, revision).unwrap_or_else(|_| model.to_owned());
        }
        return vec!["Press Run.".to_owned()];
    }
    if model.contains("://") {
        choose(form, ModelChoice::Url);
        form.url = model.to_owned();
        return vec!["Press Run.".to_owned()];
    }
    // The sweep names a folder; the bundled model is recognized by its folder's name.
    let folder = model.trim_end_matches('/').rsplit(['/', '\\']).next();
    if folder == Some(BUNDLED) {
        choose(form, ModelChoice::Bundled);
        return Vec::new();
    }
    let is_picked = form.model == ModelChoice::Picked && !form.picked.is_empty();
    choose(form, ModelChoice::Picked);
    if is_picked {
        vec![format!(
            "Check that the picked files are those of {model}, and press Run."
        )]
    } else {
        vec![format!("Pick the files of {model}, and press Run.")]
    }
}

#[cfg(test)]
#[path = "sweep_maps_tests.rs"]
mod tests;
