//! Golden arrays and their comparison.

#![allow(dead_code, clippy::unwrap_used, reason = "every test uses a part of it")]

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use futures::future::LocalBoxFuture;
use keyside::analysis::{Analysis, BatchValues, Contributions, Observer, Progress};
use keyside::names::{HeatmapId, HistogramId};
use keyside::prompts::IoiSet;
use keyside::result::ResultFile;
use serde_json::Value;

#[path = "../results/mod.rs"]
pub mod results;

use results::means;

/// Prints a line; in a browser, to the console.
macro_rules! report {
    ($($part:tt)*) => {{
        #[cfg(not(target_arch = "wasm32"))]
        println!($($part)*);
        #[cfg(target_arch = "wasm32")]
        wasm_bindgen_test::console_log!($($part)*);
    }};
}

// After the macro that they use.
pub mod continuation;
pub mod own;
pub mod pairs;
#[cfg(not(target_arch = "wasm32"))]
pub mod recordings;
pub mod sentence;
pub mod workers;

/// A file of golden arrays, and the largest difference seen so far.
pub struct Golden {
    arrays: Value,
    tolerance: f32,
    failures: Vec<String>,
    pub compared: usize,
}

impl Golden {
    /// Reads `tests/fixtures/{name}`.
    pub fn read(name: &str, tolerance: f32) -> Self {
        let mut file = fixture(name);
        let arrays = file["arrays"].take();
        Self {
            arrays,
            tolerance,
            failures: Vec::new(),
            compared: 0,
        }
    }

    /// Compares values from elsewhere only.
    pub fn without_file(tolerance: f32) -> Self {
        Self {
            arrays: Value::Null,
            tolerance,
            failures: Vec::new(),
            compared: 0,
        }
    }

    /// The golden array `name`, flattened.
    pub fn array(&self, name: &str) -> Vec<f32> {
        let data = self.arrays[name]["data"]
            .as_array()
            .unwrap_or_else(|| panic!("no golden array {name}"));
        data.iter().map(|v| v.as_f64().unwrap() as f32).collect()
    }

    /// Compares, prints the largest difference, and remembers a failure.
    pub fn check(&mut self, name: &str, found: &[f32]) {
        let expected = self.array(name);
        assert_eq!(found.len(), expected.len(), "{name}: length");
        self.check_values(name, found, &expected);
    }

    /// The same with values from elsewhere.
    pub fn check_values(&mut self, name: &str, found: &[f32], expected: &[f32]) {
        let difference = largest_difference(found, expected);
        report!(
            "{name:44} {:6} values, largest difference {difference:.2e}",
            found.len()
        );
        self.compared += 1;
        if difference > self.tolerance {
            self.failures.push(format!("{name}: {difference:.2e}"));
        }
    }

    /// All four histogram families and the true values of `result`.
    pub fn check_histograms(&mut self, result: &ResultFile) {
        let head = result.head_name();
        let families = [
            ("q_scores", HistogramId::KeysFixedScores),
            ("q_probs", HistogramId::KeysFixedProbs),
            ("k_scores", HistogramId::QueriesFixedScores),
            ("k_probs", HistogramId::QueriesFixedProbs),
        ];
        let section = result.substitution().unwrap();
        for (family, histogram) in families {
            let prefix = format!("hist/{head}/{family}/");
            let names: Vec<String> = self.names().filter(|name| name.starts_with(&prefix)).collect();
            assert!(names.len() >= 4, "{prefix}: {names:?}");
            for name in names {
                let series = section
                    .values(histogram, &name[prefix.len()..].into())
                    .unwrap_or_else(|| panic!("no series {name}"));
                self.check(&name, series);
            }
        }
        self.check(
            &format!("hist/{head}/true/score"),
            result.true_values(HistogramId::KeysFixedScores),
        );
        self.check(
            &format!("hist/{head}/true/prob"),
            result.true_values(HistogramId::KeysFixedProbs),
        );
    }

    /// All arrays of heatmaps of `head`, `[rows, columns, prompts]` or four facets of such, and the true scores.
    pub fn check_contributions(&mut self, head: &str, found: &BTreeMap<HeatmapId, Contributions>) {
        for (name, table) in heatmaps_in(self.names(), head) {
            let transposed: Vec<f32> = members(&table, found)
                .iter()
                .flat_map(|&component| {
                    let prompts = component.true_score.len();
                    let cells = 0..component.rows.len() * component.columns.len();
                    cells.flat_map(move |cell| (0..prompts).map(move |prompt| component.prompt(prompt)[cell]))
                })
                .collect();
            self.check(&name, &transposed);
        }
        let score = &found[&HeatmapId::KEY].true_score;
        let minus_s1 = score.iter().zip(&found[&"key_subS1".into()].true_score);
        let s1: Vec<f32> = minus_s1.map(|(score, difference)| score - difference).collect();
        self.check(&format!("heat/{head}/true_score"), score);
        self.check(&format!("heat/{head}/true_score_S1"), &s1);
        for (name, table) in found {
            let residual = table.max_abs_residual();
            report!("{head} {name}: largest |sum of contributions - score| {residual:.2e}");
            assert!(residual <= self.tolerance, "{head} {name}");
        }
    }

    /// The means of all heatmaps of `result`'s head, in a file that has `[rows, columns]` or four facets of such.
    pub fn check_heatmap_means(&mut self, result: &ResultFile) {
        let head = result.head_name();
        let heatmaps = &result.contributions().unwrap().heatmaps;
        for (name, table) in heatmaps_in(self.names(), &head) {
            let found = members(table.trim_end_matches("/mean"), heatmaps);
            let values: Vec<f32> = found.into_iter().flat_map(means).flatten().collect();
            self.check(&name, &values);
        }
        let score = |name: &str| heatmaps[&name.into()].mean_score.unwrap();
        self.check(&format!("heat/{head}/true_score/mean"), &[score("key")]);
        self.check(
            &format!("heat/{head}/true_score_S1/mean"),
            &[score("key") - score("key_subS1")],
        );
    }

    fn names(&self) -> impl Iterator<Item = String> + use<> {
        self.arrays
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// Fails if any comparison has.
    pub fn finish(self) {
        report!("{} arrays compared, tolerance {:.0e}", self.compared, self.tolerance);
        assert!(
            self.failures.is_empty(),
            "beyond {}: {:?}",
            self.tolerance,
            self.failures
        );
    }
}

/// The golden arrays of heatmaps of `head`: whole name, and what follows the head. There are eleven of them.
fn heatmaps_in(names: impl Iterator<Item = String>, head: &str) -> Vec<(String, String)> {
    let prefix = format!("heat/{head}/");
    let found: Vec<(String, String)> = names
        .filter_map(|name| {
            let table = name.strip_prefix(&prefix)?.to_owned();
            (!table.starts_with("true")).then_some((name, table))
        })
        .collect();
    assert_eq!(found.len(), 11, "{found:?}");
    found
}

/// The values of `name` in `found`: the heatmap itself, or its four facets in the order of the golden files.
fn members<'f, T>(name: &str, found: &'f BTreeMap<HeatmapId, T>) -> Vec<&'f T> {
    if let Some(one) = found.get(&name.into()) {
        return vec![one];
    }
    let facets = ["q par k par", "q par k perp", "q perp k par", "q perp k perp"];
    facets.map(|facet| &found[&HeatmapId::of_facet(name, facet)]).into()
}

/// A file of `tests/fixtures`.
#[cfg(not(target_arch = "wasm32"))]
pub fn fixture(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// A file of `tests/fixtures`: those that the tests in a browser bring along.
#[cfg(target_arch = "wasm32")]
pub fn fixture(name: &str) -> Value {
    let bytes: &[u8] = match name {
        "tiny-golden.json" => include_bytes!("../fixtures/tiny-golden.json"),
        "pairs-golden.json" => include_bytes!("../fixtures/pairs-golden.json"),
        "gpt2-tokenizer.json" => include_bytes!("../fixtures/gpt2-tokenizer.json"),
        "gpt2-tokenizer-strings.json" => include_bytes!("../fixtures/gpt2-tokenizer-strings.json"),
        _ => panic!("{name} is not part of the tests in a browser"),
    };
    serde_json::from_slice(bytes).unwrap()
}

/// Largest |a - b|; NaN counts as infinite.
pub fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let difference = |(a, b): (&f32, &f32)| if (a - b).is_nan() { f32::INFINITY } else { (a - b).abs() };
    a.iter().zip(b).map(difference).fold(0.0, f32::max)
}

/// An analysis of `head` with all processing on.
pub fn analysis(head: &str, earlier_head: &str, batches: usize, batch_size: usize) -> Analysis {
    Analysis {
        head: head.parse().unwrap(),
        earlier_head: earlier_head.parse().unwrap(),
        prompts: IoiSet {
            seed: 0,
            batches,
            batch_size,
            prepend_bos: false,
        }
        .into(),
        ..Analysis::default()
    }
}

/// Records progress, and cancels at a check for cancellation where requested.
#[derive(Default)]
pub struct Recorder {
    pub progress: RefCell<Vec<Progress>>,
    pub batches: RefCell<Vec<(usize, BatchValues)>>,
    pub yields: Cell<usize>,
    pub cancel_at: Option<usize>,
}

impl Observer for Recorder {
    fn progress(&self, progress: &Progress) {
        self.progress.borrow_mut().push(progress.clone());
    }

    fn batch(&self, index: usize, values: &BatchValues) {
        self.batches.borrow_mut().push((index, values.clone()));
    }

    fn yield_now(&self) -> LocalBoxFuture<'_, keyside::Result<()>> {
        self.yields.set(self.yields.get() + 1);
        let cancelled = self.cancel_at.is_some_and(|at| self.yields.get() >= at);
        let answer = if cancelled {
            Err(keyside::Error::cancelled())
        } else {
            Ok(())
        };
        Box::pin(std::future::ready(answer))
    }
}
