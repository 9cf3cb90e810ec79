//! Heatmaps by name: in memory all side by side, in the file the facets of a split one under its name.
//!
//! `"key_split/q par k par"` in memory is `{"key_split": {"facets": {"q par k par": {...}}}}` in the file.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::result::Heatmap;

/// The order in which heatmaps are offered; all others come last.
const ORDER: [&str; 11] = [
    "key",
    "key_subS1",
    "key_subWU",
    "key_subWU_subS1",
    "key_split",
    "key_split_subS1",
    "query",
    "query_subS1",
    "query_subMLP0",
    "query_split",
    "query_split_subS1",
];

/// Where heatmap `name` comes in the order in which they are offered.
pub(super) fn place(name: &str) -> (usize, String) {
    let group = name.split('/').next().unwrap_or_default();
    let place = ORDER.iter().position(|known| *known == group);
    (place.unwrap_or(ORDER.len()), name.to_owned())
}

/// What stands under a name in the file.
#[derive(Serialize)]
#[serde(untagged)]
enum Written<'a> {
    One(&'a Heatmap),
    Facets { facets: BTreeMap<&'a str, &'a Heatmap> },
}

/// Writes facets under their heatmap's name.
pub(super) fn serialize<S: Serializer>(heatmaps: &BTreeMap<String, Heatmap>, serializer: S) -> Result<S::Ok, S::Error> {
    let mut groups: BTreeMap<&str, Written<'_>> = BTreeMap::new();
    for (name, heatmap) in heatmaps {
        match name.split_once('/') {
            None => {
                groups.insert(name, Written::One(heatmap));
            }
            Some((group, facet)) => {
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
    rows: Option<Vec<String>>,
    columns: Option<Vec<String>>,
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
pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Heatmap>, D::Error> {
    struct Names;

    impl<'de> Visitor<'de> for Names {
        type Value = BTreeMap<String, Heatmap>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("heatmaps by name")
        }

        fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
            let mut heatmaps = BTreeMap::new();
            while let Some((name, mut read)) = map.next_entry::<String, Read>()? {
                if name.contains('/') {
                    return Err(M::Error::custom(format!("heatmap \"{name}\" has a slash in its name")));
                }
                if let Some(facets) = read.facets.take() {
                    let named = |(facet, heatmap)| (format!("{name}/{facet}"), heatmap);
                    heatmaps.extend(facets.into_iter().map(named));
                } else {
                    let missing = |field| M::Error::custom(format!("heatmap \"{name}\": missing field `{field}`"));
                    heatmaps.insert(name.clone(), read.heatmap().map_err(missing)?);
                }
            }
            Ok(heatmaps)
        }
    }

    deserializer.deserialize_map(Names)
}
