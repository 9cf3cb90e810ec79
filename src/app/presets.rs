//! Interventions for a single click, derived from the shown decomposition.

use super::last_line;
use crate::analysis::PairSection;
use crate::analysis::pair::{Extent, Intervention, Replacement, Vector};
use crate::figure::{intervention_words, of_side, sentence_words};
use crate::names::{Component, Head, HeadActivation, Side};
use crate::result::ResultFile;

/// A suggested intervention.
#[derive(Debug, Clone, PartialEq)]
pub struct Preset {
    /// The id for tests.
    pub id: String,
    /// The label of its button.
    pub label: String,
    /// The intervention.
    pub intervention: Intervention,
}

/// The suggestions for the pair of `result`; none without a decomposed score.
pub fn presets(result: &ResultFile) -> Vec<Preset> {
    let (Some(section), Some(prompt)) = (result.pair(), result.prompts.first()) else {
        return Vec::new();
    };
    let texts = result.attention().map_or(&[][..], |attention| &attention.texts);
    let head = section.head;
    let knock_out = |id: &str, head: Head| Preset {
        id: id.into(),
        label: format!("knock out {head}"),
        intervention: Intervention::Set {
            head,
            activation: HeadActivation::Z,
            to: Replacement::Zero,
            at: Extent::All,
        },
    };
    let without = |side: Side| {
        let component = largest(section, side, |_| true)?;
        Some(Preset {
            id: format!("without-{side}"),
            label: format!("take {} out of the {side}", component.name()),
            intervention: Intervention::Remove {
                side,
                component,
                scale: 1.0,
            },
        })
    };
    let made = |id: &str, position: usize, more: &str| {
        let &token = prompt.tokens.get(position)?;
        Some(Preset {
            id: id.into(),
            label: format!("query from W_U of {}{more}", sentence_words::quoted(texts, position)),
            intervention: Intervention::Substitute {
                side: Side::Query,
                vector: Vector::Unembedding(token),
            },
        })
    };
    let io = once_named(texts).and_then(|position| made(last_line::PRESET, position, ": the notebook's last line"));
    // The same if the head attends to that name.
    let of_source = made("made-query", section.src, "");
    let of_source = of_source.filter(|preset| io.as_ref().is_none_or(|io| io.intervention != preset.intervention));
    let mut all: Vec<Preset> = Side::ALL.into_iter().filter_map(without).collect();
    all.extend(earlier_head(section).map(|earlier| knock_out("without-earlier", earlier)));
    all.push(knock_out("without-head", head));
    all.extend(of_source);
    all.extend(io);
    all
}

/// The activations of `head` that can be copied from a second sentence.
pub fn copies(head: Head, at: Extent) -> Vec<Preset> {
    let copy = |activation: HeadActivation| Preset {
        id: format!("copy-{activation}"),
        label: intervention_words::activation_name(activation).into(),
        intervention: Intervention::Set {
            head,
            activation,
            to: Replacement::Second,
            at,
        },
    };
    let order = [
        HeadActivation::Q,
        HeadActivation::K,
        HeadActivation::V,
        HeadActivation::Pattern,
        HeadActivation::Z,
    ];
    order.map(copy).to_vec()
}

/// The component with the largest absolute contribution on `side`, among those that `is_eligible` selects.
fn largest(section: &PairSection, side: Side, is_eligible: impl Fn(Component) -> bool) -> Option<Component> {
    largest_value(section, side, is_eligible).map(|(component, _)| component)
}

fn largest_value(
    section: &PairSection,
    side: Side,
    is_eligible: impl Fn(Component) -> bool,
) -> Option<(Component, f32)> {
    let written = of_side(section, side).into_iter();
    written
        .filter(|(component, _)| *component != Component::bias(side) && is_eligible(*component))
        .max_by(|left, right| left.1.abs().total_cmp(&right.1.abs()))
}

/// The earlier head with the largest absolute contribution on either side.
fn earlier_head(section: &PairSection) -> Option<Head> {
    let is_head = |component| matches!(component, Component::Head(_));
    let of_sides = Side::ALL
        .into_iter()
        .filter_map(|side| largest_value(section, side, is_head));
    match of_sides.max_by(|left, right| left.1.abs().total_cmp(&right.1.abs()))? {
        (Component::Head(head), _) => Some(head),
        _ => None,
    }
}

/// The position of the name that occurs once in a sentence of two names, the other of which is repeated: the IO of an
/// IOI sentence. None in other sentences.
fn once_named(texts: &[String]) -> Option<usize> {
    let is_name = |text: &str| {
        let mut letters = text.strip_prefix(' ').unwrap_or_default().chars();
        letters.next().is_some_and(char::is_uppercase) && letters.all(char::is_lowercase)
    };
    let names = || texts.iter().enumerate().filter(|(_, text)| is_name(text));
    let count = |name: &str| names().filter(|(_, text)| *text == name).count();
    let (once, _) = names().find(|(_, text)| count(text) == 1)?;
    let others: Vec<&String> = names()
        .filter(|(position, _)| *position != once)
        .map(|(_, text)| text)
        .collect();
    let other = others.first()?;
    (others.len() > 1 && others.iter().all(|text| text == other)).then_some(once)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn texts(sentence: &str) -> Vec<String> {
        sentence.split_inclusive(' ').fold(Vec::new(), |mut texts, word| {
            let space = if texts.is_empty() { "" } else { " " };
            texts.push(format!("{space}{}", word.trim()));
            texts
        })
    }

    #[test]
    fn the_name_that_stands_once_is_found_in_ioi_sentences_alone() {
        let found = |sentence: &str| once_named(&texts(sentence));
        assert_eq!(
            found("When Mary and John went to the store John gave a drink to"),
            Some(1)
        );
        assert_eq!(found("Then John met Mary , and John gave it to"), Some(3));
        assert_eq!(found("When Mary and John went to the store Tom gave a drink to"), None);
        assert_eq!(found("When Mary came"), None);
        assert_eq!(found(""), None);
    }

    #[test]
    fn presets_are_of_the_pair_that_is_shown() {
        let bytes = include_bytes!("../../tests/fixtures/tiny-sentence-2.1.json");
        let result = ResultFile::from_json(bytes).unwrap();
        let (presets, section) = (presets(&result), result.pair().unwrap());
        let ids: Vec<&str> = presets.iter().map(|preset| preset.id.as_str()).collect();
        assert!(ids.contains(&"without-query") && ids.contains(&"without-key") && ids.contains(&"notebook"));
        for preset in &presets {
            match preset.intervention {
                Intervention::Remove { side, component, .. } => {
                    let written = of_side(section, side);
                    let value =
                        |component: Component| written.iter().find(|(one, _)| *one == component).unwrap().1.abs();
                    let is_written = |one: &Component| *one != Component::bias(side);
                    let components = written.iter().map(|(one, _)| *one).filter(is_written);
                    let most = components.map(value).fold(0.0, f32::max);
                    assert!((value(component) - most).abs() < 1e-9, "{preset:?}");
                }
                Intervention::Set { head, .. } => assert!(head.layer < 2 || head == section.head, "{preset:?}"),
                Intervention::Substitute { vector, .. } => {
                    let tokens = &result.prompts[0].tokens;
                    let is_there = tokens.iter().any(|token| vector == Vector::Unembedding(*token));
                    assert!(is_there, "{preset:?}");
                }
            }
        }
        assert_eq!(copies(section.head, Extent::Pair).len(), HeadActivation::ALL.len());
    }
}
