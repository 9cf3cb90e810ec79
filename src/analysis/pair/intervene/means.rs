//! Means of activations over the prompts of a run.

use std::collections::BTreeMap;

use crate::error::{Error, ErrorKind, Result};
use crate::forward::{Model, Monitor, Pass, PrefixTree, Request, Tap};
use crate::names::{HookPoint, Side};
use crate::prompts::Prompt;

/// Number of prompts that go through the model at a time.
const PROMPTS_AT_A_TIME: usize = 64;

/// The positions over which a mean is taken.
pub(super) enum MeanPositions {
    /// At each prompt's own destination (query side) or source (key side).
    OfSide(Side),
    /// At the same positions of all prompts.
    At(Vec<usize>),
}

/// The mean over `run` of the activation at `point`, of one head where it belongs to heads, for each position of
/// `at`.
///
/// # Errors
/// [`ErrorKind::Request`] for less than two prompts and for a prompt without a position, read errors, and those of
/// `monitor`.
pub(super) async fn means(
    model: &mut Model,
    run: &[Prompt],
    (point, head): (HookPoint, Option<usize>),
    at: &MeanPositions,
    monitor: &dyn Monitor,
) -> Result<Vec<Vec<f32>>> {
    let layers = match point {
        HookPoint::Block { layer, .. } => layer + 1,
        HookPoint::LnFinalScale => model.config().n_layer,
    };
    if run.len() < 2 {
        let cause = format!("there is no mean over {} of a run's prompts", run.len());
        return Err(Error::new(ErrorKind::Request, cause)
            .expected("two prompts at least")
            .advice("Run several prompts first, or set the activation to zero."));
    }
    let mut totals: Vec<Vec<f64>> = Vec::new();
    for prompts in run.chunks(PROMPTS_AT_A_TIME) {
        let positions: Vec<Vec<usize>> = prompts
            .iter()
            .map(|prompt| positions(model, prompt, at))
            .collect::<Result<_>>()?;
        let tree = PrefixTree::new(prompts.iter().map(|prompt| &prompt.tokens[..]));
        let rows = positions.iter().enumerate();
        let rows = rows.flat_map(|(index, positions)| positions.iter().map(move |&position| (index, position)));
        let rows = rows.map(|(index, position)| tree.path(index)[position]).collect();
        let mut tap = Tap::new(point, rows);
        tap.heads = head.into_iter().collect();
        let mut passes = [Pass::new(tree, Request::of(vec![tap]))];
        model.run(&mut passes, layers, monitor).await?;
        let each = positions.first().map_or(0, Vec::len);
        totals.resize(each, Vec::new());
        for index in 0..prompts.len() * each {
            let (row, total) = (passes[0].captured[0].row(index), &mut totals[index % each]);
            total.resize(row.len(), 0.0);
            total.iter_mut().zip(row).for_each(|(total, &v)| *total += f64::from(v));
        }
    }
    let count = run.len() as f64;
    let mean = |total: Vec<f64>| total.into_iter().map(|total| (total / count) as f32).collect();
    Ok(totals.into_iter().map(mean).collect())
}

/// Cache of the means of one activation over a run's prompts, by position.
#[derive(Default)]
pub(super) struct Means {
    at_side: Option<Vec<Vec<f32>>>,
    at_positions: BTreeMap<Vec<usize>, Vec<Vec<f32>>>,
}

impl Means {
    /// The mean over `batches` of the activation at `point` (always the same one) at `at`.
    ///
    /// # Errors
    /// Those of [`means`].
    pub(super) async fn at(
        &mut self,
        model: &mut Model,
        batches: &[Vec<Prompt>],
        activation: (HookPoint, Option<usize>),
        at: MeanPositions,
        monitor: &dyn Monitor,
    ) -> Result<Vec<Vec<f32>>> {
        let known = match &at {
            MeanPositions::OfSide(_) => self.at_side.as_ref(),
            MeanPositions::At(positions) => self.at_positions.get(positions),
        };
        if let Some(known) = known {
            return Ok(known.clone());
        }
        let run: Vec<Prompt> = batches.iter().flatten().cloned().collect();
        let found = means(model, &run, activation, &at, monitor).await?;
        match at {
            MeanPositions::OfSide(_) => self.at_side = Some(found.clone()),
            MeanPositions::At(positions) => _ = self.at_positions.insert(positions, found.clone()),
        }
        Ok(found)
    }
}

/// The requested positions of `prompt`. An error if it does not have them.
fn positions(model: &Model, prompt: &Prompt, at: &MeanPositions) -> Result<Vec<usize>> {
    model.check_sequence(&prompt.tokens)?;
    let positions = match at {
        MeanPositions::At(positions) => positions.clone(),
        MeanPositions::OfSide(Side::Query) => vec![prompt.dest()?],
        MeanPositions::OfSide(Side::Key) => vec![prompt.src()?],
    };
    let Some(&position) = positions.iter().find(|position| **position >= prompt.tokens.len()) else {
        return Ok(positions);
    };
    let cause = format!(
        "a mean at position {position} can't be taken over a prompt of {} tokens: {:?}",
        prompt.tokens.len(),
        prompt.text
    );
    Err(Error::new(ErrorKind::Request, cause)
        .expected("prompts that all have the position")
        .advice("Choose the positions of the pair alone, or prompts of one length."))
}
