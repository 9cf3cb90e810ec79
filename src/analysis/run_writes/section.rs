//! What the head writes over the prompts, as a section of a result.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::gathered::{Attended, Gathered};
use super::tally::{PREDICTED, PromptTokens, Tally};
use crate::analysis::pair::Between;
use crate::analysis::{Array, SectionType};
use crate::error::{Error, ErrorKind, Result};
use crate::forward::Model;
use crate::model::Config;
use crate::names::Head;

/// What one head writes at the destination in all prompts of a run. Effects on logits are relative to their mean over
/// the vocabulary, on the direct path, with the scale of the final LayerNorm frozen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunWritesSection {
    /// The head.
    pub head: Head,
    /// Size of the vocabulary that ranks refer to.
    pub vocabulary: usize,
    /// The attention from dest to src, `[prompts]`.
    pub attention: Array,
    /// Effect of a unit of attention to the source on the logit of the source token, `[prompts]`: positive means
    /// copying, negative means suppression.
    pub source: Array,
    /// Rank of that effect among all tokens, `[prompts]`; 1 is the most raised token.
    pub rank: Vec<usize>,
    /// As a control: mean effect on the other tokens of the prompt, `[prompts]`. None in a prompt without other tokens.
    pub others: Vec<Option<f32>>,
    /// The first target, `[prompts]`: the prompt's, or the most likely next token that is not the other target.
    pub a: Vec<u32>,
    /// The second target, `[prompts]`.
    pub b: Vec<u32>,
    /// The head's direct effect on `logit(a) - logit(b)`, `[prompts]`.
    pub direct_effect: Array,
    /// The token that the head suppresses most with its whole output, `[prompts]`.
    pub suppressed: Vec<u32>,
    /// The effect on that token's logit, `[prompts]`.
    pub lowest: Array,
    /// The ten most likely tokens according to the logit lens at the input of the head's layer, `[prompts]`, most
    /// likely first.
    pub predicted: Vec<Vec<u32>>,
    /// The token with the most attention of the head, without position 0, `[prompts]`; None where it sees no other
    /// position.
    pub attended: Vec<Option<u32>>,
    /// The one with the most attention among different tokens, `[prompts]`.
    pub second: Vec<Option<u32>>,
    /// Probabilities for a random other token of the prompt, `[prompts]`; None where there is none.
    pub random: Vec<Option<Chances>>,
    /// The texts of all tokens above.
    pub texts: BTreeMap<u32, String>,
}

/// Properties of a token in a prompt: 1 or 0, or probabilities for a random token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Chances {
    /// It is the most suppressed token.
    pub suppressed: f32,
    /// It is among the predicted tokens.
    pub predicted: f32,
    /// Both.
    pub both: f32,
}

impl Chances {
    fn of(tokens: &[u32], suppressed: u32, predicted: &[u32]) -> Option<Self> {
        let share = |is: &dyn Fn(&u32) -> bool| {
            let found = tokens.iter().filter(|token| is(token)).count();
            found as f32 / tokens.len() as f32
        };
        (!tokens.is_empty()).then(|| Self {
            suppressed: share(&|token| *token == suppressed),
            predicted: share(&|token| predicted.contains(token)),
            both: share(&|token| *token == suppressed && predicted.contains(token)),
        })
    }
}

/// The section of `head`, after `tally` has seen all of W_U.
pub(super) fn found(
    head: Head,
    prompts: &[Gathered],
    asked: &[PromptTokens],
    tally: Tally<'_>,
    model: &Model,
) -> Result<RunWritesSection> {
    let config = model.config();
    let mut section = RunWritesSection {
        head,
        vocabulary: config.d_vocab,
        attention: Array::vector(prompts.iter().map(|prompt| prompt.attention).collect()),
        source: Array::vector(asked.iter().map(|asked| asked.own.1).collect()),
        rank: tally.found.iter().map(|found| found.above + 1).collect(),
        others: asked.iter().map(|asked| asked.others).collect(),
        a: Vec::new(),
        b: Vec::new(),
        direct_effect: Array::vector(Vec::new()),
        suppressed: Vec::new(),
        lowest: Array::vector(Vec::new()),
        predicted: Vec::new(),
        attended: Vec::new(),
        second: Vec::new(),
        random: Vec::new(),
        texts: BTreeMap::new(),
    };
    for (prompt, found) in prompts.iter().zip(&tally.found) {
        let Between { a, b } = Between::among(prompt.targets, found.likeliest(), config)?;
        let added = |token| found.added_to(token, prompt.targets).unwrap_or(f32::NAN);
        section.a.push(a);
        section.b.push(b);
        section.direct_effect.extend([added(a) - added(b)]);
        let (suppressed, lowest) = found.lowest.unwrap_or((0, f32::NAN));
        section.suppressed.push(suppressed);
        section.lowest.extend([lowest]);
        let Attended { first, second, others } = &prompt.attended;
        let predicted = found.predicted();
        section.random.push(Chances::of(others, suppressed, &predicted));
        section.attended.push(*first);
        section.second.push(*second);
        let named = [a, b, suppressed].into_iter().chain(*first).chain(*second);
        for token in named.chain(predicted.iter().copied()) {
            let label = || model.tokenizer().label(token);
            section.texts.entry(token).or_insert_with(label);
        }
        section.predicted.push(predicted);
    }
    Ok(section)
}

impl RunWritesSection {
    /// Properties of the most attended token in prompt number `prompt`; None if there is none.
    pub fn of_attended(&self, prompt: usize) -> Option<Chances> {
        self.of_token(prompt, *self.attended.get(prompt)?)
    }

    /// Properties of the most attended token among different ones.
    pub fn of_second(&self, prompt: usize) -> Option<Chances> {
        self.of_token(prompt, *self.second.get(prompt)?)
    }

    /// Mean properties of a random other token.
    pub fn of_random(&self, prompt: usize) -> Option<Chances> {
        *self.random.get(prompt)?
    }

    fn of_token(&self, prompt: usize, token: Option<u32>) -> Option<Chances> {
        Chances::of(&[token?], *self.suppressed.get(prompt)?, self.predicted.get(prompt)?)
    }

    /// The text of `token`, if it is mentioned in the section.
    pub fn text(&self, token: u32) -> &str {
        self.texts.get(&token).map_or("", String::as_str)
    }
}

impl SectionType for RunWritesSection {
    fn head(&self) -> Option<Head> {
        Some(self.head)
    }

    fn prompt_count(&self) -> Option<usize> {
        Some(self.rank.len())
    }

    fn check(&self, config: &Config, prompts: usize) -> Result<()> {
        config.check_head(self.head)?;
        for (name, array) in [
            ("attention", &self.attention),
            ("source", &self.source),
            ("direct_effect", &self.direct_effect),
            ("lowest", &self.lowest),
        ] {
            array.check(&format!("run_writes: {name}"), &[prompts])?;
        }
        let counts = [
            self.rank.len(),
            self.others.len(),
            self.a.len(),
            self.b.len(),
            self.suppressed.len(),
            self.predicted.len(),
            self.attended.len(),
            self.second.len(),
            self.random.len(),
        ];
        let numbers =
            |chances: Option<Chances>| chances.map(|shares| [shares.suppressed, shares.predicted, shares.both]);
        let shares = self.random.iter().filter_map(|chances| numbers(*chances)).flatten();
        let is_share = |share: f32| (0.0..=1.0).contains(&share);
        let wrong = if let Some(count) = counts.into_iter().find(|count| *count != prompts) {
            Some((
                format!("there are values of {count} prompts"),
                format!("{prompts}, the run's"),
            ))
        } else if let Some(rank) = self.rank.iter().find(|rank| !(1..=self.vocabulary).contains(*rank)) {
            Some((
                format!("a rank is {rank}"),
                format!("a rank from 1 to {}", self.vocabulary),
            ))
        } else if !self.others.iter().flatten().all(|value| value.is_finite()) {
            Some(("a value of other tokens is not finite".into(), "finite numbers".into()))
        } else if self.predicted.iter().any(|tokens| tokens.len() > PREDICTED) {
            Some(("too many tokens are predicted".into(), format!("at most {PREDICTED}")))
        } else if !shares.into_iter().all(is_share) {
            Some(("a chance is not one".into(), "numbers from 0 to 1".into()))
        } else {
            None
        };
        match wrong {
            None => Ok(()),
            Some((cause, expected)) => {
                Err(Error::new(ErrorKind::ResultFile, format!("run_writes: {cause}")).expected(expected))
            }
        }
    }
}
