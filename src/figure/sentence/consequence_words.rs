//! Texts about the head's output: direct effects, raised and lowered tokens, logit lens, directions.

use super::down_words::BarLine;
use super::words::{quoted, visible};
use crate::analysis::pair::{
    DirectionsSection, EffectsSection, LabeledToken, LensSection, TokenMatrix, TokenValue, WritesSection,
};
use crate::math::sort_descending;
use crate::names::{Component, Side};
use crate::quantities::{counted, grouped, number};

/// What the text of a token is in quotation marks, with the space before it.
pub fn token_name(text: &str) -> String {
    format!("\u{201c}{}\u{201d}", visible(text))
}

fn signed(value: f64, digits: usize) -> String {
    let sign = if value > 0.0 { "+" } else { "" };
    format!("{sign}{}", number(value, digits))
}

/// What direct effects are on: "logit(“·Mary”) − logit(“·John”)".
pub fn difference(section: &EffectsSection) -> String {
    let logit = |target: &LabeledToken| format!("logit({})", token_name(&target.text));
    format!("{} \u{2212} {}", logit(&section.a), logit(&section.b))
}

/// That direct effects and b_U add up to the difference of the logits, with the numbers.
pub fn effects_sum(section: &EffectsSection) -> String {
    format!(
        "{} and b_U ({}) add up to {}; {} is {}.",
        counted(section.components.len(), "component", "components"),
        number(f64::from(section.bias), 4),
        number(f64::from(section.sum()), 4),
        difference(section),
        number(f64::from(section.difference), 4)
    )
}

/// The direct effect of the head itself, and where most of it was read.
pub fn head_effect(section: &EffectsSection, texts: &[String]) -> String {
    let effect = section.of(Component::Head(section.head)).unwrap_or_default();
    let sources = section.by_source.data().iter().enumerate();
    let largest = sources.max_by(|left, right| left.1.abs().total_cmp(&right.1.abs()));
    let read = largest.map_or_else(String::new, |(position, value)| {
        format!(
            " Of that, what it has read at {} ({position}) adds {}, the most by size.",
            quoted(texts, position),
            signed(f64::from(*value), 3)
        )
    });
    format!(
        "Head {} adds {} by itself, past all later layers.{read}",
        section.head,
        signed(f64::from(effect), 3)
    )
}

/// The direct effect of the head by source token, from the largest to the least.
pub fn by_source(section: &EffectsSection, texts: &[String]) -> Vec<BarLine> {
    let line = |(position, value): (usize, &f32)| BarLine {
        name: format!("{} ({position})", quoted(texts, position)),
        value: f64::from(*value),
        step: None,
    };
    let mut lines: Vec<BarLine> = section.by_source.data().iter().enumerate().map(line).collect();
    sort_descending(&mut lines, |line| line.value);
    lines
}

/// The `most` largest of `lines` by size, in their order, and all others in one line.
pub fn largest(lines: Vec<BarLine>, most: usize) -> Vec<BarLine> {
    let mut sizes: Vec<f64> = lines.iter().map(|line| line.value.abs()).collect();
    sizes.sort_by(|left, right| right.total_cmp(left));
    let Some(least) = most.checked_sub(1).and_then(|last| sizes.get(last).copied()) else {
        return lines;
    };
    let (mut kept, mut others) = (Vec::new(), Vec::new());
    for line in lines {
        if line.value.abs() >= least && kept.len() < most {
            kept.push(line)
        } else {
            others.push(line.value)
        }
    }
    if !others.is_empty() {
        kept.push(BarLine {
            name: counted(others.len(), "other", "others"),
            value: others.iter().sum(),
            step: None,
        });
    }
    kept
}

/// Whether the head copies the source token or suppresses it, with its value, as often as the attention goes there (`times`), and its
/// rank.
pub fn copies(section: &WritesSection, times: f32) -> String {
    let WritesSection { source, rank, .. } = section;
    let does = match source.value {
        value if value > 0.0 => "raises it: the head copies",
        value if value < 0.0 => "lowers it: the head suppresses",
        _ => "leaves it: the head does neither copy nor suppress",
    };
    format!(
        "What head {} reads at the token {} adds {} to the logit of that token, and so {does} it. It is number {} of {} from the most \
         raised to the most lowered.",
        section.head,
        token_name(&source.text),
        signed(f64::from(source.value * times), 3),
        grouped(*rank),
        grouped(section.vocabulary)
    )
}

/// Tokens with their values `times` so much, in their order.
pub fn valued(tokens: &[TokenValue], times: f32) -> Vec<BarLine> {
    let line = |token: &TokenValue| BarLine {
        name: visible(&token.text),
        value: f64::from(token.value * times),
        step: None,
    };
    tokens.iter().map(line).collect()
}

/// What the place `index` of [`LensSection::layers`] is called.
pub fn lens_row(index: usize) -> String {
    match index.checked_sub(1) {
        None => "embeddings".into(),
        Some(layer) => format!("layer {layer}"),
    }
}

/// From which layer on the token that comes out is the likeliest.
pub fn describe_lens(section: &LensSection) -> String {
    let first = |index: usize| section.layers[index].tokens.first();
    let Some(last) = section.layers.len().checked_sub(1).and_then(first) else {
        return "Nothing is known after any layer.".into();
    };
    let same = |index: &usize| first(*index).is_some_and(|token| token.token == last.token);
    let since = (0..section.layers.len()).rev().take_while(same).last();
    let since = since.map_or_else(String::new, |index| match index.checked_sub(1) {
        None => ", from the embeddings on".into(),
        Some(layer) => format!(", from layer {layer} on"),
    });
    format!(
        "At the end {} is the likeliest{since}, were the model to end there.",
        token_name(&last.text)
    )
}

/// A group of directions that have nearly the same singular value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DirectionGroup {
    /// Its first direction, counted from 0.
    pub first: usize,
    /// How many directions it has.
    pub count: usize,
    /// What they add to the score.
    pub value: f32,
    /// What is added up to and with this group.
    pub so_far: f32,
}

impl DirectionGroup {
    /// What it is called: its directions.
    pub fn name(&self) -> String {
        match self.count {
            1 => self.first.to_string(),
            count => format!("{}\u{2013}{}", self.first, self.first + count - 1),
        }
    }

    /// Whether `direction` is one of it.
    pub fn has(&self, direction: usize) -> bool {
        (self.first..self.first + self.count).contains(&direction)
    }
}

/// The groups of directions, the largest by size first.
pub fn groups_by_size(section: &DirectionsSection) -> Vec<DirectionGroup> {
    let mut groups = section.of_groups();
    sort_descending(&mut groups, |group| group.2.abs());
    let mut so_far = 0.0;
    let groups = groups.into_iter().map(|(first, count, value)| {
        so_far += f64::from(value);
        DirectionGroup {
            first,
            count,
            value,
            so_far: so_far as f32,
        }
    });
    groups.collect()
}

/// How many groups of directions make up nine tenths, and that all add up to the score.
pub fn describe_directions(section: &DirectionsSection) -> String {
    let groups = section.groups.len();
    let what = match section.relative {
        Some(_) => "the relative score",
        None => "the score",
    };
    let known = if groups == section.values.data().len() {
        counted(groups, "direction", "directions")
    } else {
        counted(groups, "group of directions", "groups of directions")
    };
    let make = if section.explaining == 1 { "makes" } else { "make" };
    format!(
        "{} of {known} {make} up nine tenths of the sizes of all. Directions and biases ({}) add up to {}; {what} is {}.",
        section.explaining,
        signed(
            section.biases.data().iter().map(|bias| f64::from(*bias)).sum::<f64>(),
            4
        ),
        number(f64::from(section.sum()), 4),
        number(f64::from(section.score), 4)
    )
}

/// The name of the rows whose cosines are shown: "W_E, key side".
pub fn ends_name(matrix: TokenMatrix, side: Side) -> String {
    let matrix = match matrix {
        TokenMatrix::Embedding => Component::TokenEmbedding.label(),
        TokenMatrix::Unembedding => "W_U".to_owned(),
    };
    format!("{matrix}, {side} side")
}
