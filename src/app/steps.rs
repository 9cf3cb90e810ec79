//! The steps of the story: recorded figures with explanations.

use crate::analysis::HeadEffectsSection;
use crate::figure::Effect;
use crate::math::sort_descending;
use crate::names::{Head, HistogramId, Side};
use crate::quantities::{counted, number};
use crate::result::{RecordedSentence, ResultFile};

/// Number of heads named in the ablation step.
const NAMED: usize = 4;

/// A step of the story.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum StoryStep {
    /// Where the head attends.
    #[default]
    Looks,
    /// The effect on the answer.
    Effect,
    /// The query side.
    Query,
    /// The key side.
    Key,
    /// The ablation of a head.
    Without,
}

/// The figure of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shows {
    /// The sentence with the head's attention.
    Sentence,
    /// The map of recorded effects.
    Effects,
    /// A histogram of the recorded run.
    Histogram(HistogramId),
    /// The recorded heatmap of the key side.
    Heatmap,
    /// The table of the ablation.
    Ablation,
}

impl StoryStep {
    /// All of them, in order.
    pub const ALL: [Self; 5] = [Self::Looks, Self::Effect, Self::Query, Self::Key, Self::Without];

    /// The value in URLs, and its anchor.
    pub const fn value(self) -> &'static str {
        match self {
            Self::Looks => "looks",
            Self::Effect => "effect",
            Self::Query => "asks",
            Self::Key => "says",
            Self::Without => "without",
        }
    }

    /// The step whose value is `value`.
    pub fn of_value(value: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.value() == value)
    }

    /// The number, counted from 1.
    pub fn number(self) -> usize {
        Self::ALL.iter().take_while(|step| **step != self).count() + 1
    }

    /// The step before it, if there is one.
    pub fn previous(self) -> Option<Self> {
        Self::ALL.get(self.number().checked_sub(2)?).copied()
    }

    /// The step after it, if there is one.
    pub fn next(self) -> Option<Self> {
        Self::ALL.get(self.number()).copied()
    }

    /// The heading.
    pub const fn heading(self) -> &'static str {
        match self {
            Self::Looks => "Where it looks",
            Self::Effect => "What it does there",
            Self::Query => "What the query asks for",
            Self::Key => "What the key says",
            Self::Without => "Take a head out, and others step in",
        }
    }

    /// A short form of the heading for buttons.
    pub const fn short(self) -> &'static str {
        match self {
            Self::Looks => "Where it looks",
            Self::Effect => "What it does",
            Self::Query => "The query",
            Self::Key => "The key",
            Self::Without => "Without one head",
        }
    }

    /// The introduction of its figures; `prompts` is the number of prompts of the recorded run.
    pub fn words(self, prompts: usize) -> String {
        match self {
            Self::Query => format!(
                "A score is the product of a query, made at the last word, and a key, made at the name. Keep the keys of {} of this kind as they \
                 are, and put vectors of known meaning in the place of what the query is made from:",
                counted(prompts, "prompt", "prompts")
            ),
            Self::Key => "Now the other side. Everything that was written at the name before the head\u{2019}s layer adds to its key, and so to the \
                          score: a cell each. Below, the queries are kept, and vectors of known meaning take the place of what the key is made from:"
                .into(),
            Self::Looks | Self::Effect | Self::Without => String::new(),
        }
    }

    /// The figure.
    pub const fn shows(self) -> Shows {
        match self {
            Self::Looks => Shows::Sentence,
            Self::Effect => Shows::Effects,
            Self::Query => Shows::Histogram(HistogramId::KeysFixedScores),
            Self::Key => Shows::Heatmap,
            Self::Without => Shows::Ablation,
        }
    }

    /// The side that is opened when it is tried on another sentence.
    pub const fn side(self) -> Side {
        match self {
            Self::Query => Side::Query,
            _ => Side::Key,
        }
    }

    /// The head that is selected when it is tried: `taken_out` for the ablation step, otherwise the initial head of
    /// `sentence`.
    pub fn head(self, sentence: &RecordedSentence, effects: Option<&HeadEffectsSection>) -> Option<Head> {
        let taken_out = effects.and_then(|section| Some(section.without.as_ref()?.head));
        match self {
            Self::Without => taken_out.filter(|head| sentence.heads.contains_key(head)),
            _ => sentence.begin,
        }
    }
}

/// The lead text of the story for the sentence recorded in `result`.
pub fn lead(result: &ResultFile) -> String {
    let count = result.config.n_layer * result.config.n_head;
    let head = result.attention().map_or_else(String::new, |section| {
        let Head { layer, head } = section.head;
        format!(" This is where head {layer}.{head} looks: layer {layer}, head {head}.")
    });
    format!(
        "A language model guesses the next word, and its attention heads decide which earlier words it reads for that. When {} reads this \
         sentence, each of its {count} heads looks back from the last word.{head} Below, step by step: what it does there, and why it looks \
         there.",
        result.model.name
    )
}

/// "3.55 (from 1.72 to 5.77)".
fn difference(section: &HeadEffectsSection) -> String {
    let values = || section.prompts.iter().map(|prompt| f64::from(prompt.logit_difference));
    let (least, most) = (
        values().fold(f64::INFINITY, f64::min),
        values().fold(f64::NEG_INFINITY, f64::max),
    );
    format!(
        "{} (from {} to {})",
        number(f64::from(section.logit_difference), 2),
        number(least, 2),
        number(most, 2)
    )
}

/// The heads of `section` sorted by `effect` in descending order.
fn ranked(section: &HeadEffectsSection, effect: Effect) -> Vec<(Head, f32)> {
    let mut heads = effect.by_head(section);
    sort_descending(&mut heads, |head| head.1);
    heads
}

fn with_value((head, value): &(Head, f32)) -> String {
    format!("{head} ({})", signed(f64::from(*value)))
}

/// "+2.99", "−1.90".
fn signed(value: f64) -> String {
    let sign = if value > 0.0 { "+" } else { "" };
    format!("{sign}{}", number(value, 2))
}

/// Sentences about the heads' effects on the answer, and the rank of `head`, beginning with its own effect.
pub fn effect_words(section: &HeadEffectsSection, head: Head) -> Vec<String> {
    let heads = ranked(section, Effect::Direct);
    let place = heads.iter().position(|(other, _)| *other == head);
    let own = place.map(|place| {
        let value = f64::from(heads[place].1);
        let rank = match heads.len() - place {
            1 => format!("more than any other of the {} heads", heads.len()),
            rank => format!("{rank} among {} heads, counted from the one that takes away most", heads.len()),
        };
        if value < 0.0 {
            format!(
                "Head {head} looks at the right name and speaks against it: by itself it takes {} from the difference between the right name\u{2019}s \
                 logit and the other name\u{2019}s, {rank}. (The logit is what decides which word comes next.)",
                number(-value, 2)
            )
        } else {
            format!("By itself head {head} adds {} to the difference between the right name\u{2019}s logit and the other\u{2019}s.", number(value, 2))
        }
    });
    let for_it: Vec<String> = heads.iter().take(3).map(with_value).collect();
    let against: Vec<String> = heads.iter().rev().take(2).map(with_value).collect();
    let all = format!(
        "Others speak for the name: the most {}. Against it, the most: {}. Together with the rest of the model that makes a difference of {}.",
        for_it.join(", "),
        against.join(" and "),
        difference(section)
    );
    let means = format!(
        "All numbers are means of {} of this kind; how far single prompts differ is recorded of the whole difference only.",
        counted(section.prompts.len(), "prompt", "prompts")
    );
    own.into_iter().chain([all, means]).collect()
}

/// Sentences about the predicted and the actual effect of the ablation, and the heads that change most. None where it
/// is not recorded.
pub fn ablation_words(section: &HeadEffectsSection) -> Option<String> {
    let without = section.without.as_ref()?;
    let direct = ranked(section, Effect::Direct);
    let own = direct.iter().find(|(head, _)| *head == without.head)?.1;
    let (before, after) = (f64::from(section.logit_difference), f64::from(without.logit_difference));
    Some(format!(
        "By itself {head} adds {own} to the difference of the two logits, so that without it {predicted} should be left of {before}. Recomputed with its output at the \
         last token set to 0 it is {after}: taking it out costs {cost}, as other heads write something else when {head} has written nothing. All are means of {count}; \
         their spread is not recorded.",
        head = without.head,
        own = number(f64::from(own), 2),
        predicted = number(before - f64::from(own), 2),
        before = number(before, 2),
        after = number(after, 2),
        cost = number(before - after, 2),
        count = counted(section.prompts.len(), "prompt", "prompts"),
    ))
}

/// A head whose direct effect changes when another is taken out.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed {
    /// The head.
    pub head: Head,
    /// The direct effect.
    pub before: f32,
    /// The same without the other head.
    pub after: f32,
}

/// The heads whose direct effects change most in the ablation, without the ablated head; the largest change first.
pub fn most_changed(section: &HeadEffectsSection) -> Vec<Changed> {
    let Some(without) = &section.without else {
        return Vec::new();
    };
    let before = Effect::Direct.by_head(section);
    let after = Effect::Without.by_head(section);
    let pairs = before.into_iter().zip(after);
    let mut changed: Vec<Changed> = pairs
        .filter(|((head, _), _)| *head != without.head)
        .map(|((head, before), (_, after))| Changed { head, before, after })
        .collect();
    let size = |changed: &Changed| (changed.after - changed.before).abs();
    sort_descending(&mut changed, size);
    changed.truncate(NAMED);
    changed
}

#[cfg(test)]
#[path = "steps_tests.rs"]
mod tests;
