//! Golden arrays and how they are compared.

#![allow(dead_code, clippy::unwrap_used, reason = "every test uses a part of it")]

use std::cell::{Cell, RefCell};

use futures::future::LocalBoxFuture;
use keyside::attribution::{Analysis, BatchValues, Observer, Progress};
use keyside::gpt2::Processing;
use keyside::result::ResultFile;
use serde_json::Value;

/// Prints a line; in a browser, to the console.
macro_rules! report {
    ($($part:tt)*) => {{
        #[cfg(not(target_arch = "wasm32"))]
        println!($($part)*);
        #[cfg(target_arch = "wasm32")]
        wasm_bindgen_test::console_log!($($part)*);
    }};
}

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
        let head = result.head;
        let families = [
            ("q_scores", &result.histograms.keys_fixed_scores),
            ("q_probs", &result.histograms.keys_fixed_probs),
            ("k_scores", &result.histograms.queries_fixed_scores),
            ("k_probs", &result.histograms.queries_fixed_probs),
        ];
        for (family, set) in families {
            let prefix = format!("hist/{head}/{family}/");
            let names: Vec<String> = self.names().filter(|name| name.starts_with(&prefix)).collect();
            assert!(names.len() >= 4, "{prefix}: {names:?}");
            for name in names {
                let series = set
                    .series
                    .get(&name[prefix.len()..])
                    .unwrap_or_else(|| panic!("no series {name}"));
                self.check(&name, series);
            }
        }
        self.check(&format!("hist/{head}/true/score"), &result.histograms.true_score);
        self.check(&format!("hist/{head}/true/prob"), &result.histograms.true_prob);
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

/// A file of `tests/fixtures`.
#[cfg(not(target_arch = "wasm32"))]
pub fn fixture(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// A file of `tests/fixtures`: the one that the tests in a browser bring along.
#[cfg(target_arch = "wasm32")]
pub fn fixture(name: &str) -> Value {
    assert_eq!(name, "tiny-golden.json", "not part of the tests in a browser");
    serde_json::from_slice(include_bytes!("../fixtures/tiny-golden.json")).unwrap()
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
        seed: 0,
        batches,
        batch_size,
        prepend_bos: false,
        processing: Processing::default(),
    }
}

/// Remembers what it is told, and cancels at a breath if asked to.
#[derive(Default)]
pub struct Recorder {
    pub progress: RefCell<Vec<Progress>>,
    pub batches: RefCell<Vec<(usize, BatchValues)>>,
    pub breaths: Cell<usize>,
    pub cancel_at: Option<usize>,
}

impl Observer for Recorder {
    fn progress(&self, progress: &Progress) {
        self.progress.borrow_mut().push(progress.clone());
    }

    fn batch(&self, index: usize, values: &BatchValues) {
        self.batches.borrow_mut().push((index, values.clone()));
    }

    fn breathe(&self) -> LocalBoxFuture<'_, keyside::Result<()>> {
        self.breaths.set(self.breaths.get() + 1);
        let cancelled = self.cancel_at.is_some_and(|at| self.breaths.get() >= at);
        let answer = if cancelled {
            Err(keyside::Error::cancelled())
        } else {
            Ok(())
        };
        Box::pin(std::future::ready(answer))
    }
}
