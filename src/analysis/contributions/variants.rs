//! All heatmaps of a batch: which end is decomposed, what is at the other end, and what is subtracted.

use std::collections::BTreeMap;

use super::components::Components;
use super::score_side::{ScoreSide, subtract};
use super::table::Contributions;
use crate::analysis::OmissionReason;
use crate::analysis::scores::HeadScores;
use crate::error::Result;
use crate::model::Config;
use crate::names::{Facet, HeatmapId, HeatmapParts, HeatmapVariant, Normalization, PositionName, Side, SplitPart};
use crate::prompts::Prompt;

/// The cells of one prompt, and the sum that they must have.
struct Sum {
    cells: Vec<f32>,
    score: f32,
    /// Whether the directions that it needs exist.
    has_direction: bool,
}

impl Sum {
    /// Why the values are invalid, if they are.
    fn flaw(&self) -> Option<OmissionReason> {
        if !self.has_direction {
            return Some(OmissionReason::Constant);
        }
        let is_finite = self.score.is_finite() && self.cells.iter().all(|cell| cell.is_finite());
        (!is_finite).then_some(OmissionReason::Overflow)
    }

    /// Notes that the directions of `sides` are needed.
    fn requiring_directions(mut self, sides: &[&ScoreSide<'_>]) -> Self {
        self.has_direction = sides.iter().all(|side| side.has_direction);
        self
    }

    fn minus(&self, other: &Self) -> Self {
        Self {
            cells: subtract(&self.cells, &other.cells),
            score: self.score - other.score,
            has_direction: self.has_direction && other.has_direction,
        }
    }
}

/// The captured components of a finished pass.
pub(super) struct Captured<'a> {
    /// Components at the source.
    pub(super) src: &'a Components,
    /// Components at S1, the first mention of the subject, where prompts have one.
    pub(super) s1: Option<&'a Components>,
    /// Components at the destination.
    pub(super) dest: &'a Components,
}

/// All heatmaps of a finished pass over `prompts`. Vectors that replace an end are normalized as `normalization` says.
pub(super) fn all(
    config: &Config,
    scores: &HeadScores<'_>,
    (prompts, normalization): (&[Prompt], Normalization),
    captured: &Captured<'_>,
) -> Result<BTreeMap<HeatmapId, Contributions>> {
    let layers = captured.src.along.len() / (config.n_head + 2) / prompts.len().max(1);
    let mut found: BTreeMap<HeatmapId, Contributions> = BTreeMap::new();
    for (index, prompt) in prompts.iter().enumerate() {
        let at = |components: &Components, side: Side, position: usize, whole: &[f32]| {
            let place = (index, prompts.len(), position);
            ScoreSide::new(config, (scores, normalization), side, components, place, whole)
        };
        let key = |components, position| at(components, Side::Key, position, scores.key(index, position));
        let s1 = captured.s1.zip(prompt.position(&PositionName::S1));
        let sides = QueryAndKeys {
            src: key(captured.src, prompt.src()?),
            s1: s1.map(|(components, position)| key(components, position)),
            dest: at(captured.dest, Side::Query, prompt.dest()?, scores.query(index)),
        };
        for (name, sum) in sides.sums(layers > 0) {
            let table = found.entry(name).or_insert_with(|| Contributions::new(config, layers));
            table.flaws.extend(sum.flaw());
            table.values.extend(sum.cells);
            table.true_score.push(sum.score);
        }
    }
    Ok(found)
}

/// The keys and the query of one prompt.
struct QueryAndKeys<'a> {
    src: ScoreSide<'a>,
    s1: Option<ScoreSide<'a>>,
    dest: ScoreSide<'a>,
}

impl QueryAndKeys<'_> {
    /// All heatmaps of the prompt; those that need MLP 0 only if `has_mlp_0`.
    fn sums(&self, has_mlp_0: bool) -> Vec<(HeatmapId, Sum)> {
        let mut sums = Vec::new();
        let [key, query] = [Side::Key, Side::Query].map(HeatmapParts::of);
        let with = |parts, variant| HeatmapParts { variant, ..parts };
        let query_of_w_u = self.dest.of_direction();
        self.add_with_difference(&mut sums, key, |key| self.by_key(key, &self.dest.whole));
        self.add_with_difference(&mut sums, with(key, HeatmapVariant::FromWu), |key| {
            self.by_key(key, &query_of_w_u).requiring_directions(&[&self.dest])
        });
        self.add_with_difference(&mut sums, query, |key| self.by_query(&key.whole));
        if has_mlp_0 {
            let name = with(query, HeatmapVariant::FromMlp0).into();
            sums.push((
                name,
                self.by_query(&self.src.of_direction())
                    .requiring_directions(&[&self.src]),
            ));
            self.add_facets(&mut sums);
        }
        sums
    }

    /// Adds a heatmap of the key at the source and, if there is S1, the same minus that of the key at S1.
    fn add_with_difference(
        &self,
        sums: &mut Vec<(HeatmapId, Sum)>,
        name: HeatmapParts,
        sum: impl Fn(&ScoreSide<'_>) -> Sum,
    ) {
        let at_src = sum(&self.src);
        if let Some(s1) = &self.s1 {
            let difference = HeatmapParts { minus_s1: true, ..name };
            sums.push((difference.into(), at_src.minus(&sum(s1))));
        }
        sums.push((name.into(), at_src));
    }

    /// Query and key, each split into its part along W_U\[IO\] or MLP 0 and the rest: all four combinations. If the
    /// other end is normalized as in "No patching", the four add up to that score.
    fn add_facets(&self, sums: &mut Vec<(HeatmapId, Sum)>) {
        for facet in Facet::ALL {
            let along = |part: SplitPart| match part {
                SplitPart::Parallel => true,
                SplitPart::Perpendicular => false,
            };
            let (along_w_u, along_mlp_0) = (along(facet.query), along(facet.key));
            let parts_of = |side| HeatmapParts {
                variant: HeatmapVariant::Facet(facet),
                ..HeatmapParts::of(side)
            };
            self.add_with_difference(sums, parts_of(Side::Key), |key| {
                part_of(key, along_mlp_0, &self.dest.part_normalized(along_w_u))
                    .requiring_directions(&[key, &self.dest])
            });
            self.add_with_difference(sums, parts_of(Side::Query), |key| {
                part_of(&self.dest, along_w_u, &key.part_normalized(along_mlp_0))
                    .requiring_directions(&[key, &self.dest])
            });
        }
    }

    /// The contributions of the components of `key`, with `query` at the destination.
    fn by_key(&self, key: &ScoreSide<'_>, query: &[f32]) -> Sum {
        Sum {
            cells: key.contributions(query),
            score: key.score(&key.whole, query),
            has_direction: true,
        }
    }

    /// The contributions of the components of the query, with `key` at the other side.
    fn by_query(&self, key: &[f32]) -> Sum {
        self.by_key(&self.dest, key)
    }
}

/// The contributions of the components of `side`, either of their parts along its direction or of the rest, with `other`
/// at the other side.
fn part_of(side: &ScoreSide<'_>, along: bool, other: &[f32]) -> Sum {
    let parallel = side.contributions_along(other);
    Sum {
        cells: if along {
            parallel
        } else {
            subtract(&side.contributions(other), &parallel)
        },
        score: side.score(&side.part(along), other),
        has_direction: true,
    }
}
