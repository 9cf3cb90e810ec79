//! Contributions of the components of the residual stream at IO to the score END->IO.

use crate::attribution::scores::{HeadScores, LinearScore};
use crate::error::Result;
use crate::gpt2::{Config, Head, Model, Pass, PrefixTree, Request, Watcher};
use crate::ioi::Prompt;
use crate::result::Heatmap;

/// What each component at IO adds to the score END->IO, queries fixed, for every prompt of a batch.
///
/// A cell is `component / ln_scale . map` with `map = W_K q / sqrt(d_head)`. Row `misc` holds W_E,
/// W_pos and the part of the score that does not depend on the vector (`b_K . q / sqrt(d_head)`), then
/// zeros; the other rows are the layers before the destination head's, with a column for each head
/// (`z W_O`), one for the MLP and one for b_O. The cells of a prompt add up to its score.
#[derive(Debug, Clone, PartialEq)]
pub struct Contributions {
    /// Row names: `misc`, then the layers.
    pub rows: Vec<String>,
    /// Column names: `L.0`, ..., `MLP`, `b_O`.
    pub columns: Vec<String>,
    /// Cells, `[prompts, rows, columns]`.
    pub values: Vec<f32>,
    /// True score END->IO, `[prompts]`.
    pub true_score: Vec<f32>,
}

impl Contributions {
    /// The cells of prompt `prompt`, `[rows, columns]`.
    pub fn prompt(&self, prompt: usize) -> &[f32] {
        let cells = self.rows.len() * self.columns.len();
        &self.values[prompt * cells..][..cells]
    }

    /// Largest |sum of cells - true score| over the prompts.
    pub fn max_abs_residual(&self) -> f32 {
        let residual = |(prompt, &score): (usize, &f32)| {
            let sum: f64 = self.prompt(prompt).iter().map(|&v| f64::from(v)).sum();
            (sum - f64::from(score)).abs()
        };
        self.true_score.iter().enumerate().map(residual).fold(0.0, f64::max) as f32
    }

    /// Means over the prompts.
    pub fn heatmap(&self) -> Heatmap {
        let prompts = self.true_score.len() as f64;
        let mut total = vec![0f64; self.rows.len() * self.columns.len()];
        for prompt in 0..self.true_score.len() {
            for (total, &cell) in total.iter_mut().zip(self.prompt(prompt)) {
                *total += f64::from(cell);
            }
        }
        let mean_score: f64 = self.true_score.iter().map(|&score| f64::from(score)).sum::<f64>() / prompts;
        let means: Vec<f32> = total.iter().map(|total| (total / prompts) as f32).collect();
        Heatmap {
            rows: self.rows.clone(),
            columns: self.columns.clone(),
            values: means.chunks_exact(self.columns.len()).map(<[f32]>::to_vec).collect(),
            sum: (total.iter().sum::<f64>() / prompts) as f32,
            mean_score: mean_score as f32,
            max_abs_residual: Some(self.max_abs_residual()),
        }
    }

    /// From the scores of a pass whose request asked for the components at IO of `prompts`, in order.
    pub(crate) fn new(config: &Config, scores: &HeadScores<'_>, prompts: &[Prompt]) -> Self {
        let layers = scores.pass.captured.components.layers.len();
        let mut contributions = Self {
            rows: std::iter::once("misc".to_owned())
                .chain((0..layers).map(|layer| layer.to_string()))
                .collect(),
            columns: columns(config.n_head),
            values: Vec::with_capacity(prompts.len() * (1 + layers) * (config.n_head + 2)),
            true_score: Vec::with_capacity(prompts.len()),
        };
        for (index, prompt) in prompts.iter().enumerate() {
            let io = prompt.positions.io;
            let row = scores.pass.tree.path(index)[io];
            let map = LinearScore::new(scores.weights.map_with_query(scores.query(index)));
            let cells = cells(config, scores.pass, index, prompts.len(), &map, scores.ln_scale[row]);
            contributions.values.extend(cells);
            contributions
                .true_score
                .push(scores.weights.score(scores.query(index), scores.key(index, io)));
        }
        contributions
    }
}

/// Column names of a model of `n_head` heads.
fn columns(n_head: usize) -> Vec<String> {
    let heads = (0..n_head).map(|head| format!("L.{head}"));
    heads.chain(["MLP".to_owned(), "b_O".to_owned()]).collect()
}

/// The cells `[rows, columns]` of the prompt whose components are number `index` of `count`.
fn cells(config: &Config, pass: &Pass, index: usize, count: usize, map: &LinearScore, ln_scale: f32) -> Vec<f32> {
    let d = config.d_model;
    let components = &pass.captured.components;
    let cell = |vectors: &[f32], at: usize| map.contribution(&vectors[at * d..][..d], ln_scale);
    let mut cells = vec![cell(&components.w_e, index), cell(&components.w_pos, index), map.bias()];
    cells.resize(config.n_head + 2, 0.0);
    for layer in &components.layers {
        cells.extend((0..config.n_head).map(|head| cell(&layer.head_outputs, head * count + index)));
        cells.push(cell(&layer.mlp_out, index));
        cells.push(cell(&layer.b_o, 0));
    }
    cells
}

/// Contributions to the scores END->IO of `head` in `prompts`, prompt by prompt.
///
/// # Errors
/// [`crate::ErrorKind::Request`] where the head does not exist, [`crate::ErrorKind::Prompt`] where a
/// prompt does not fit the context, errors of reading, and `watcher`'s.
pub async fn contributions(
    model: &mut Model,
    prompts: &[Prompt],
    head: Head,
    watcher: &dyn Watcher,
) -> Result<Contributions> {
    head.check(model.config())?;
    let tree = tree_to_end(model, prompts)?;
    let components = (0..prompts.len())
        .map(|index| tree.path(index)[prompts[index].positions.io])
        .collect();
    let request = Request {
        components,
        ..Request::default()
    };
    let mut pass = Pass::new(tree, request);
    model.run(std::slice::from_mut(&mut pass), head.layer, watcher).await?;
    let weights = model.head_weights(head, watcher).await?;
    let scores = HeadScores::new(&weights, &pass, prompts.len())?;
    Ok(Contributions::new(model.config(), &scores, prompts))
}

/// The positions of `prompts` up to END.
pub(crate) fn tree_to_end(model: &Model, prompts: &[Prompt]) -> Result<PrefixTree> {
    prompts
        .iter()
        .try_for_each(|prompt| model.check_sequence(&prompt.tokens))?;
    Ok(PrefixTree::new(
        prompts.iter().map(|prompt| &prompt.tokens[..=prompt.positions.end]),
    ))
}

/// Queries, keys and scores of one head at every position of one sequence.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadAttention {
    /// Queries, `[pos, d_head]`.
    pub queries: Vec<f32>,
    /// Keys, `[pos, d_head]`.
    pub keys: Vec<f32>,
    /// Scores, a row per query: `scores[query][key]` with `key <= query`.
    pub scores: Vec<Vec<f32>>,
}

/// Queries, keys and scores of `head` at every position of `tokens`.
///
/// # Errors
/// As [`contributions`].
pub async fn head_attention(
    model: &mut Model,
    tokens: &[u32],
    head: Head,
    watcher: &dyn Watcher,
) -> Result<HeadAttention> {
    head.check(model.config())?;
    let resid = model.resid_pre(tokens, head.layer, watcher).await?;
    let weights = model.head_weights(head, watcher).await?;
    let (normalised, _) = weights.normalise(&resid);
    let (queries, keys) = (weights.queries(normalised.clone())?, weights.keys(normalised)?);
    let rows = |of: &[f32]| {
        of.chunks_exact(weights.d_head())
            .map(<[f32]>::to_vec)
            .collect::<Vec<_>>()
    };
    let key_rows = rows(&keys);
    let score_row = |(index, query): (usize, Vec<f32>)| {
        key_rows[..=index]
            .iter()
            .map(|key| weights.score(&query, key))
            .collect()
    };
    let scores = rows(&queries).into_iter().enumerate().map(score_row).collect();
    Ok(HeadAttention { queries, keys, scores })
}
