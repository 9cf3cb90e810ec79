//! One score with the substituted vectors of the histograms, for a single sentence.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::position_pair::Pair;
use super::sentence::Sentence;
use super::substituted_section::{SampledToken, SubstitutedSection};
use crate::analysis::effective::EffectiveEmbeddings;
use crate::analysis::scores::HeadScores;
use crate::analysis::substitution::{AtPrompt, Drawn, OTHER, values_at};
use crate::analysis::{BatchValues, Sides};
use crate::error::{Error, ErrorKind, Result};
use crate::forward::{Model, Monitor, PrefixTree};
use crate::names::{Component, Head, Normalization, PositionName, SeriesId};
use crate::prompts::ioi::random::PythonRandom;
use crate::prompts::ioi::{Dataset, RANDOM_NAME};
use crate::prompts::{Prompt, RANDOM};

/// Size of the sample of random tokens.
const RANDOM_TOKENS: usize = 40;
/// Seed of the sample: a run over 40 own prompts with this seed draws the same tokens.
const SEED: u64 = 0;

/// A request to substitute vectors for the head's input.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubstitutionRequest {
    /// For heads of interest, the earlier head whose output is substituted. For other heads, it is the one that
    /// contributes most on the query side.
    #[serde(default)]
    pub earlier_heads: BTreeMap<Head, Head>,
}

impl SubstitutionRequest {
    /// The earlier head for `head`, if it is given and valid: in a layer before.
    pub(super) fn earlier_head(&self, head: Head) -> Option<Head> {
        let named = self.earlier_heads.get(&head).copied();
        named.filter(|earlier| earlier.layer < head.layer)
    }
}

/// The head that contributes most on the query side; `query_side` has the contribution of each component.
pub(super) fn largest_head(query_side: impl IntoIterator<Item = (Component, f32)>) -> Option<Head> {
    let heads = query_side.into_iter().filter_map(|(component, value)| match component {
        Component::Head(head) => Some((head, value)),
        _ => None,
    });
    let largest = heads.reduce(|best, other| if other.1 > best.1 { other } else { best });
    largest.map(|(head, _)| head)
}

/// The score of `pair` in `sentence` with substituted vectors as its head's input.
///
/// The vectors are those of a run over many prompts, and three samples on the query side: W_U of the other tokens of
/// the sentence up to `pair.dest` (without the first one if `is_bos`), of [`RANDOM_TOKENS`] random tokens, and of all
/// names of the IOI dataset that are a single token without a leading space.
///
/// # Errors
/// [`ErrorKind::Request`] for a head or positions that do not exist, read errors, and those of `monitor`.
pub(super) async fn substituted(
    model: &mut Model,
    sentence: &Sentence,
    pair: &Pair,
    ((earlier_head, normalization), is_bos): ((Option<Head>, Normalization), bool),
    monitor: &dyn Monitor,
) -> Result<SubstitutedSection> {
    pair.check(model)?;
    let (head, dest) = (pair.head, pair.dest);
    let prompt = Prompt {
        tokens: pair.tokens.clone(),
        positions: [(PositionName::Dest, dest), (PositionName::Src, pair.src)].into(),
        ..Prompt::default()
    };
    let drawn = samples(model, pair, is_bos)?;
    let src = prompt.src_token()?;
    let tokens: BTreeSet<u32> = drawn.values().flatten().copied().chain([src]).collect();
    model.load_embedding(&tokens, monitor).await?;
    let output = match earlier_head {
        Some(earlier) => Some((earlier, sentence.output(model, earlier, dest, monitor).await?)),
        None => None,
    };
    let effective = EffectiveEmbeddings::read(model, [src].into(), monitor).await?;
    let weights = model.head_weights(head, monitor).await?;
    let tree = PrefixTree::new([&pair.tokens[..=dest]]);
    let resid = sentence.resid_pre(model, head.layer, dest)?;
    let values = values_at(&AtPrompt {
        model,
        effective: &effective,
        scores: &HeadScores::new(&weights, &tree, &resid, 1)?,
        prompt: &prompt,
        index: 0,
        earlier_head: output.as_ref().map(|(earlier, output)| (*earlier, output.as_slice())),
        drawn: &drawn,
        normalization,
    })?;
    section(model, pair, (earlier_head, normalization, &drawn), values)
}

/// The section of `values`.
fn section(
    model: &Model,
    pair: &Pair,
    (earlier_head, normalization, drawn): (Option<Head>, Normalization, &Drawn<'_>),
    values: BatchValues,
) -> Result<SubstitutedSection> {
    let (Some(&true_score), Some(&true_prob)) = (values.true_score.first(), values.true_prob.first()) else {
        let cause = format!("the score of head {} is no finite number", pair.head);
        return Err(Error::new(ErrorKind::Request, cause).expected("weights whose scores fit single precision"));
    };
    let mut series = Sides::default();
    for (histogram, all) in values.series {
        for (id, values) in all {
            series.extend(histogram, id, &values);
        }
    }
    let tokenizer = model.tokenizer();
    let named = [
        (SeriesId::WuOther, OTHER),
        (SeriesId::WuRandom, RANDOM),
        (SeriesId::WuRandomName, RANDOM_NAME),
    ];
    let samples = named.into_iter().filter_map(|(id, what)| {
        let tokens = drawn.get(what).filter(|_| series.query.contains_key(&id))?;
        let named = tokens.iter().map(|&token| SampledToken {
            token,
            text: tokenizer.label(token),
        });
        Some((id, named.collect()))
    });
    Ok(SubstitutedSection {
        head: pair.head,
        dest: pair.dest,
        src: pair.src,
        earlier_head,
        normalization,
        samples: samples.collect(),
        series,
        true_score,
        true_prob,
        left_out: values.left_out,
        run: None,
    })
}

/// The tokens of each sample.
fn samples(model: &Model, pair: &Pair, is_bos: bool) -> Result<Drawn<'static>> {
    let src = pair.tokens.get(pair.src);
    let mut others = Vec::new();
    for token in pair.tokens.iter().take(pair.dest + 1).skip(usize::from(is_bos)) {
        if Some(token) != src && !others.contains(token) {
            others.push(*token);
        }
    }
    let tokenizer = model.tokenizer();
    let d_vocab = model.config().d_vocab.min(tokenizer.d_vocab());
    let mut random = PythonRandom::new(SEED);
    let below = u32::try_from(d_vocab).unwrap_or(u32::MAX);
    let tokens = (0..RANDOM_TOKENS).map(|_| random.below(below)).collect();
    let mut names = Vec::new();
    for name in Dataset::bundled()?.names {
        // Names that the tokenizer cannot encode have no token.
        if let Ok(&[token]) = tokenizer.encode(&name).as_deref()
            && (token as usize) < d_vocab
        {
            names.push(token);
        }
    }
    Ok([(OTHER, others), (RANDOM, tokens), (RANDOM_NAME, names)].into())
}
