//! The causal map as a section of a result.

use serde::{Deserialize, Serialize};

use crate::analysis::SectionType;
use crate::analysis::pair::LabeledToken;
use crate::analysis::pair::check::{check_finite, check_positions, check_targets};
use crate::error::{Error, ErrorKind, Result};
use crate::math::sort_descending;
use crate::model::Config;
use crate::names::{Component, Head, Measure, Side};

/// Number of cells that [`Agreement::worst`] lists.
const WORST: usize = 5;

/// The effect on a pair of positions of removing each component of either side, one at a time: recomputed to the end of
/// the model, and as linearly predicted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CausalSection {
    /// The head of the pair.
    pub head: Head,
    /// The query position.
    pub dest: usize,
    /// The key position.
    pub src: usize,
    /// The first token of the logit difference.
    pub a: LabeledToken,
    /// The second token.
    pub b: LabeledToken,
    /// Score of the head from `dest` to `src` without removals.
    pub score: f32,
    /// Attention from `dest` to `src` without removals.
    pub attention: f32,
    /// Logit of `a` minus that of `b` after `dest` without removals.
    pub logit_difference: f32,
    /// The components of the stream before the head.
    pub components: Vec<Component>,
    /// Removals from the query's input at `dest`.
    pub query: CausalSide,
    /// Removals from the key's input at `src`.
    pub key: CausalSide,
}

/// One side of a [`CausalSection`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CausalSide {
    /// Predictions for all components.
    pub predicted: Changes,
    /// Recomputed values, for the first components while others are being computed.
    pub recomputed: Changes,
}

/// The changes caused by removing each component: after minus before.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Changes {
    /// Change of the score.
    pub score: Vec<f32>,
    /// Change of the logarithm of the attention.
    pub ln_attention: Vec<f32>,
    /// Change of the logit difference.
    pub logit_difference: Vec<f32>,
}

/// Agreement between the recomputed and the predicted map.
#[derive(Debug, Clone, PartialEq)]
pub struct Agreement {
    /// Number of recomputed cells of both sides.
    pub cells: usize,
    /// Pearson's correlation over them; None where one of the maps is constant.
    pub correlation: Option<f64>,
    /// The five cells with the largest differences, in descending order.
    pub worst: Vec<CausalCell>,
}

/// One cell of a causal map.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CausalCell {
    /// The side that the component is removed from.
    pub side: Side,
    /// The component.
    pub component: Component,
    /// Recomputed change.
    pub recomputed: f32,
    /// Predicted change.
    pub predicted: f32,
}

impl Changes {
    /// The changes of one measure.
    pub fn of(&self, measure: Measure) -> &[f32] {
        match measure {
            Measure::Score => &self.score,
            Measure::LnAttention => &self.ln_attention,
            Measure::LogitDifference => &self.logit_difference,
        }
    }

    /// Appends the changes of the next component, in the order of [`Measure::ALL`].
    pub(super) fn push(&mut self, [score, ln_attention, logit_difference]: [f64; 3]) {
        self.score.push(score as f32);
        self.ln_attention.push(ln_attention as f32);
        self.logit_difference.push(logit_difference as f32);
    }

    /// Checks that all measures have the same number of finite values: `count` where it is known, at most `most`.
    fn check(&self, what: &str, count: Option<usize>, most: usize) -> Result<()> {
        let expected = count.unwrap_or(self.score.len()).min(most);
        for measure in Measure::ALL {
            let values = self.of(measure);
            if values.len() != expected {
                let cause = format!("causal: {what} {measure} has {} numbers", values.len());
                return Err(Error::new(ErrorKind::ResultFile, cause).expected(format!("{expected}, one a component")));
            }
            check_finite(&format!("causal: {what} {measure}"), values.iter().copied())?;
        }
        Ok(())
    }
}

impl CausalSection {
    /// One side.
    pub fn side(&self, side: Side) -> &CausalSide {
        match side {
            Side::Query => &self.query,
            Side::Key => &self.key,
        }
    }

    pub(super) fn side_mut(&mut self, side: Side) -> &mut CausalSide {
        match side {
            Side::Query => &mut self.query,
            Side::Key => &mut self.key,
        }
    }

    /// Whether all components have been recomputed.
    pub fn is_whole(&self) -> bool {
        let whole = |side| self.side(side).recomputed.score.len() == self.components.len();
        Side::ALL.into_iter().all(whole)
    }

    /// The recomputed cells, query side first, in the order of the components.
    pub fn cells(&self, measure: Measure) -> Vec<CausalCell> {
        let of_side = |side: Side| {
            let CausalSide { predicted, recomputed } = self.side(side);
            let values = recomputed.of(measure).iter().zip(predicted.of(measure));
            let cells = self.components.iter().zip(values);
            cells.map(move |(&component, (&recomputed, &predicted))| CausalCell {
                side,
                component,
                recomputed,
                predicted,
            })
        };
        Side::ALL.into_iter().flat_map(of_side).collect()
    }

    /// Agreement between the recomputed and the predicted changes of `measure`.
    pub fn agreement(&self, measure: Measure) -> Agreement {
        let mut worst = self.cells(measure);
        let cells = worst.len();
        let correlation = correlation(&worst);
        let difference = |cell: &CausalCell| (cell.recomputed - cell.predicted).abs();
        sort_descending(&mut worst, difference);
        worst.truncate(WORST);
        Agreement {
            cells,
            correlation,
            worst,
        }
    }
}

/// Pearson's correlation of recomputed and predicted changes: `cov(x, y) / sqrt(var(x) var(y))`.
fn correlation(cells: &[CausalCell]) -> Option<f64> {
    let count = cells.len() as f64;
    let values = |value: fn(&CausalCell) -> f32| -> Vec<f64> {
        let values: Vec<f64> = cells.iter().map(|cell| f64::from(value(cell))).collect();
        let mean = values.iter().sum::<f64>() / count;
        values.into_iter().map(|value| value - mean).collect()
    };
    let (x, y) = (values(|cell| cell.recomputed), values(|cell| cell.predicted));
    let product = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    let size = (product(&x, &x) * product(&y, &y)).sqrt();
    (size > 0.0).then(|| product(&x, &y) / size)
}

impl SectionType for CausalSection {
    fn head(&self) -> Option<Head> {
        Some(self.head)
    }

    fn check(&self, config: &Config, _prompts: usize) -> Result<()> {
        config.check_head(self.head).map_err(Error::into_result_file_error)?;
        check_positions(self.dest, self.src, None)?;
        check_targets(&self.a, &self.b, config)?;
        if !Component::before(self.head.layer, config.n_head).eq(self.components.iter().copied()) {
            let cause = format!("causal: the components are not those before head {}", self.head);
            return Err(Error::new(ErrorKind::ResultFile, cause)
                .expected("embeddings, then heads, MLP and output bias of each layer"));
        }
        check_finite("causal: a number", [self.score, self.attention, self.logit_difference])?;
        let count = self.components.len();
        for side in Side::ALL {
            let CausalSide { predicted, recomputed } = self.side(side);
            predicted.check("predicted", Some(count), count)?;
            recomputed.check("recomputed", None, count)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(predicted: [f32; 2], recomputed: &[f32]) -> CausalSection {
        let changes = |values: &[f32]| Changes {
            score: values.to_vec(),
            ln_attention: values.to_vec(),
            logit_difference: values.to_vec(),
        };
        let side = CausalSide {
            predicted: changes(&predicted),
            recomputed: changes(recomputed),
        };
        let target = |token| LabeledToken {
            token,
            text: String::new(),
        };
        CausalSection {
            head: Head::new(0, 1),
            dest: 3,
            src: 1,
            a: target(1),
            b: target(2),
            score: 0.5,
            attention: 0.25,
            logit_difference: 1.0,
            components: vec![Component::TokenEmbedding, Component::PositionEmbedding],
            query: side.clone(),
            key: side,
        }
    }

    #[test]
    fn agreement_of_known_maps() {
        let whole = section([1.0, 3.0], &[2.0, 6.0]);
        assert!(whole.is_whole());
        let agreement = whole.agreement(Measure::Score);
        assert_eq!((agreement.cells, agreement.worst.len()), (4, 4));
        assert!((agreement.correlation.expect("not constant") - 1.0).abs() < 1e-12);
        let CausalCell { side, component, .. } = agreement.worst[0];
        assert_eq!((side, component), (Side::Query, Component::PositionEmbedding));
        let against = section([1.0, 3.0], &[6.0, 2.0]).agreement(Measure::LnAttention);
        assert!((against.correlation.expect("not constant") + 1.0).abs() < 1e-12);
        let part = section([1.0, 3.0], &[2.0]);
        assert!(!part.is_whole());
        assert_eq!(part.agreement(Measure::Score).cells, 2);
        assert_eq!(part.agreement(Measure::Score).correlation, None);
    }

    #[test]
    fn sections_that_do_not_fit_are_refused() {
        let config: Config = serde_json::from_str(
            r#"{"n_layer": 1, "n_head": 2, "d_model": 4, "n_ctx": 8, "d_vocab": 9, "d_mlp": 16, "layer_norm_epsilon": 1e-5}"#,
        )
        .expect("a configuration");
        assert_eq!(section([1.0, 2.0], &[1.0]).check(&config, 1), Ok(()));
        let mut too_many = section([1.0, 2.0], &[1.0, 2.0, 3.0]);
        assert!(too_many.check(&config, 1).is_err());
        too_many = section([1.0, f32::NAN], &[]);
        assert!(
            too_many
                .check(&config, 1)
                .is_err_and(|error| error.cause.contains("predicted score is NaN"))
        );
        too_many = section([1.0, 2.0], &[]);
        too_many.components.pop();
        assert!(too_many.check(&config, 1).is_err());
    }
}
