//! Picked or dropped files as a model.

use leptos::prelude::*;

use super::{Page, Paths};
use crate::app::form::ModelChoice;
use crate::app::picking::{PickedModel, models_among};
use crate::worker::PICKED;

/// Label of a picked model whose files are in no folder.
const LOOSE: &str = "picked files";

impl Page {
    /// Chooses the model in the picked files. Where there are several models, the reader chooses one.
    pub fn pick(self, files: Paths) {
        let paths: Vec<String> = files.iter().map(|(path, _)| path.clone()).collect();
        let models = match models_among(&paths) {
            Ok(models) => models,
            Err(error) => return self.session.update(|session| session.fail(error)),
        };
        let files_of = |model: &PickedModel| model.files.iter().map(|index| files[*index].1.clone()).collect();
        self.candidate_files.set_value(models.iter().map(files_of).collect());
        let folders: Vec<String> = models.into_iter().map(|model| model.folder).collect();
        let is_one = folders.len() == 1;
        self.candidates.set(folders);
        if is_one {
            return self.pick_candidate(0);
        }
        self.form.update(|form| form.picked.clear());
        self.choose(ModelChoice::Picked);
        self.controls_open.set(true);
    }

    /// Chooses one of the models that were picked together.
    pub fn pick_candidate(self, index: usize) {
        let folder = self.candidates.with_untracked(|folders| folders.get(index).cloned());
        let files = self.candidate_files.with_value(|files| files.get(index).cloned());
        let (Some(folder), Some(files)) = (folder, files) else {
            return;
        };
        let label = if folder.is_empty() { LOOSE } else { &folder };
        self.picks.update_value(|picks| *picks += 1);
        let address = format!("{PICKED}{}/{label}", self.picks.get_value());
        self.picked.set_value(Some((address.clone(), files)));
        self.give_picked();
        self.form.update(|form| form.picked = address);
        self.choose(ModelChoice::Picked);
    }

    /// Sends the picked files to the worker, if it has been started.
    pub(super) fn give_picked(self) {
        self.link.update_value(|link| {
            if let Some(link) = link {
                self.picked.with_value(|picked| {
                    if let Some((address, files)) = picked {
                        link.give(address, files);
                    }
                });
            }
        });
    }
}
