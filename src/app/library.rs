//! The models in the browser's storage.

use super::form::{Form, ModelChoice};
use super::words::RECORDED;
use crate::checkpoint::{HUB_MODELS, HubModel, Space, StoredModel, hub_name, hub_url, model_name, model_url};
use crate::quantities::size;
use crate::worker::ToWorker;

/// The state of the browser's storage.
#[derive(Debug, Clone, Default)]
pub struct Library {
    models: Option<Vec<StoredModel>>,
    space: Option<Space>,
    unavailable: Option<String>,
    asked: Option<u32>,
}

impl Library {
    /// The stored models; None until they are known.
    pub fn models(&self) -> Option<&[StoredModel]> {
        self.models.as_deref()
    }

    /// Usage and quota, if known.
    pub fn space(&self) -> Option<&Space> {
        self.space.as_ref()
    }

    /// The message, with request number `id`, that asks for the stored models.
    pub fn list(&mut self, id: u32) -> ToWorker {
        self.asked = Some(id);
        ToWorker::ListStored { id }
    }

    /// The message, with request number `id`, that removes a model.
    pub fn remove(&mut self, id: u32, folder: &str) -> ToWorker {
        self.asked = Some(id);
        ToWorker::RemoveStored {
            id,
            folder: folder.into(),
        }
    }

    /// Takes over the answer: the stored models, or why nothing can be stored.
    pub fn receive(&mut self, models: Vec<StoredModel>, space: Option<Space>, unavailable: Option<String>) {
        (self.models, self.space, self.unavailable) = (Some(models), space, unavailable);
    }

    /// Notes that the stored models are unknown because of `why`; an earlier list stays.
    pub fn failed(&mut self, why: String) {
        if self.models.as_ref().is_none_or(Vec::is_empty) {
            self.receive(Vec::new(), None, Some(why));
        }
    }

    /// The text shown where no model is stored; None until that is known, and where some are.
    pub fn none_stored(&self) -> Option<String> {
        self.models.as_ref().filter(|models| models.is_empty())?;
        Some(match &self.unavailable {
            Some(why) => format!("Nothing can be kept here: {why}. Runs work, and each visit downloads anew."),
            None => "None yet. The weights that a run downloads are kept here, and later runs work without a network."
                .into(),
        })
    }

    /// Whether `id` is the pending request, which is answered then.
    pub fn answered(&mut self, id: u32) -> bool {
        self.asked.take_if(|asked| *asked == id).is_some()
    }

    /// The worker has crashed: the request will not be answered.
    pub fn worker_lost(&mut self) {
        self.asked = None;
    }
}

/// The name of a stored model: its name on the hub, or its URL.
pub fn name(model: &StoredModel) -> String {
    hub_name(&model.location).unwrap_or_else(|| model.location.clone())
}

/// A short description of the model in `form`, at `url`, and whether it is stored, as far as `library` knows.
pub fn chip(form: &Form, url: Option<&str>, library: &Library) -> (String, String) {
    let stored = url.and_then(|url| {
        let mut models = library.models()?.iter();
        models.find(|model| model.location == url)
    });
    let here = stored.map(|model| format!("{} stored", size(model.bytes)));
    match form.model {
        ModelChoice::Recorded => ("GPT-2 small".into(), RECORDED.into()),
        ModelChoice::Bundled => ("Tiny model".into(), "bundled".into()),
        ModelChoice::Hub => {
            let known = HUB_MODELS.iter().find(|model| model.name == form.hub);
            let whole = known.map(|model| size(1_000_000 * u64::from(model.megabytes)));
            (form.hub.clone(), here.or(whole).unwrap_or_default())
        }
        ModelChoice::Url => {
            let read = model_url(&form.url).ok().flatten();
            let name = model_name(read.as_deref().unwrap_or(form.url.trim()));
            let name = if name.is_empty() {
                "no address yet".to_owned()
            } else {
                name
            };
            (name, here.unwrap_or_default())
        }
        ModelChoice::Picked => ("Your files".into(), "on this device".into()),
    }
}

/// The download that a question to `model`, called `name`, needs, given the `stored` models; and the label of the
/// button.
pub fn cost(model: &HubModel, name: &str, stored: Option<&[StoredModel]>) -> (String, String) {
    let url = hub_url(model.name, "").ok();
    let here = stored.and_then(|stored| stored.iter().find(|stored| Some(&stored.location) == url.as_ref()));
    let all = u64::from(model.sentence_megabytes);
    // Rounded down, so that a missing part is not reported as stored.
    let here = here.map_or(0, |stored| stored.bytes / 1_000_000).min(all);
    match here {
        0 => (
            format!("All heads of {name}: {all} MB once."),
            format!("Get {name}, once ({all} MB)"),
        ),
        here if here + 1 >= all => (
            format!("All heads of {name} are here: nothing is downloaded."),
            format!("Run on {name}"),
        ),
        here => (
            format!("All heads of {name}: {all} MB once, {here} of them are here."),
            format!("Get the rest of {name} ({} MB)", all - here),
        ),
    }
}

/// The text about a hub model at `url` that has not been used yet, given the `stored` models; and the label of the
/// button.
pub fn unasked(url: &str, stored: Option<&[StoredModel]>) -> (String, String) {
    let name = model_name(url);
    let waits = format!("{name} is on the model hub, which is asked for nothing before you say so.");
    let short = hub_name(url);
    let known = short.and_then(|short| HUB_MODELS.iter().find(|model| model.name == short));
    match known {
        Some(model) => {
            let (cost, button) = cost(model, &name, stored);
            (format!("{waits} {cost}"), button)
        }
        None => (waits, format!("Ask {name}")),
    }
}

/// Usage and quota: "452.1 MB of 10.2 GB used; the browser may clear it when space is short".
pub fn space_text(space: &Space) -> String {
    let promise = if space.persistent {
        "the browser keeps it until you delete it"
    } else {
        "the browser may clear it when space is short"
    };
    format!("{} of {} used; {promise}.", size(space.usage), size(space.quota))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(location: &str) -> StoredModel {
        StoredModel {
            folder: "f".into(),
            location: location.into(),
            bytes: 450_500_000,
        }
    }

    #[test]
    fn a_stored_model_is_called_by_its_name_on_the_hub() {
        let url = crate::checkpoint::hub_url("gpt2", "").expect("a known name");
        assert_eq!(name(&model(&url)), "gpt2");
        assert_eq!(name(&model("https://example.org/own")), "https://example.org/own");
    }

    #[test]
    fn a_chip_says_which_model_and_whether_it_is_here() {
        let mut library = Library::default();
        let mut form = Form::default();
        let chip_text = |form: &Form, url: Option<&str>, library: &Library| {
            let (name, state) = chip(form, url, library);
            format!("{name}: {state}")
        };
        assert_eq!(chip_text(&form, None, &library), "GPT-2 small: recorded");
        form.choose(ModelChoice::Bundled);
        assert_eq!(chip_text(&form, None, &library), "Tiny model: bundled");
        form.choose(ModelChoice::Hub);
        form.hub = "gpt2".into();
        let url = crate::checkpoint::hub_url("gpt2", "").expect("a known name");
        assert_eq!(chip_text(&form, Some(&url), &library), "gpt2: 548.0 MB");
        library.receive(vec![model(&url)], None, None);
        assert_eq!(chip_text(&form, Some(&url), &library), "gpt2: 450.5 MB stored");
        form.hub = "own/model".into();
        assert_eq!(chip_text(&form, Some("elsewhere"), &library), "own/model: ");
        form.choose(ModelChoice::Url);
        assert_eq!(chip_text(&form, None, &library), "no address yet: ");
        form.url = "https://example.org/models/mine/".into();
        assert_eq!(chip_text(&form, None, &library), "mine: ");
        form.url = "https://huggingface.co/someone/own-gpt2/tree/main".into();
        assert_eq!(chip_text(&form, None, &library), "someone/own-gpt2: ");
    }

    #[test]
    fn what_a_sentence_costs_is_what_is_not_here() {
        let gpt2 = crate::checkpoint::HUB_MODELS.iter().find(|model| model.name == "gpt2");
        let gpt2 = gpt2.expect("a known name");
        let stored = |bytes| StoredModel {
            bytes,
            ..model(&crate::checkpoint::hub_url("gpt2", "").expect("a known name"))
        };
        let description = |stored: Option<&[StoredModel]>| cost(gpt2, "GPT-2 small", stored).0;
        assert_eq!(description(None), "All heads of GPT-2 small: 498 MB once.");
        assert_eq!(
            description(Some(&[model("https://example.org/own")])),
            description(None)
        );
        assert_eq!(
            description(Some(&[stored(455_900_000)])),
            "All heads of GPT-2 small: 498 MB once, 455 of them are here."
        );
        assert_eq!(
            cost(gpt2, "GPT-2 small", Some(&[stored(499_000_000)])),
            (
                "All heads of GPT-2 small are here: nothing is downloaded.".to_owned(),
                "Run on GPT-2 small".to_owned()
            )
        );
    }

    #[test]
    fn a_model_of_the_hub_waits_for_the_readers_word() {
        let url = crate::checkpoint::hub_url("gpt2", "").expect("a known name");
        let (words, button) = unasked(&url, None);
        assert!(words.starts_with("gpt2 is on the model hub, which is asked for nothing before you say so."));
        assert!(words.ends_with("All heads of gpt2: 498 MB once."), "{words}");
        assert_eq!(button, "Get gpt2, once (498 MB)");
        let (words, button) = unasked("https://huggingface.co/someone/own-gpt2/resolve/main", None);
        assert!(words.starts_with("someone/own-gpt2 is on the model hub"), "{words}");
        assert_eq!(button, "Ask someone/own-gpt2");
    }

    #[test]
    fn a_storage_that_fails_is_said_in_place_of_its_models() {
        let mut library = Library::default();
        library.failed("the browser\u{2019}s storage does not answer".into());
        assert_eq!(library.models().map(<[_]>::len), Some(0));
        assert!(
            library
                .none_stored()
                .is_some_and(|text| text.contains("does not answer"))
        );
        // The earlier list stays.
        library.receive(vec![model("a")], None, None);
        library.failed("it is being written".into());
        assert_eq!(library.models().map(<[_]>::len), Some(1));
    }

    #[test]
    fn questions_are_answered_once() {
        let mut library = Library::default();
        assert_eq!(library.list(3), ToWorker::ListStored { id: 3 });
        assert!(!library.answered(2));
        assert!(library.answered(3));
        assert!(!library.answered(3));
        assert!(library.models().is_none());
        library.receive(vec![model("a")], None, None);
        assert_eq!(
            (library.models().map(<[_]>::len), library.none_stored()),
            (Some(1), None)
        );
        library.receive(Vec::new(), None, None);
        assert!(library.none_stored().is_some_and(|text| text.contains("are kept here")));
        library.receive(Vec::new(), None, Some("this browser has no storage for files".into()));
        assert_eq!(
            library.none_stored().as_deref(),
            Some(
                "Nothing can be kept here: this browser has no storage for files. Runs work, and each visit downloads anew."
            )
        );
    }

    #[test]
    fn room_is_said_in_words() {
        let space = Space {
            usage: 452_100_000,
            quota: 10_240_000_000,
            persistent: false,
        };
        assert_eq!(
            space_text(&space),
            "452.1 MB of 10.2 GB used; the browser may clear it when space is short."
        );
    }
}
