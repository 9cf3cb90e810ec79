//! The view options of figures and page in the query.

use crate::analysis::settings::{MAX_BATCH_SIZE, MAX_BATCHES};
use crate::error::Result;
use crate::figure::keys::{Query, number, switch, text, wrong};
use crate::figure::{Appearance, FigureKind, KINDS, View};

/// Whether `key` is a view option.
pub(super) fn is_key(key: &str) -> bool {
    ["prompt", "theme", "text"].contains(&key) || kind_of(key).is_some()
}

/// Whether `key` concerns only the appearance of the page.
pub(super) fn is_appearance(key: &str) -> bool {
    key == "theme"
}

/// Whether `key` may come more than once.
pub(super) fn may_repeat(key: &str) -> bool {
    kind_of(key).is_some_and(|kind| kind.may_repeat(key))
}

/// The kind of figure that has the option `key`.
fn kind_of(key: &str) -> Option<&'static dyn FigureKind> {
    KINDS.into_iter().find(|kind| kind.is_key(key))
}

/// Sets the view option `key`.
pub(super) fn take(view: &mut View, key: &str, value: &str) -> Result<()> {
    match key {
        "prompt" => view.prompt = Some(number(key, value, 0, MAX_BATCHES * MAX_BATCH_SIZE - 1)?),
        "theme" => {
            let found = Appearance::ALL.into_iter().find(|known| known.value() == value);
            view.appearance = found.ok_or_else(|| wrong(key, value, "system, light or dark"))?;
        }
        "text" => view.text_hidden = !switch(key, value)?,
        _ => {
            if let Some(kind) = kind_of(key) {
                kind.take(view, key, value)?;
            }
        }
    }
    Ok(())
}

/// Appends the options that differ from the defaults.
pub(super) fn write(view: &View, query: &mut Query) {
    for kind in KINDS {
        kind.write(view, query);
    }
    query.given("prompt", text(view.prompt));
    let chosen = Some(view.appearance).filter(|chosen| *chosen != Appearance::System);
    query.given("theme", chosen.map(|chosen| chosen.value().to_owned()));
    query.given("text", view.text_hidden.then(|| "0".to_owned()));
}

/// `view` without what [`take`] would reject, and with numbers rounded as it would read them.
pub(super) fn clean(view: &View) -> View {
    let mut clean = view.clone();
    clean.prompt = clean.prompt.filter(|prompt| *prompt < MAX_BATCHES * MAX_BATCH_SIZE);
    for kind in KINDS {
        kind.clean(&mut clean);
    }
    clean
}

/// Whether the change from one view to another is a history entry for the "back" button.
pub(super) fn is_step(from: &View, to: &View) -> bool {
    KINDS.into_iter().any(|kind| kind.is_step(from, to))
}
