//! The substituted vectors: the list behind the series of the histograms and of single sentences.
//!
//! A new vector is a line of [`VECTORS`], and a line in `names/series.rs` that names it.

use std::collections::BTreeMap;

use crate::analysis::effective::EffectiveEmbeddings;
use crate::analysis::scores::HeadScores;
use crate::error::{Error, ErrorKind, Result};
use crate::forward::Model;
use crate::names::{Head, Normalization, SeriesId, Side};
use crate::prompts::ioi::RANDOM_NAME;
use crate::prompts::{Prompt, RANDOM};

/// The purpose of the sample of a sentence's other tokens, in [`Drawn`].
pub(crate) const OTHER: &str = "other";

/// Random tokens by purpose: one per purpose in a run over many prompts, samples for a single sentence.
pub(crate) type Drawn<'a> = BTreeMap<&'a str, Vec<u32>>;

/// One prompt of a finished pass.
pub(crate) struct AtPrompt<'a> {
    pub(crate) model: &'a Model,
    pub(crate) effective: &'a EffectiveEmbeddings,
    pub(crate) scores: &'a HeadScores<'a>,
    pub(crate) prompt: &'a Prompt,
    /// Index of the prompt in `scores`.
    pub(crate) index: usize,
    /// An earlier head and its output at the destination, `[d_model]`; None where there is none.
    pub(crate) earlier_head: Option<(Head, &'a [f32])>,
    pub(crate) drawn: &'a Drawn<'a>,
    /// How vectors are normalized before they are substituted.
    pub(crate) normalization: Normalization,
}

/// The series, and its vectors, `[d_model]` each: one, or one for each sampled token. None where a prompt has no such
/// vector.
type Found = Result<Option<(SeriesId, Vec<Vec<f32>>)>>;

/// A vector that replaces the normalized residual stream.
pub(super) struct Substituted {
    /// Query: at the destination, as the query's input. Key: at the source, as the key's input.
    pub(super) side: Side,
    /// Computes the vectors of one prompt.
    pub(super) compute: fn(&AtPrompt<'_>) -> Found,
}

const fn query(compute: fn(&AtPrompt<'_>) -> Found) -> Substituted {
    Substituted {
        side: Side::Query,
        compute,
    }
}

const fn key(compute: fn(&AtPrompt<'_>) -> Found) -> Substituted {
    Substituted {
        side: Side::Key,
        compute,
    }
}

/// All vectors. Some exist only for prompts of the IOI dataset, which have a subject and a random name.
pub(super) const VECTORS: &[Substituted] = &[
    query(|at| at.w_u(at.of_ioi(SeriesId::WuIo), at.src_token())),
    query(|at| at.w_u(at.of_ioi(SeriesId::WuS), at.prompt.targets.b)),
    query(|at| at.w_u_drawn(SeriesId::WuRandomName, RANDOM_NAME)),
    query(|at| at.w_u(at.of_others(SeriesId::WuSrc), at.src_token())),
    query(|at| at.w_u_drawn(SeriesId::WuOther, OTHER)),
    query(|at| at.w_u_drawn(SeriesId::WuRandom, RANDOM)),
    query(|at| {
        let series = |(head, output): (Head, &[f32])| (SeriesId::EarlierHead(head), vec![output.to_vec()]);
        Ok(at.earlier_head.map(series))
    }),
    query(|at| at.resid_pre(at.prompt.dest()?)),
    // What the notebook calls W_E is a row of W_U.
    key(|at| at.w_u(at.of_ioi(SeriesId::WeIo), at.src_token())),
    key(|at| at.w_u(at.of_others(SeriesId::WuSrc), at.src_token())),
    key(|at| at.w_e(at.either(SeriesId::WeIoTrue, SeriesId::WeSrc))),
    key(|at| at.w_ee(at.either(SeriesId::WeeIo, SeriesId::WeeSrc))),
    key(|at| at.w_ee_sub_e(at.either(SeriesId::WeeSubEIo, SeriesId::WeeSubESrc))),
    key(|at| at.resid_pre(at.prompt.src()?)),
];

/// The vector of `series` on `side`, `[d_model]`. In prompts that are not of the IOI dataset, the corresponding vector.
///
/// # Errors
/// [`ErrorKind::Request`] for a prompt that has no such vector.
pub(crate) fn vector_of(at: &AtPrompt<'_>, side: Side, series: &SeriesId) -> Result<Vec<f32>> {
    let mut others = Vec::new();
    for vector in VECTORS.iter().filter(|vector| vector.side == side) {
        let Some((found, vectors)) = (vector.compute)(at)? else {
            continue;
        };
        let is_it = found == *series || !at.prompt.is_ioi() && found == series.of_any_prompt();
        match vectors.into_iter().next().filter(|_| is_it) {
            Some(vector) => return Ok(vector),
            None => others.push(found.to_string()),
        }
    }
    let cause = format!("there is no {series} for the {side} of \"{}\"", at.prompt.text);
    Err(Error::new(ErrorKind::Request, cause).expected(format!("one of {}", others.join(", "))))
}

impl AtPrompt<'_> {
    fn of_ioi(&self, series: SeriesId) -> Option<SeriesId> {
        self.prompt.is_ioi().then_some(series)
    }

    fn of_others(&self, series: SeriesId) -> Option<SeriesId> {
        (!self.prompt.is_ioi()).then_some(series)
    }

    fn either(&self, of_ioi: SeriesId, of_others: SeriesId) -> SeriesId {
        if self.prompt.is_ioi() { of_ioi } else { of_others }
    }

    fn src_token(&self) -> Option<u32> {
        self.prompt.src_token().ok()
    }

    /// The processed row of W_U of `token`.
    fn w_u(&self, series: Option<SeriesId>, token: Option<u32>) -> Found {
        let Some((series, token)) = series.zip(token) else {
            return Ok(None);
        };
        Ok(Some((series, vec![self.model.w_u(token)?])))
    }

    /// The same for each random token drawn for `what`.
    fn w_u_drawn(&self, series: SeriesId, what: &str) -> Found {
        let Some(tokens) = self.drawn.get(what).filter(|tokens| !tokens.is_empty()) else {
            return Ok(None);
        };
        let rows = tokens.iter().map(|&token| self.model.w_u(token));
        Ok(Some((series, rows.collect::<Result<_>>()?)))
    }

    /// The processed embedding of the source.
    fn w_e(&self, series: SeriesId) -> Found {
        Ok(Some((series, vec![self.model.w_e(self.prompt.src_token()?)?])))
    }

    /// The effective embedding of the source.
    fn w_ee(&self, series: SeriesId) -> Found {
        let (w_ee, _) = self.effective.of(self.prompt.src_token()?)?;
        Ok(Some((series, vec![w_ee])))
    }

    /// The output of layer 0's MLP in the effective embedding of the source.
    fn w_ee_sub_e(&self, series: SeriesId) -> Found {
        let (_, w_ee_sub_e) = self.effective.of(self.prompt.src_token()?)?;
        Ok(Some((series, vec![w_ee_sub_e])))
    }

    /// The residual stream itself.
    fn resid_pre(&self, position: usize) -> Found {
        let row = self.scores.tree.path(self.index)[position];
        Ok(Some((SeriesId::NoPatching, vec![self.scores.resid_at(row).to_vec()])))
    }
}
