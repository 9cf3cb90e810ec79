//! The templates, names, places and objects that prompts are made of.

use serde::Deserialize;

use crate::error::{Error, ErrorKind, Result};
use crate::json;

/// Names, places, objects and templates of Wang et al. 2022, "Interpretability in the Wild" (MIT license).
#[derive(Debug, Clone, Deserialize)]
pub struct Dataset {
    /// Source of the words.
    pub source: String,
    /// First names; both the indirect object and the subject are drawn from them.
    pub names: Vec<String>,
    /// Words for `[PLACE]`.
    pub places: Vec<String>,
    /// Words for `[OBJECT]`.
    pub objects: Vec<String>,
    /// Templates in which the subject comes first. `[A]` is the indirect object, `[B]` the subject.
    pub baba_templates: Vec<String>,
    /// The same templates with the indirect object first.
    pub abba_templates: Vec<String>,
}

impl Dataset {
    /// The dataset built into the program.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] when the built-in text is invalid.
    pub fn bundled() -> Result<Self> {
        json::read(include_bytes!("dataset.json")).map_err(|error| {
            Error::new(
                ErrorKind::Internal,
                format!("the built-in IOI dataset can't be read: {error}"),
            )
            .advice("Please report this.")
        })
    }
}

/// The words that fill a template.
#[derive(Debug, Clone, Copy)]
pub struct Words<'a> {
    /// The indirect object's name, `[A]`.
    pub io: &'a str,
    /// The subject's name, `[B]`.
    pub s: &'a str,
    /// `[PLACE]`.
    pub place: &'a str,
    /// `[OBJECT]`.
    pub object: &'a str,
}

impl Words<'_> {
    /// The text of `template` with every slot filled.
    pub fn fill(&self, template: &str) -> String {
        template
            .replace("[PLACE]", self.place)
            .replace("[OBJECT]", self.object)
            .replace("[A]", self.io)
            .replace("[B]", self.s)
    }
}
