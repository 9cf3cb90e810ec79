//! Direct effects: the contribution of every component to the difference of two tokens' logits, past all later layers.
//!
//! The final LayerNorm and W_U read the residual stream. With the scale of that LayerNorm frozen, a logit is a linear
//! map of the residual stream, so that it is a sum over all components of all layers, and b_U.

use std::collections::BTreeSet;

use super::sentence::Sentence;
use super::targets::Between;
use crate::error::Result;
use crate::forward::{Edit, Model, Monitor, Request, Tap, Variant};
use crate::math;
use crate::names::{BlockHook, Component, Head, HookPoint};

/// The components of the residual stream at one position, after all layers.
pub struct Written {
    /// The components: embeddings, then heads, MLP and output bias of each layer.
    pub components: Vec<Component>,
    /// The vector that each component writes, `[components][d_model]`.
    pub vectors: Vec<Vec<f32>>,
    /// The scale of the final LayerNorm at the position, `sqrt(mean((x - mean)^2) + eps)`.
    pub final_scale: f32,
}

/// Contributions to `logit(a) - logit(b)`.
#[derive(Debug, Clone, PartialEq)]
pub struct DirectEffects {
    /// Per component, `c_m / sigma_f . (W_U[a] - W_U[b])`, `[components]`.
    pub of_components: Vec<f32>,
    /// `b_U[a] - b_U[b]`.
    pub of_bias: f32,
}

impl Sentence {
    /// The vectors written at position `dest` by each component. Only this position goes through `model` again.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Request`] for a position that does not exist, read errors, and those of `monitor`.
    pub async fn written(&self, model: &mut Model, dest: usize, monitor: &dyn Monitor) -> Result<Written> {
        let (layers, n_head) = (model.config().n_layer, model.config().n_head);
        let vectors = self.written_before(model, layers, &[dest], monitor).await?;
        Ok(Written {
            components: Component::before(layers, n_head).collect(),
            vectors: vectors.into_iter().next().unwrap_or_default(),
            final_scale: self.final_scale(model, dest)?,
        })
    }

    /// The vectors written by embeddings and the components of the first `layers` layers at each of `positions`,
    /// `[positions][components][d_model]`. Only these positions go through `layers` layers of `model` again, in one
    /// pass.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Request`] for a position that does not exist, read errors, and those of `monitor`.
    pub(super) async fn written_before(
        &self,
        model: &mut Model,
        layers: usize,
        positions: &[usize],
        monitor: &dyn Monitor,
    ) -> Result<Vec<Vec<Vec<f32>>>> {
        let config = model.config().clone();
        let again = |&position: &usize| {
            // Replacing the first layer's input by itself: an edit that changes nothing, but makes the position be
            // recomputed.
            let stream = self.pass.resid_pre(&config, 0, self.row(position)?);
            let edit = Edit {
                point: HookPoint::block(0, BlockHook::ResidPre),
                head: None,
                position,
                value: stream.to_vec(),
            };
            Ok(Variant {
                edits: vec![edit],
                until: Some(position),
                ..Variant::default()
            })
        };
        let variants: Vec<Variant> = positions.iter().map(again).collect::<Result<_>>()?;
        let mut pass = self.pass.edited(&config, &variants)?;
        let of_variant = |(variant, &position): (usize, &usize)| pass.tree.path(variant)[position];
        let rows: Vec<usize> = positions.iter().enumerate().map(of_variant).collect();
        let hooks = [BlockHook::Result, BlockHook::MlpOut];
        let points = (0..layers).flat_map(|layer| hooks.map(|hook| HookPoint::block(layer, hook)));
        pass.request = Request {
            taps: points.map(|point| Tap::new(point, rows.clone())).collect(),
            other_tokens: positions.iter().map(|&position| self.tokens()[position]).collect(),
            ..Request::default()
        };
        let mut passes = [pass];
        model.run(&mut passes, layers, monitor).await?;
        let mut written = Vec::with_capacity(positions.len());
        for (index, &position) in positions.iter().enumerate() {
            let mut vectors = vec![model.w_e(self.tokens()[position])?, model.w_pos(position)?];
            for (layer, captured) in passes[0].captured.chunks_exact(hooks.len()).enumerate() {
                let [of_heads, of_mlp] = [captured[0].row(index), captured[1].row(index)];
                vectors.extend(of_heads.chunks_exact(config.d_model).map(<[f32]>::to_vec));
                vectors.push(of_mlp.to_vec());
                vectors.push(model.b_o(layer)?.to_vec());
            }
            written.push(vectors);
        }
        Ok(written)
    }

    /// The direct effect of `head` on `logit(a) - logit(b)` after position `dest`, by source token: `pattern[dest, j]
    /// v_j W_O / sigma_f . (W_U[a] - W_U[b])`, `[dest + 1]`. They sum to the head's direct effect.
    ///
    /// # Errors
    /// As [`Written::direct_effects`], and [`crate::ErrorKind::Request`] for a head or position that does not exist.
    pub async fn direct_effect_by_source(
        &self,
        model: &mut Model,
        (head, dest): (Head, usize),
        targets: Between,
        monitor: &dyn Monitor,
    ) -> Result<Vec<f32>> {
        let row = self.probabilities(model, head, dest)?;
        let scale = f64::from(self.final_scale(model, dest)?);
        let (direction, _) = direction(model, targets, monitor).await?;
        let of_layer = model.through_w_o(head.layer, &direction, monitor).await?;
        let width = model.config().d_head();
        let of_head = &of_layer[head.head * width..][..width];
        let by_source = row.iter().enumerate().map(|(source, &probability)| {
            let value = self.value(model, head, source)?;
            Ok((f64::from(probability) * math::dot_wide(of_head, value) / scale) as f32)
        });
        by_source.collect()
    }
}

impl Written {
    /// Direct effects of all components on `logit(a) - logit(b)`. Together with the bias they sum to the difference.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Request`] for tokens that do not exist, read errors.
    pub async fn direct_effects(
        &self,
        model: &mut Model,
        targets: Between,
        monitor: &dyn Monitor,
    ) -> Result<DirectEffects> {
        let (direction, of_bias) = direction(model, targets, monitor).await?;
        let scale = f64::from(self.final_scale);
        let effect = |vector: &Vec<f32>| (math::dot_wide(&direction, vector) / scale) as f32;
        Ok(DirectEffects {
            of_components: self.vectors.iter().map(effect).collect(),
            of_bias: of_bias as f32,
        })
    }
}

/// How much a unit of each number of the final normalized residual stream adds to `logit(a) - logit(b)`, `[d_model]`,
/// and how much ln_f's bias adds. The same under every weight processing.
pub(super) async fn direction(model: &mut Model, targets: Between, monitor: &dyn Monitor) -> Result<(Vec<f64>, f64)> {
    targets.check(model.config())?;
    let Between { a, b } = targets;
    model.load_embedding(&BTreeSet::from([a, b]), monitor).await?;
    let (mut direction, of_b) = (model.logit_direction(a)?, model.logit_direction(b)?);
    direction.iter_mut().zip(&of_b).for_each(|(v, of_b)| *v -= of_b);
    Ok((direction, model.logit_bias(a)? - model.logit_bias(b)?))
}
