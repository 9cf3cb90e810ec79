//! The tokens as chips, with bars and arcs for the attention of the head at the query.

use std::time::Duration;

use leptos::ev::{KeyboardEvent, PointerEvent};
use leptos::html;
use leptos::prelude::*;

use super::super::page::Page;
use super::super::scheduling::Latest;
use super::arcs::Arcs;
use super::shown::of_attention;
use crate::analysis::AttentionSection;
use crate::app::session::{Origin, Session};
use crate::figure::sentence_words::{answer_in_parts, how_chosen, how_chosen_of_recorded, percent, visible};
use crate::names::Side;

/// How long a touch on a token lasts to make it the query.
const LONG_PRESS: Duration = Duration::from_millis(500);

/// The content of a chip.
#[derive(Debug, Clone, PartialEq)]
struct Chip {
    text: String,
    /// The attention to it; None for tokens after the query, which are masked.
    share: Option<f32>,
    side: Option<Side>,
    about: String,
}

fn chips(section: &AttentionSection, tokens: &[u32]) -> Vec<Chip> {
    let row = section.row(section.head);
    let scores = section.scores_of(section.head);
    let chip = |(position, text): (usize, &String)| {
        let share = row.get(position).copied();
        let id = tokens
            .get(position)
            .map_or_else(String::new, |token| format!(", token {token}"));
        let score = scores
            .get(position)
            .map_or_else(String::new, |score| format!(", score {score:.2}"));
        let about = match share {
            Some(share) => format!("position {position}{id}, attention {}{score}", percent(share)),
            None => format!("position {position}{id}, after the query"),
        };
        Chip {
            text: visible(text),
            share,
            // Where the head attends to the query's own token, the chip is both; it then acts as the key, which is
            // chosen last.
            side: match position {
                _ if position == section.src => Some(Side::Key),
                _ if position == section.dest => Some(Side::Query),
                _ => None,
            },
            about,
        }
    };
    section.texts.iter().enumerate().map(chip).collect()
}

/// The chips, and the answer below them.
#[component]
pub fn Strip(
    page: Page,
    sentence: Page,
    /// Whether this is the strip of the story, which explains in its own text why it begins with this head.
    #[prop(optional)]
    in_story: bool,
) -> impl IntoView {
    let chips = Memo::new(move |_| {
        sentence.shown.with(|shown| {
            let result = &shown.as_ref()?.result;
            let tokens = result.prompts.first().map_or(&[][..], |prompt| &prompt.tokens);
            Some(chips(result.attention()?, tokens))
        })
    });
    let positions =
        Memo::new(move |_| of_attention(sentence, |section| (section.dest, section.src)).unwrap_or_default());
    let description = move || {
        let parts = of_attention(sentence, answer_in_parts)?;
        let part = |(text, marked): (String, bool)| {
            if marked {
                view! { <b>{text}</b> }.into_any()
            } else {
                text.into_any()
            }
        };
        Some(parts.into_iter().map(part).collect_view())
    };
    let chosen = Memo::new(move |_| page.question.with(|question| question.head.is_none()));
    let how = move || {
        sentence.shown.with(|shown| {
            let shown = shown.as_ref()?;
            let section = shown.result.attention()?;
            if in_story || !chosen.get() {
                return None;
            }
            if shown.origin == Origin::Recorded {
                let named = page.session.with(Session::begins_with_head);
                return Some(how_chosen_of_recorded(section, named));
            }
            let next = shown.result.next()?.tokens.first()?;
            Some(how_chosen(section, &next.text))
        })
    };
    let frame = NodeRef::<html::Div>::new();
    let held = Latest::new();
    // Whether a drag of the query's chip has begun.
    let dragged = StoredValue::new(false);

    let set_key = move |position: usize| {
        let (dest, _) = positions.get_untracked();
        // Attention is causal: the query must not precede the key, so it moves, too.
        page.ask_with(|question| {
            (question.dest, question.src) = (Some(dest.max(position)), Some(position));
        });
    };
    let set_query = move |position: usize| {
        page.ask_with(|question| (question.dest, question.src) = (Some(position), None));
    };
    let pressed = move |event: PointerEvent, position: usize| {
        dragged.set_value(position == positions.get_untracked().0);
        if event.pointer_type() == "touch" {
            held.run_after(LONG_PRESS, move || set_query(position));
        }
    };
    let released = move |event: PointerEvent, position: usize| {
        held.forget();
        let moves_query = dragged.get_value() && position != positions.get_untracked().0;
        dragged.set_value(false);
        if event.shift_key() || moves_query {
            set_query(position);
        } else if event.button() == 0 {
            set_key(position);
        }
    };
    let key = move |event: KeyboardEvent| {
        let (dest, src) = positions.get_untracked();
        let count = chips.with_untracked(|chips| chips.as_ref().map_or(0, Vec::len));
        let at = if event.shift_key() { dest } else { src };
        let last = if event.shift_key() {
            count.saturating_sub(1)
        } else {
            dest
        };
        let to = match event.key().as_str() {
            "ArrowLeft" => at.saturating_sub(1),
            "ArrowRight" => (at + 1).min(last),
            "Home" => 0,
            "End" => last,
            _ => return,
        };
        event.prevent_default();
        if to != at {
            if event.shift_key() { set_query(to) } else { set_key(to) }
        }
    };
    let chip = move |(position, chip): (usize, Chip)| {
        let label = chip.side.map(|side| view! { <em>{side.as_str()}</em> });
        view! {
            <span
                role="option"
                id=format!("token-{position}")
                class=format!("token {}", chip.side.map_or("", Side::as_str))
                class:unseen=chip.share.is_none()
                aria-selected=(chip.side == Some(Side::Key)).to_string()
                title=chip.about
                style=("--share", format!("{:.4}", chip.share.unwrap_or_default()))
                on:pointerdown=move |event| pressed(event, position)
                on:pointerup=move |event| released(event, position)
                on:pointercancel=move |_| held.forget()
            >
                {label}
                {chip.text}
            </span>
        }
    };
    view! {
        <div class="token-strip" node_ref=frame>
            <Arcs sentence=sentence frame=frame />
            <div
                class="tokens"
                role="listbox"
                tabindex="0"
                data-testid="tokens"
                aria-label="Tokens. Arrow keys move the key, with Shift the query."
                aria-activedescendant=move || format!("token-{}", positions.get().1)
                on:keydown=key
            >
                {move || chips.get().map(|chips| chips.into_iter().enumerate().map(chip).collect_view())}
            </div>
        </div>
        <p class="answer" role="status" data-testid="answer">{description}</p>
        <p class="soft" data-testid="how-chosen">{how}</p>
        <p class="soft for-mouse">"Click a word to see how much this head looks at it (the key); Shift-click to look from it instead (the query)."</p>
        <p class="soft for-touch">"Tap a word to see how much this head looks at it (the key); hold a finger on it to look from it instead (the query)."</p>
    }
}
