//! A sweep that is opened: its sets, which of them are shown, and the run that a head of one leads to.

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
/// Heads that are listed beside the map.
const LISTED: usize = 8;

/// A sweep that was opened, and what is shown of it.
#[derive(Debug, Clone, PartialEq)]
pub struct SweepMaps {
    /// The file's name.
    pub name: String,
    sets: Vec<SweptSet>,
    /// What the names of sets must contain, as typed.
    pub filter: String,
    /// The set that is shown, by its place.
    chosen: usize,
    /// What the colors show.
    pub measure: SweepMeasure,
}

/// What a head of a sweep leads to.
#[derive(Debug, Clone, PartialEq)]
pub enum HeadLink {
    /// To a run that this form describes; `runs` where the model is at hand, and no network is asked.
    Run {
        /// The form, filled in.
        form: Box<Form>,
        /// Whether it can begin at once.
        runs: bool,
        /// What the reader still has to do; empty where it begins at once.
        advice: String,
    },
    /// Nowhere, for this reason.
    Nowhere(String),
}

impl SweepMaps {
    /// The sweep whose rows are in `bytes`, from the file `name`.
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
        match least == most {
            true => format!("{} on {sets}", counted(most, "head", "heads")),
            false => format!("{least} to {most} heads on {sets}"),
        }
    }

    /// Places and names of the sets whose names contain every word of the filter, in whatever case.
    pub fn matching(&self) -> Vec<(usize, String)> {
        let words: Vec<String> = self.filter.split_whitespace().map(str::to_lowercase).collect();
        let names = self.sets.iter().map(SweptSet::name).enumerate();
        let has_all = |name: &str| {
            let name = name.to_lowercase();
            words.iter().all(|word| name.contains(word))
        };
        names.filter(|(_, name)| has_all(name)).collect()
    }

    /// The place of the set that is shown: the chosen one, or the first that matches. None where none does.
    pub fn shown_place(&self) -> Option<usize> {
        let matching = self.matching();
        let chosen = matching.iter().find(|(place, _)| *place == self.chosen);
        chosen.or(matching.first()).map(|(place, _)| *place)
    }

    /// The set that is shown.
    pub fn shown(&self) -> Option<&SweptSet> {
        self.sets.get(self.shown_place()?)
    }

    /// Shows the set at `place`.
    pub fn choose(&mut self, place: usize) {
        self.chosen = place;
    }

    /// The heads of the set that is shown that have the largest values, for a list.
    pub fn largest(&self) -> Vec<(Head, f64)> {
        let shown = self.shown();
        shown.map_or_else(Vec::new, |set| set.largest(self.measure, LISTED))
    }

    /// Where `head` of the set that is shown leads to, from the `form` as it is.
    pub fn leads(&self, head: Head, form: &Form) -> HeadLink {
        let Some(set) = self.shown().filter(|set| set.has(head)) else {
            return HeadLink::Nowhere(format!("Head {head} is not in this set."));
        };
        if head.layer == 0 {
            return HeadLink::Nowhere(format!(
                "Head {head} is of the first layer: nothing comes before it that its score could be taken apart into. \
                 Its pattern is in \"Your sentence\"."
            ));
        }
        let mut form = form.clone();
        let mut advice = take_model(&mut form, &set.of.model, set.of.revision.as_deref());
        form.set(&HEAD, head.to_string());
        let earlier = form.text(&EARLIER_HEAD).parse::<Head>();
        // As in the sweep's model; another head would do as well.
        if !earlier.is_ok_and(|earlier| earlier.layer < head.layer && set.has(earlier)) {
            form.set(&EARLIER_HEAD, Head::new(head.layer - 1, head.head).to_string());
        }
        form.heads_typed = true;
        form.set(&PREPEND_BOS, if set.of.prepend_bos { "1" } else { "0" });
        match (set.of.seed, set.of.batch_size) {
            (Some(seed), Some(batch_size)) => {
                form.prompts = PromptChoice::Ioi;
                form.set(&SEED, seed.to_string());
                form.set(&BATCHES, (set.prompts() / batch_size.max(1)).to_string());
                form.set(&BATCH_SIZE, batch_size.to_string());
            }
            _ => {
                form.prompts = PromptChoice::Own;
                if form.own.is_empty() {
                    advice.push(format!("Open its prompts, {}.", set.of.prompts));
                }
            }
        }
        HeadLink::Run {
            runs: advice.is_empty() && form.model == ModelChoice::Bundled,
            form: Box::new(form),
            advice: advice.join(" "),
        }
    }
}

/// Chooses the `model` of a sweep in `form`; what the reader has to do where that is not possible.
fn take_model(form: &mut Form, model: &str, revision: Option<&str>) -> Vec<String> {
    let choose = |form: &mut Form, choice: ModelChoice| {
        if form.model != choice {
            form.choose(choice);
        }
    };
    if let Some(name) = model.strip_prefix(HUB) {
        let revision = revision.unwrap_or_default();
        match HUB_MODELS.iter().any(|known| known.name == name) {
            true => {
                choose(form, ModelChoice::Hub);
                form.hub = name.to_owned();
                form.revision = revision.to_owned();
            }
            false => {
                choose(form, ModelChoice::Url);
                form.url = hub_url(name, revision).unwrap_or_else(|_| model.to_owned());
            }
        }
        return vec!["Press Run.".to_owned()];
    }
    if model.contains("://") {
        choose(form, ModelChoice::Url);
        form.url = model.to_owned();
        return vec!["Press Run.".to_owned()];
    }
    // The sweep had it in a folder, as the command line calls it; what is bundled here is in one of that name.
    let folder = model.trim_end_matches('/').rsplit(['/', '\\']).next();
    if folder == Some(BUNDLED) {
        choose(form, ModelChoice::Bundled);
        return Vec::new();
    }
    let is_picked = form.model == ModelChoice::Picked && !form.picked.is_empty();
    choose(form, ModelChoice::Picked);
    match is_picked {
        true => vec![format!(
            "Check that the picked files are those of {model}, and press Run."
        )],
        false => vec![format!("Pick the files of {model}, and press Run.")],
    }
}

#[cfg(test)]
#[path = "sweep_maps_tests.rs"]
mod tests;
