//! Which models are kept in the browser's storage.

use super::form::{Form, ModelChoice};
use super::words::RECORDED;
use crate::checkpoint::{HUB_MODELS, HubModel, Space, StoredModel, hub_name, hub_url};
use crate::quantities::size;
use crate::worker::ToWorker;

/// What the page knows of the browser's storage.
#[derive(Debug, Clone, Default)]
pub struct Library {
    models: Option<Vec<StoredModel>>,
    space: Option<Space>,
    asked: Option<u32>,
}

impl Library {
    /// The stored models; None until that is known.
    pub fn models(&self) -> Option<&[StoredModel]> {
        self.models.as_deref()
    }

    /// How much room there is, where that is known.
    pub fn space(&self) -> Option<&Space> {
        self.space.as_ref()
    }

    /// The message, with the number `id`, that asks what is stored.
    pub fn list(&mut self, id: u32) -> ToWorker {
        self.asked = Some(id);
        ToWorker::ListStored { id }
    }

    /// The message, with the number `id`, that removes a model.
    pub fn remove(&mut self, id: u32, folder: &str) -> ToWorker {
        self.asked = Some(id);
        ToWorker::RemoveStored {
            id,
            folder: folder.into(),
        }
    }

    /// Takes in what is stored.
    pub fn receive(&mut self, models: Vec<StoredModel>, space: Option<Space>) {
        (self.models, self.space) = (Some(models), space);
    }

    /// Whether `id` is the number of the last question; it has been answered then.
    pub fn answered(&mut self, id: u32) -> bool {
        self.asked.take_if(|asked| *asked == id).is_some()
    }

    /// The worker is gone: nobody will answer.
    pub fn worker_lost(&mut self) {
        self.asked = None;
    }
}

/// What a stored model is called: its name on the hub, or its URL.
pub fn name(model: &StoredModel) -> String {
    hub_name(&model.location).unwrap_or_else(|| model.location.clone())
}

/// The model that `form` asks for, at `url`, in a few words, and whether it is here, as far as `library` knows.
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
            let last = form.url.trim_end_matches('/').rsplit('/').next();
            let name = last.filter(|last| !last.is_empty()).unwrap_or("no address yet");
            (name.to_owned(), here.unwrap_or_default())
        }
        ModelChoice::Picked => ("Your files".into(), "on this device".into()),
    }
}

/// What it costs to ask `model`, called `name`, about a sentence, where `stored` is what the browser keeps; and what the button says
/// that asks it.
pub fn cost(model: &HubModel, name: &str, stored: Option<&[StoredModel]>) -> (String, String) {
    let url = hub_url(model.name, "").ok();
    let here = stored.and_then(|stored| stored.iter().find(|stored| Some(&stored.location) == url.as_ref()));
    let all = u64::from(model.sentence_megabytes);
    // Rounded down: what is missing is not said to be here.
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

/// How much is stored, and how much may be: "452.1 MB of 10.2 GB used; the browser may clear it when space is short".
pub fn room(space: &Space) -> String {
    let promise = match space.persistent {
        true => "the browser keeps it until you delete it",
        false => "the browser may clear it when space is short",
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
        let of = |form: &Form, url: Option<&str>, library: &Library| {
            let (name, state) = chip(form, url, library);
            format!("{name}: {state}")
        };
        assert_eq!(of(&form, None, &library), "GPT-2 small: recorded");
        form.choose(ModelChoice::Bundled);
        assert_eq!(of(&form, None, &library), "Tiny model: bundled");
        form.choose(ModelChoice::Hub);
        form.hub = "gpt2".into();
        let url = crate::checkpoint::hub_url("gpt2", "").expect("a known name");
        assert_eq!(of(&form, Some(&url), &library), "gpt2: 548.0 MB");
        library.receive(vec![model(&url)], None);
        assert_eq!(of(&form, Some(&url), &library), "gpt2: 450.5 MB stored");
        form.hub = "own/model".into();
        assert_eq!(of(&form, Some("elsewhere"), &library), "own/model: ");
        form.choose(ModelChoice::Url);
        assert_eq!(of(&form, None, &library), "no address yet: ");
        form.url = "https://example.org/models/mine/".into();
        assert_eq!(of(&form, None, &library), "mine: ");
    }

    #[test]
    fn what_a_sentence_costs_is_what_is_not_here() {
        let gpt2 = crate::checkpoint::HUB_MODELS.iter().find(|model| model.name == "gpt2");
        let gpt2 = gpt2.expect("a known name");
        let stored = |bytes| StoredModel {
            bytes,
            ..model(&crate::checkpoint::hub_url("gpt2", "").expect("a known name"))
        };
        let told = |stored: Option<&[StoredModel]>| cost(gpt2, "GPT-2 small", stored).0;
        assert_eq!(told(None), "All heads of GPT-2 small: 498 MB once.");
        assert_eq!(told(Some(&[model("https://example.org/own")])), told(None));
        assert_eq!(
            told(Some(&[stored(455_900_000)])),
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
    fn questions_are_answered_once() {
        let mut library = Library::default();
        assert_eq!(library.list(3), ToWorker::ListStored { id: 3 });
        assert!(!library.answered(2));
        assert!(library.answered(3));
        assert!(!library.answered(3));
        assert!(library.models().is_none());
        library.receive(vec![model("a")], None);
        assert_eq!(library.models().map(<[_]>::len), Some(1));
    }

    #[test]
    fn room_is_said_in_words() {
        let space = Space {
            usage: 452_100_000,
            quota: 10_240_000_000,
            persistent: false,
        };
        assert_eq!(
            room(&space),
            "452.1 MB of 10.2 GB used; the browser may clear it when space is short."
        );
    }
}
