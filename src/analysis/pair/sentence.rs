//! A sentence that has gone through the model, kept for further questions.

use super::layer::{LayerSection, small_pattern};
use super::measures::{FirstPair, Measures, Sums, first_pair};
use crate::error::{Error, ErrorKind, Result};
use crate::forward::{Model, Monitor, Pass, PrefixTree, Request};
use crate::math;
use crate::names::Head;

/// A sentence that has gone through all layers of a model, with its queries and keys cached: the attention of any head
/// from any position is known without another pass.
pub struct Sentence {
    tokens: Vec<u32>,
    pub(super) pass: Pass,
}

impl Sentence {
    /// Takes `tokens` through `model`. The beginning that they share with the sentence `before` (of the same model) is
    /// not computed again.
    ///
    /// ```
    /// use futures::executor::block_on;
    /// use keyside::analysis::pair::Sentence;
    /// use keyside::checkpoint::FileSource;
    /// use keyside::forward::{Model, NoMonitor};
    /// use keyside::model::Processing;
    /// use keyside::names::Head;
    ///
    /// let source = Box::new(FileSource::new("tests/fixtures/tiny"));
    /// let mut model = block_on(Model::open(source, Processing::default()))?;
    /// let tokens = model.tokenizer().encode("The keys to the cabinet")?;
    /// let sentence = block_on(Sentence::read(&mut model, &tokens, None, &NoMonitor))?;
    /// let scores = sentence.scores(&model, Head::new(2, 1), tokens.len() - 1)?;
    /// assert_eq!(scores.len(), tokens.len());
    /// # Ok::<(), keyside::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Prompt`] for a sentence that is empty or does not fit the context, read errors, and those of `monitor`.
    pub async fn read(model: &mut Model, tokens: &[u32], before: Option<&Self>, monitor: &dyn Monitor) -> Result<Self> {
        model.check_sequence(tokens)?;
        let pass = match before {
            Some(before) => before.pass.continued(model.config(), tokens)?,
            None => {
                let request = Request {
                    keep_from: Some(0),
                    ..Request::default()
                };
                Pass::new(PrefixTree::new([tokens]), request)
            }
        };
        let mut passes = [pass];
        model.run(&mut passes, model.config().n_layer, monitor).await?;
        let [pass] = passes;
        Ok(Self {
            tokens: tokens.to_vec(),
            pass,
        })
    }

    /// The tokens, `[pos]`.
    pub fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    /// Scores of `head` from position `dest` to every position that it sees, `[dest + 1]`.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for a head or position that does not exist.
    pub fn scores(&self, model: &Model, head: Head, dest: usize) -> Result<Vec<f32>> {
        model.config().check_head(head)?;
        let row = self.row(dest)?;
        self.pass.scores(model.config(), (head.layer, head.head), row)
    }

    /// Log-probabilities of the token that comes after position `dest`, `[d_vocab]`.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for a position that does not exist, read errors, and those of `monitor`.
    pub async fn log_probs(&self, model: &Model, dest: usize, monitor: &dyn Monitor) -> Result<Vec<f32>> {
        let found = model.log_probs_at(&self.pass, &[self.row(dest)?], monitor).await?;
        Ok(found.into_iter().next().unwrap_or_default())
    }

    /// The position other than 0 to which `head` attends most from `dest`. Position 0 (where idle heads attend) if
    /// there is no other.
    ///
    /// # Errors
    /// As [`Sentence::scores`].
    pub fn most_attended(&self, model: &Model, head: Head, dest: usize) -> Result<usize> {
        let scores = self.scores(model, head, dest)?;
        let others = scores.iter().enumerate().skip(1);
        let best = others.fold(None, |best: Option<(usize, f32)>, (position, &score)| match best {
            Some((_, largest)) if score <= largest => best,
            _ => Some((position, score)),
        });
        Ok(best.map_or(0, |(position, _)| position))
    }

    /// `resid_pre` of `layer` at every position up to `dest`, `[dest + 1, d_model]`.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for a position that does not exist.
    pub(super) fn resid_pre(&self, model: &Model, layer: usize, dest: usize) -> Result<Vec<f32>> {
        self.row(dest)?;
        let rows = self.pass.tree.path(0).iter().take(dest + 1);
        let at = |&row| self.pass.resid_pre(model.config(), layer, row).iter().copied();
        Ok(rows.flat_map(at).collect())
    }

    /// The output of `head` at `dest`, `[d_model]`: its attention-weighted values times W_O, without b_O.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for a head or position that does not exist, and read errors.
    pub(super) async fn output(
        &self,
        model: &mut Model,
        head: Head,
        dest: usize,
        monitor: &dyn Monitor,
    ) -> Result<Vec<f32>> {
        let mut pattern = self.scores(model, head, dest)?;
        math::softmax(&mut pattern);
        let config = model.config();
        let d_head = config.d_head();
        let mut z = vec![0f64; d_head];
        for (share, &row) in pattern.iter().zip(self.pass.tree.path(0)) {
            let values = self.pass.values(config, head.layer, row);
            let of_head = values.iter().skip(head.head * d_head).take(d_head);
            z.iter_mut()
                .zip(of_head)
                .for_each(|(sum, &v)| *sum += f64::from(*share) * f64::from(v));
        }
        let written = model.written_by(head, &z, monitor).await?;
        Ok(written.into_iter().map(|v| v as f32).collect())
    }

    /// Statistics of every head over all positions of the sentence, from cached queries and keys.
    ///
    /// # Errors
    /// `monitor`'s.
    pub async fn measures(&self, model: &Model, monitor: &dyn Monitor) -> Result<Measures> {
        let (layers, heads) = (model.config().n_layer, model.config().n_head);
        let mut sums = Sums::default();
        for head in (0..layers).flat_map(|layer| (0..heads).map(move |head| Head::new(layer, head))) {
            monitor.yield_now().await?;
            sums.begin();
            for dest in 1..self.tokens.len() {
                let mut row = self.scores(model, head, dest)?;
                math::softmax(&mut row);
                sums.add(&row, &self.tokens);
            }
        }
        sums.measures(layers, heads)
    }

    /// The patterns of all heads of `layer`, from cached queries and keys.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for a layer that does not exist, and those of `monitor`.
    pub async fn layer(&self, model: &Model, layer: usize, monitor: &dyn Monitor) -> Result<LayerSection> {
        let count = self.tokens.len();
        let mut patterns = Vec::with_capacity(model.config().n_head);
        for head in (0..model.config().n_head).map(|head| Head::new(layer, head)) {
            monitor.yield_now().await?;
            let row = |dest: usize| {
                let mut row = self.scores(model, head, dest)?;
                math::softmax(&mut row);
                Ok(row)
            };
            patterns.push(small_pattern(count, row)?);
        }
        LayerSection::new(layer, count, &patterns)
    }

    /// The automatically chosen pair at `dest`, where `log_probs` are those of [`Sentence::log_probs`]: see
    /// [`super::survey`].
    ///
    /// # Errors
    /// As [`Sentence::log_probs`].
    pub async fn first_pair(
        &self,
        model: &mut Model,
        dest: usize,
        log_probs: &[f32],
        monitor: &dyn Monitor,
    ) -> Result<FirstPair> {
        let config = model.config().clone();
        let row = self.row(dest)?;
        let scale = self.final_scale(model, dest)?;
        let read = |layer: usize| {
            let (mut pattern, mut values) = (Vec::new(), Vec::new());
            for head in 0..config.n_head {
                let mut scores = self.pass.scores(&config, (layer, head), row)?;
                math::softmax(&mut scores);
                pattern.extend(scores);
            }
            for &row in &self.pass.tree.path(0)[..=dest] {
                values.extend_from_slice(self.pass.values(&config, layer, row));
            }
            Ok((pattern, values))
        };
        first_pair(model, read, (scale, log_probs), monitor).await
    }

    /// Probabilities of `head` from position `dest` to every position that it sees, `[dest + 1]`.
    ///
    /// # Errors
    /// As [`Sentence::scores`].
    pub fn probabilities(&self, model: &Model, head: Head, dest: usize) -> Result<Vec<f32>> {
        let mut row = self.scores(model, head, dest)?;
        math::softmax(&mut row);
        Ok(row)
    }

    /// The value of `head` at position `src`, `[d_head]`.
    ///
    /// # Errors
    /// As [`Sentence::scores`].
    pub fn value(&self, model: &Model, head: Head, src: usize) -> Result<&[f32]> {
        let config = model.config();
        config.check_head(head)?;
        let values = self.pass.values(config, head.layer, self.row(src)?);
        Ok(values.chunks_exact(config.d_head()).nth(head.head).unwrap_or_default())
    }

    /// The scale of the final LayerNorm at position `dest`, `sqrt(mean((x - mean)^2) + eps)`.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for a position that does not exist.
    pub fn final_scale(&self, model: &Model, dest: usize) -> Result<f32> {
        let scales = self.pass.final_scales(&[self.row(dest)?], model.config());
        Ok(scales.first().copied().unwrap_or(f32::NAN))
    }

    /// The residual stream at position `dest` before every layer and after the last one, `[n_layer + 1, d_model]`.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for a position that does not exist.
    pub fn stream(&self, model: &Model, dest: usize) -> Result<Vec<f32>> {
        let (row, config) = (self.row(dest)?, model.config());
        let layers = 0..=config.n_layer;
        Ok(layers
            .flat_map(|layer| self.pass.resid_pre(config, layer, row))
            .copied()
            .collect())
    }

    /// The pass, all of whose layers are cached.
    pub(super) fn pass(&self) -> &Pass {
        &self.pass
    }

    /// The row of `position` in the pass.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for a position that does not exist.
    pub(super) fn row(&self, position: usize) -> Result<usize> {
        let rows = self.pass.tree.path(0);
        rows.get(position).copied().ok_or_else(|| {
            let cause = format!("there is no position {position} in {} tokens", rows.len());
            Error::new(ErrorKind::Request, cause)
                .expected(format!("a position from 0 to {}", rows.len().saturating_sub(1)))
        })
    }
}
