//! Which models are kept in the browser's storage.

use crate::checkpoint::{Space, StoredModel, hub_name};
use crate::worker::ToWorker;

use crate::quantities::size;

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
