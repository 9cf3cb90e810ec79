//! The vectors that are put in place of what the head reads: one list, over which the histograms' series are made.
//!
//! A new one is a line of [`VECTORS`] and a line in `names/series.rs`, which names it.

use crate::analysis::effective::EffectiveEmbeddings;
use crate::analysis::scores::HeadScores;
use crate::error::Result;
use crate::forward::{Captured, Model};
use crate::names::{Head, SeriesId, Side};
use crate::prompts::ioi::RANDOM_NAME;
use crate::prompts::{Prompt, RANDOM};

/// One prompt of a finished pass.
pub(super) struct AtPrompt<'a> {
    pub(super) model: &'a Model,
    pub(super) effective: &'a EffectiveEmbeddings,
    /// What the batch's taps have captured.
    pub(super) captured: &'a [Captured],
    pub(super) scores: &'a HeadScores<'a>,
    pub(super) prompt: &'a Prompt,
    /// Its number in the batch.
    pub(super) index: usize,
    pub(super) earlier_head: Head,
}

/// A vector, `[d_model]`, and the series that it gives; None where a prompt has no such vector.
type Found = Result<Option<(SeriesId, Vec<f32>)>>;

/// A vector that is put in place of the normalised residual stream.
pub(super) struct Substituted {
    /// At the destination in place of what the query is made from, or at the source of what the key is made from.
    pub(super) side: Side,
    /// The vector of one prompt.
    pub(super) of: fn(&AtPrompt<'_>) -> Found,
}

const fn query(of: fn(&AtPrompt<'_>) -> Found) -> Substituted {
    Substituted { side: Side::Query, of }
}

const fn key(of: fn(&AtPrompt<'_>) -> Found) -> Substituted {
    Substituted { side: Side::Key, of }
}

/// All of them. What makes no sense for a prompt is left out: only prompts of the IOI dataset have a subject and a random name.
pub(super) const VECTORS: &[Substituted] = &[
    query(|at| at.w_u(at.of_ioi(SeriesId::WuIo), at.src_token())),
    query(|at| at.w_u(at.of_ioi(SeriesId::WuS), at.prompt.targets.b)),
    query(|at| at.w_u(at.of_ioi(SeriesId::WuRandomName), at.drawn(RANDOM_NAME))),
    query(|at| at.w_u(at.of_others(SeriesId::WuSrc), at.src_token())),
    query(|at| at.w_u(Some(SeriesId::WuRandom), at.drawn(RANDOM))),
    query(|at| {
        let output = at.captured[EARLIER_HEAD].row(at.index).to_vec();
        Ok(Some((SeriesId::EarlierHead(at.earlier_head), output)))
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

/// Which of the taps is the earlier head's output at the destination.
const EARLIER_HEAD: usize = 0;

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

    fn drawn(&self, what: &str) -> Option<u32> {
        self.prompt.drawn.get(what).copied()
    }

    /// The processed row of W_U of `token`.
    fn w_u(&self, series: Option<SeriesId>, token: Option<u32>) -> Found {
        let Some((series, token)) = series.zip(token) else {
            return Ok(None);
        };
        Ok(Some((series, self.model.w_u(token)?)))
    }

    /// The processed embedding of the source.
    fn w_e(&self, series: SeriesId) -> Found {
        Ok(Some((series, self.model.w_e(self.prompt.src_token()?)?)))
    }

    /// The source after layer 0 alone.
    fn w_ee(&self, series: SeriesId) -> Found {
        let (w_ee, _) = self.effective.of(self.prompt.src_token()?)?;
        Ok(Some((series, w_ee)))
    }

    /// What layer 0's MLP writes for the source alone.
    fn w_ee_sub_e(&self, series: SeriesId) -> Found {
        let (_, w_ee_sub_e) = self.effective.of(self.prompt.src_token()?)?;
        Ok(Some((series, w_ee_sub_e)))
    }

    /// The residual stream itself.
    fn resid_pre(&self, position: usize) -> Found {
        let row = self.scores.tree.path(self.index)[position];
        Ok(Some((SeriesId::NoPatching, self.scores.resid_at(row).to_vec())))
    }
}
