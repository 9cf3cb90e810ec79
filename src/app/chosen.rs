//! Whether the shown result belongs to the selected model.

use super::form::{Form, ModelChoice};
use super::library::chip;
use super::state::{Origin, Shown};
use crate::app::library::Library;

/// A sentence that names the model of `shown`, if the model selected in `form`, at `url`, is another one. None where it
/// is the same, or none is selected.
pub fn not_shown(form: &Form, url: Option<&str>, shown: &Shown) -> Option<String> {
    let same = match (form.model, url) {
        (ModelChoice::Recorded, _) => shown.origin == Origin::Recorded,
        (_, Some(url)) => shown.url.as_deref() == Some(url),
        (_, None) => true,
    };
    let (name, _) = chip(form, url, &Library::default());
    let recorded = if form.model == ModelChoice::Recorded {
        ", as recorded"
    } else {
        ""
    };
    (!same).then(|| {
        format!(
            "The chosen model is {name}{recorded}. What is shown is of {}.",
            shown.result.model.name
        )
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::result::ResultFile;

    fn shown(origin: Origin, url: Option<&str>) -> Shown {
        let bytes = include_bytes!("../../public/recorded/gpt2-small-10.7.json");
        Shown {
            revision: 1,
            origin,
            result: Arc::new(ResultFile::from_json(bytes).expect("it reads")),
            note: None,
            url: url.map(Into::into),
        }
    }

    #[test]
    fn another_model_than_the_chosen_one_is_marked() {
        let mut form = Form::default();
        let (recorded, file) = (
            shown(Origin::Recorded, None),
            shown(Origin::File("a.json".into()), None),
        );
        let live = shown(Origin::Live, Some("https://example.org/mine"));
        assert_eq!(not_shown(&form, None, &recorded), None);
        assert_eq!(
            not_shown(&form, None, &file).as_deref(),
            Some("The chosen model is GPT-2 small, as recorded. What is shown is of GPT-2 small.")
        );
        assert!(not_shown(&form, None, &live).is_some());
        form.choose(ModelChoice::Url);
        assert_eq!(not_shown(&form, None, &recorded), None, "no address yet");
        form.url = "https://example.org/mine".into();
        assert_eq!(not_shown(&form, Some(&form.url), &live), None);
        assert!(not_shown(&form, Some(&form.url), &recorded).is_some());
        let other = not_shown(&form, Some("https://example.org/other"), &live);
        assert!(other.is_some_and(|text| text.starts_with("The chosen model is mine.")));
        form.choose(ModelChoice::Bundled);
        assert!(not_shown(&form, Some("http://127.0.0.1/models/tiny-ioi"), &live).is_some());
    }
}
