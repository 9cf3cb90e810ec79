//! The first view of the page: the beginning of the story as static HTML, made when the page is built: the sentence
//! with its bars, and the answer. It is visible before any code has arrived, and has the page's own classes and words,
//! so that nothing moves when the page replaces it.

use super::address::Tab;
use super::{steps, words};
use crate::analysis::AttentionSection;
use crate::analysis::pair::Question;
use crate::error::{Error, ErrorKind, Result};
use crate::export::escaped;
use crate::figure::sentence_words::{answer_in_parts, visible};
use crate::names::Side;
use crate::result::Recording;

/// The view of the first sentence of `recording`, for the element `first-view` of index.html.
///
/// # Errors
/// [`ErrorKind::Request`] where there is none.
pub fn html(recording: &Recording) -> Result<String> {
    let missing = |what| Error::new(ErrorKind::Request, format!("the recording has no {what}"));
    let sentence = recording.sentences.first().ok_or_else(|| missing("sentence"))?;
    let result = recording.answer(&Question {
        text: sentence.text.clone(),
        prepend_bos: sentence.prepend_bos,
        ..Question::default()
    })?;
    let section = result.attention().ok_or_else(|| missing("attention"))?;
    Ok(format!(
        r#"<header class="top-bar"><p class="wordmark">keyside</p><nav class="tabs">{tabs}</nav><div class="tools"><p class="model-chip"><b>{model}</b><small>{recorded}</small></p><button type="button" class="page-tool" disabled>{copy}</button></div></header>
<main class="sentence-page story-page"><section class="card ask"><h1>{title}</h1>
<p class="lead">{lead}</p>
<div class="token-strip"><svg class="arcs wide-only" height="56" aria-hidden="true"></svg><div class="tokens">{tokens}</div></div>
<p class="answer">{answer}</p></section></main>"#,
        title = words::TITLE,
        tabs = tabs(),
        model = escaped(&result.model.name),
        recorded = words::RECORDED,
        copy = words::COPY_LINK,
        lead = escaped(&steps::lead(&result)),
        tokens = tokens(section),
        answer = answer(section),
    ))
}

/// The answer, with the most important words marked.
fn answer(section: &AttentionSection) -> String {
    let part = |(text, marked): (String, bool)| {
        if marked {
            format!("<b>{}</b>", escaped(&text))
        } else {
            escaped(&text)
        }
    };
    answer_in_parts(section).into_iter().map(part).collect()
}

fn tabs() -> String {
    let tab = |tab: Tab| {
        let current = if tab == Tab::default() {
            r#" aria-current="page""#
        } else {
            ""
        };
        format!(r#"<button type="button" disabled{current}>{}</button>"#, tab.label())
    };
    Tab::ALL.map(tab).concat()
}

/// The tokens as chips with bars. The bars are SVG, because the page's policy forbids inline styles.
fn tokens(section: &AttentionSection) -> String {
    let row = section.row(section.head);
    let chip = |(position, text): (usize, &String)| {
        let side = match position {
            _ if position == section.src => Some(Side::Key),
            _ if position == section.dest => Some(Side::Query),
            _ => None,
        };
        let (class, label) = side.map_or_else(Default::default, |side| {
            (format!(" {side}"), format!("<em>{side}</em>"))
        });
        let bar = row.get(position).map_or_else(String::new, |share| {
            format!(
                r#"<svg class="bar" aria-hidden="true"><rect width="{:.1}%" height="100%"/></svg>"#,
                100.0 * share
            )
        });
        format!(
            r#"<span class="token{class}">{label}{}{bar}</span>"#,
            escaped(&visible(text))
        )
    };
    section.texts.iter().enumerate().map(chip).collect()
}

#[cfg(test)]
#[path = "first_view_tests.rs"]
mod tests;
