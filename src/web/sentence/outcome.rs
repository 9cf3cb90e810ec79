//! The outcome of an intervention: values before and after, beside the linear prediction.

use leptos::prelude::*;

use super::super::data_table::DataTable;
use super::super::export::ExportMenu;
use super::super::page::Page;
use super::trials::of_intervention;
use crate::analysis::pair::NextToken;
use crate::figure::FigurePlace;
use crate::figure::intervention_words::{MeasureLine, description, lines, prediction};
use crate::figure::sentence_words::{percent_in_short, visible};

/// Next tokens that are listed.
const NEXT: usize = 8;

/// A short text for `value` of `line`, for narrow windows.
fn short(line: &MeasureLine, value: f32) -> String {
    if line.is_share {
        percent_in_short(value)
    } else {
        line.text(value)
    }
}

/// The attention to one token, before and after.
#[derive(Debug, Clone, PartialEq)]
struct Share {
    text: String,
    before: f32,
    after: f32,
}

/// The description, the values beside the prediction, the row of attention, the next tokens.
#[component]
pub fn OutcomeOf(sentence: Page) -> impl IntoView {
    let Some(place) = "intervention".parse::<FigurePlace>().ok() else {
        return ().into_any();
    };
    let there = Memo::new(move |_| of_intervention(sentence, |_, section| !section.effects.is_empty()) == Some(true));
    let words = move || {
        of_intervention(sentence, |result, section| {
            Some(description(result, section, section.effects.first()?))
        })
        .flatten()
    };
    let predicted = move || {
        of_intervention(sentence, |_, section| {
            Some(prediction(section, section.effects.first()?))
        })
        .flatten()
    };
    let measures = Memo::new(move |_| {
        let found = of_intervention(sentence, |_, section| Some(lines(section, section.effects.first()?)));
        found.flatten().map(Vec::from).unwrap_or_default()
    });
    let shares = Memo::new(move |_| {
        let found = of_intervention(sentence, |result, section| {
            let after = &section.effects.first()?.after;
            let share = |position: usize| Share {
                text: result
                    .attention()
                    .and_then(|attention| attention.texts.get(position))
                    .map_or_else(|| position.to_string(), |text| visible(text)),
                before: section.before.attention(position),
                after: after.attention(position),
            };
            Some((0..=section.dest).map(share).collect::<Vec<_>>())
        });
        found.flatten().unwrap_or_default()
    });
    let next = Memo::new(move |_| {
        let found = of_intervention(sentence, |_, section| {
            let after = &section.effects.first()?.after;
            Some([&section.before, after].map(|outcome| outcome.next.iter().take(NEXT).cloned().collect::<Vec<_>>()))
        });
        found.flatten().unwrap_or_default()
    });
    let measure = move |line: MeasureLine| {
        view! {
            <tr>
                <th scope="row">{line.name.clone()}</th>
                <td class="value">{short(&line, line.before)}</td>
                <td class="value">{short(&line, line.after)}</td>
                <td class="value">{line.predicted.map(|value| short(&line, value))}</td>
                <td class="value">{line.difference()}</td>
            </tr>
        }
    };
    let share = move |share: Share| {
        view! {
            <li>
                <span class="name">{share.text}</span>
                <span class="two-bars" aria-hidden="true">
                    <span class="was" style=("--part", format!("{:.4}", share.before))></span>
                    <span class="is" style=("--part", format!("{:.4}", share.after.clamp(0.0, 1.0)))></span>
                </span>
                <span class="value">{format!("{} \u{2192} {}", percent_in_short(share.before), percent_in_short(share.after))}</span>
            </li>
        }
    };
    let expected = move |which: usize| {
        let token = |token: NextToken| {
            view! { <li><code>{visible(&token.text)}</code>" "{percent_in_short(token.logprob.exp())}</li> }
        };
        move || {
            let tokens = next.with(|next| next.get(which).cloned().unwrap_or_default());
            tokens.into_iter().map(token).collect_view()
        }
    };
    // For screen readers, the description holds the whole answer.
    let whole = move || {
        view! {
            <div class="outcome">
                <div class="pairs">
                    <table data-testid="measures">
                        <caption>"Recomputed, beside the linear prediction"</caption>
                        <thead>
                            <tr>
                                <td></td>
                                <th scope="col" class="value">"before"</th>
                                <th scope="col" class="value">"after"</th>
                                <th scope="col" class="value">"predicted"</th>
                                <th scope="col" class="value">"difference"</th>
                            </tr>
                        </thead>
                        <tbody>{move || measures.get().into_iter().map(measure).collect_view()}</tbody>
                    </table>
                    <p class="soft" data-testid="prediction">{predicted}</p>
                </div>
                <div>
                    <h3>"Attention, before and after"</h3>
                    <ul class="bars shares" data-testid="shares">{move || shares.get().into_iter().map(share).collect_view()}</ul>
                </div>
                <div class="expected">
                    <h3>"The likeliest next tokens"</h3>
                    <div>
                        <ol aria-label="before" data-testid="next-before">{expected(0)}</ol>
                        <ol aria-label="after" data-testid="next-after">{expected(1)}</ol>
                    </div>
                </div>
            </div>
            <div class="card-foot"><ExportMenu page=sentence figure=place /><DataTable page=sentence figure=place /></div>
        }
    };
    view! {
        <p class="told-outcome" role="status" data-testid="outcome">{words}</p>
        <Show when=move || there.get()>{whole()}</Show>
    }
    .into_any()
}
