//! Where things are: the recorded run, the bundled model, the model that the form asks for.

use super::document;
use crate::app::form::{Form, ModelChoice, Request};
use crate::error::Result;

/// Where the recorded run is, relative to the page.
pub const RECORDED: &str = "recorded/gpt2-small-10.7.json";
/// Where the recorded sentences are, relative to the page.
pub const SENTENCES: &str = "recorded/gpt2-small-sentences.json";
/// Where the recorded effects of heads are, relative to the page.
pub const EFFECTS: &str = "recorded/gpt2-small-head-effects.json";
/// Where the bundled model is, relative to the page.
const BUNDLED: &str = "models/tiny-ioi";

/// Absolute URL of the bundled model's folder.
fn bundled() -> String {
    document::absolute(BUNDLED).unwrap_or_else(|| BUNDLED.into())
}

/// Absolute URL of the folder that `form` asks for, if there is one and it makes sense.
pub fn url_of(form: &Form) -> Option<String> {
    form.address(&bundled(), document::absolute).ok()
}

/// The same of the model at hand: the bundled one where `form` asks for what is recorded.
pub fn url_at_hand(form: &Form) -> Option<String> {
    match form.model {
        ModelChoice::Recorded => Some(bundled()),
        _ => url_of(form),
    }
}

/// The run that `form` asks for.
///
/// # Errors
/// Those of [`Form::request`].
pub fn request_of(form: &Form) -> Result<Request> {
    form.request(&bundled(), document::absolute)
}
