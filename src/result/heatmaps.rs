//! Heatmaps by name: in memory all side by side, in the file the facets of a split one under its name.
//!
//! `"key_split/q par k par"` in memory is `{"key_split": {"facets": {"q par k par": {...}}}}` in the file.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::names::{Column, HeatmapId, Row};
use crate::result::Heatmap;

/// What stands under a name in the file.
#[derive(Serialize)]
#[serde(untagged)]
enum Written<'a> {
    One(&'a Heatmap),
    Facets { facets: BTreeMap<String, &'a Heatmap> },
}

/// Writes facets under their heatmap's name.
pub(super) fn serialize<S: Serializer>(
    heatmaps: &BTreeMap<HeatmapId, Heatmap>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut groups: BTreeMap<String, Written<'_>> = BTreeMap::new();
    for (name, heatmap) in heatmaps {
        match name.group_and_facet() {
            (group, None) => {
                groups.insert(group, Written::One(heatmap));
            }
            (group, Some(facet)) => {
                let facets = BTreeMap::new();
                if let Written::Facets { facets } = groups.entry(group).or_insert(Written::Facets { facets }) {
                    facets.insert(facet, heatmap);
                }
            }
        }
    }
    let mut map = serializer.serialize_map(Some(groups.len()))?;
    for (name, written) in &groups {
        map.serialize_entry(name, written)?;
    }
    map.end()
}

/// What is read under a name: `facets`, or the fields of a [`Heatmap`].
#[derive(Deserialize)]
struct Read {
    facets: Option<BTreeMap<String, Heatmap>>,
    rows: Option<Vec<Row>>,
    columns: Option<Vec<Column>>,
    values: Option<Vec<Vec<f32>>>,
    sum: Option<f32>,
    mean_score: Option<f32>,
    max_abs_residual: Option<f32>,
    per_prompt: Option<Vec<Vec<Vec<f32>>>>,
    note: Option<String>,
}

impl Read {
    /// The heatmap whose fields were read, or the name of the first field that is missing.
    fn heatmap(self) -> Result<Heatmap, &'static str> {
        Ok(Heatmap {
            rows: self.rows.ok_or("rows")?,
            columns: self.columns.ok_or("columns")?,
            values: self.values.ok_or("values")?,
            sum: self.sum.ok_or("sum")?,
            mean_score: self.mean_score,
            max_abs_residual: self.max_abs_residual,
            per_prompt: self.per_prompt,
            note: self.note,
        })
    }
}

/// Reads heatmaps and facets. A name with a slash is refused: it would be taken for a facet's.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<HeatmapId, Heatmap>, D::Error> {
    struct Names;

    impl<'de> Visitor<'de> for Names {
        type Value = BTreeMap<HeatmapId, Heatmap>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("heatmaps by name")
        }

        fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
            let mut heatmaps = BTreeMap::new();
            while let Some((name, mut read)) = map.next_entry::<String, Read>()? {
                if !HeatmapId::is_group(&name) {
                    return Err(M::Error::custom(format!("heatmap \"{name}\" has a slash in its name")));
                }
                if let Some(facets) = read.facets.take() {
                    let named = |(facet, heatmap): (String, Heatmap)| (HeatmapId::of_facet(&name, &facet), heatmap);
                    heatmaps.extend(facets.into_iter().map(named));
                } else {
                    let missing = |field| M::Error::custom(format!("heatmap \"{name}\": missing field `{field}`"));
                    let heatmap = read.heatmap().map_err(missing)?;
                    heatmaps.insert(name.into(), heatmap);
                }
            }
            Ok(heatmaps)
        }
    }

    deserializer.deserialize_map(Names)
}
