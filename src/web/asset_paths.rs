//! URLs of the recorded files, of the bundled model and of the model that the form names.

use super::document;
use crate::app::form::{Form, ModelChoice, Request};
use crate::error::Result;

/// The recorded run, relative to the page.
pub const RECORDED: &str = "recorded/gpt2-small-10.7.json";
/// The recorded sentences, relative to the page.
pub const SENTENCES: &str = "recorded/gpt2-small-sentences.json";
/// The recorded effects of heads, relative to the page.
pub const EFFECTS: &str = "recorded/gpt2-small-head-effects.json";
/// The folder of the bundled model, relative to the page.
const BUNDLED: &str = "models/tiny-ioi";

/// Absolute URL of the bundled model's folder.
fn bundled() -> String {
    document::absolute(BUNDLED).unwrap_or_else(|| BUNDLED.into())
}

/// Absolute URL of the model folder that `form` names; None where the form asks for the recorded run or the name is
/// invalid.
pub fn url_of(form: &Form) -> Option<String> {
    form.checkpoint_url(&bundled(), document::absolute).ok()
}

/// Absolute URL of the chosen model: like [`url_of`], but the bundled model where `form` asks for the recorded run.
pub fn url_at_hand(form: &Form) -> Option<String> {
    match form.model {
        ModelChoice::Recorded => Some(bundled()),
        _ => url_of(form),
    }
}

/// The run that `form` describes.
///
/// # Errors
/// Those of [`Form::request`].
pub fn request_of(form: &Form) -> Result<Request> {
    form.request(&bundled(), document::absolute)
}
