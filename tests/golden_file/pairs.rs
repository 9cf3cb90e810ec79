//! The eight cases of `fixtures/pairs-golden.json` by captures and edits, the same natively and in a browser.

#![allow(dead_code, reason = "every test uses a part of it")]

use std::ops::Range;

use keyside::analysis::contributions;
use keyside::forward::{Edit, Model, NoMonitor, Pass, PrefixTree, Request, Tap, Variant};
use keyside::names::{BlockHook, Component, Head, HeatmapId, HookPoint, Side};
use keyside::prompts::ioi::{Positions, Prompt};
use serde_json::Value;

use super::Golden;

/// One case, and what its base run has captured.
pub struct Case {
    name: String,
    arrays: Value,
    pub text: String,
    /// Whether the tokens begin with BOS.
    pub bos: bool,
    /// Components before the head's layer, in the order of the arrays that have a number for each, and a bias last.
    pub components: Vec<Component>,
    pub tokens: Vec<u32>,
    pub second: Option<Vec<u32>>,
    pub second_text: Option<String>,
    pub dest: usize,
    pub src: usize,
    /// The position whose key is subtracted.
    pub minus: usize,
    pub head: Head,
    pub earlier: Head,
    pub a: u32,
    pub b: u32,
}

impl Case {
    /// All cases, tokenized by the model's own tokenizer and checked against the tokens in the file.
    pub fn all(model: &Model, file: &Value) -> Vec<Self> {
        let cases: Vec<Self> = file
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| Self::new(model, entry))
            .collect();
        assert_eq!(cases.len(), 8);
        cases
    }

    fn new(model: &Model, entry: &Value) -> Self {
        let case = &entry["case"];
        let number = |name: &str| case[name].as_u64().unwrap() as usize;
        let head = |name: &str| case[name].as_str().unwrap().parse().unwrap();
        let encode = |text: &str| {
            let mut tokens = model.tokenizer().encode(text).unwrap();
            if case["bos"].as_bool().unwrap() {
                tokens.insert(0, model.tokenizer().bos_token().unwrap());
            }
            tokens
        };
        let text = case["text"].as_str().unwrap();
        let tokens: Vec<u32> = serde_json::from_value(entry["tokens"].clone()).unwrap();
        assert_eq!(encode(text), tokens, "{text}");
        let names = entry["components"].as_array().unwrap().iter();
        Self {
            name: format!("{} in {text:?}", case["head"].as_str().unwrap()),
            arrays: entry["arrays"].clone(),
            text: text.to_owned(),
            bos: case["bos"].as_bool().unwrap(),
            components: names.map(|name| name.as_str().unwrap().parse().unwrap()).collect(),
            second: case["second"].as_str().map(encode),
            second_text: case["second"].as_str().map(str::to_owned),
            dest: number("dest"),
            src: number("src"),
            minus: number("minus"),
            head: head("head"),
            earlier: head("earlier"),
            a: number("a") as u32,
            b: number("b") as u32,
            tokens,
        }
    }

    fn expected(&self, name: &str) -> Vec<f32> {
        let data = self.arrays[name]["data"].as_array();
        let data = data.unwrap_or_else(|| panic!("no golden array {name}"));
        data.iter().map(|v| v.as_f64().unwrap() as f32).collect()
    }

    /// Whether the case has an array `name`.
    pub fn has(&self, name: &str) -> bool {
        self.arrays.get(name).is_some()
    }

    /// Compares with the case's array `name`.
    pub fn check(&self, golden: &mut Golden, name: &str, found: &[f32]) {
        golden.check_values(&format!("{} {name}", self.name), found, &self.expected(name));
    }

    /// Compares with the sum of the case's array `name`.
    pub fn check_sum(&self, golden: &mut Golden, name: &str, found: f32) {
        let expected: f32 = self.expected(name).iter().sum();
        golden.check_values(&format!("{} sum of {name}", self.name), &[found], &[expected]);
    }

    /// Compares sums over `groups` of what stands in the case's array `name`.
    pub fn check_groups(&self, golden: &mut Golden, name: &str, found: &[f32], groups: &[Range<usize>]) {
        let expected = self.expected(name);
        let covered: usize = groups.iter().map(Range::len).sum();
        assert_eq!(covered, expected.len(), "{name}");
        let sums = groups.iter().map(|group| expected[group.clone()].iter().sum());
        golden.check_values(&format!("{} {name}", self.name), found, &sums.collect::<Vec<f32>>());
    }

    /// The source token that adds most in absolute value to the earlier head's part on the key side.
    pub fn source_that_adds_most(&self) -> usize {
        self.expected("down_twice_position")[0] as usize
    }

    fn at_head(&self, hook: BlockHook) -> HookPoint {
        HookPoint::block(self.head.layer, hook)
    }
}

/// Everything that the base run has to capture, in this order.
struct Taps {
    /// Scores of all heads at the destination, by layer.
    scores: Vec<usize>,
    /// Pattern of the head at every position.
    pattern: usize,
    q: usize,
    k: usize,
    v: usize,
    z: usize,
    resid_pre: usize,
    /// The output of the earlier head at every position.
    earlier: usize,
}

/// A sequence through all layers, kept for edits.
async fn base(model: &mut Model, case: &Case, tokens: &[u32]) -> (Pass, Taps) {
    let tree = PrefixTree::new([tokens]);
    let rows = tree.path(0).to_vec();
    let mut taps = Vec::new();
    let mut add = |tap: Tap| {
        taps.push(tap);
        taps.len() - 1
    };
    let layers = 0..model.config().n_layer;
    let scores = |layer| HookPoint::block(layer, BlockHook::AttnScores);
    let of_head = |hook| Tap::new(case.at_head(hook), rows.clone()).of_head(case.head.head);
    let places = Taps {
        scores: layers
            .map(|layer| add(Tap::new(scores(layer), vec![rows[case.dest]])))
            .collect(),
        pattern: add(of_head(BlockHook::Pattern)),
        q: add(of_head(BlockHook::Q)),
        k: add(of_head(BlockHook::K)),
        v: add(of_head(BlockHook::V)),
        z: add(of_head(BlockHook::Z)),
        resid_pre: add(Tap::new(case.at_head(BlockHook::ResidPre), rows.clone())),
        earlier: add(
            Tap::new(HookPoint::block(case.earlier.layer, BlockHook::Result), rows.clone()).of_head(case.earlier.head),
        ),
    };
    let request = Request {
        keep_from: Some(0),
        other_tokens: vec![case.a, case.b],
        ..Request::of(taps)
    };
    let mut passes = [Pass::new(tree, request)];
    let layers = model.config().n_layer;
    model.run(&mut passes, layers, &NoMonitor).await.unwrap();
    let [pass] = passes;
    (pass, places)
}

/// All edits of a case by the name of their effect.
async fn edits(model: &mut Model, case: &Case, pass: &Pass, taps: &Taps) -> Vec<(String, Vec<Edit>)> {
    let (d, s, head, layer) = (case.dest, case.src, case.head.head, case.head.layer);
    let d_head = model.config().d_head();
    let positions = 0..case.tokens.len();
    let weights = model.head_weights(case.head, &NoMonitor).await.unwrap();
    let edit = |hook, position, value: Vec<f32>| Edit::of_head(layer, hook, head, position, value);
    let substituted = |side: Side, token: u32| {
        let vector = model.w_u(token).unwrap();
        let mean = vector.iter().map(|&v| f64::from(v)).sum::<f64>() / vector.len() as f64;
        let squares: f64 = vector.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum();
        let deviation = (squares / (vector.len() as f64 - 1.0)).sqrt();
        let unit: Vec<f32> = vector.iter().map(|&v| (f64::from(v) / deviation) as f32).collect();
        let mut made = weights.read(side, &unit);
        made.iter_mut().zip(weights.bias(side)).for_each(|(v, b)| *v += b);
        made
    };
    let without = |position: usize| -> Vec<f32> {
        let stream = pass.captured[taps.resid_pre].row(position);
        let written = pass.captured[taps.earlier].row(position);
        stream.iter().zip(written).map(|(x, c)| x - c).collect()
    };
    let zeros = vec![0.0; d_head];
    let zero_everywhere = |head: Head| -> Vec<Edit> {
        let zero = |position| Edit::of_head(head.layer, BlockHook::Z, head.head, position, zeros.clone());
        positions.clone().map(zero).collect()
    };
    let mut edits = vec![
        ("none".to_owned(), vec![]),
        (
            "query=W_U[a]".to_owned(),
            vec![edit(BlockHook::Q, d, substituted(Side::Query, case.a))],
        ),
        (
            "key=W_U[src]".to_owned(),
            vec![edit(BlockHook::K, s, substituted(Side::Key, case.tokens[s]))],
        ),
        ("zero head".to_owned(), zero_everywhere(case.head)),
        (
            "query without earlier head".to_owned(),
            vec![edit(BlockHook::QInput, d, without(d))],
        ),
        (
            "key without earlier head".to_owned(),
            vec![edit(BlockHook::KInput, s, without(s))],
        ),
        (
            "zero head at dest".to_owned(),
            vec![edit(BlockHook::Z, d, zeros.clone())],
        ),
        ("zero earlier head".to_owned(), zero_everywhere(case.earlier)),
    ];
    if let Some(second) = &case.second {
        let (other, taps) = base(model, case, second).await;
        let at = |tap: usize, position: usize| other.captured[tap].row(position).to_vec();
        let whole = |hook, tap: usize| positions.clone().map(|p| edit(hook, p, at(tap, p))).collect();
        edits.extend([
            ("z of second".to_owned(), whole(BlockHook::Z, taps.z)),
            ("v of second".to_owned(), whole(BlockHook::V, taps.v)),
            (
                "q of second at dest".to_owned(),
                vec![edit(BlockHook::Q, d, at(taps.q, d))],
            ),
            (
                "k of second at src".to_owned(),
                vec![edit(BlockHook::K, s, at(taps.k, s))],
            ),
            ("pattern of second".to_owned(), whole(BlockHook::Pattern, taps.pattern)),
        ]);
    }
    edits
}

/// The measures of a run: pattern[d, s], logit(a) - logit(b), log-probability of a.
fn effect(case: &Case, pattern: &[f32], log_probs: &[f32]) -> Vec<f32> {
    let (a, b) = (log_probs[case.a as usize], log_probs[case.b as usize]);
    vec![pattern[case.src], a - b, a]
}

/// Compares every array of `case` that taps, contributions and edits give.
pub async fn check(model: &mut Model, golden: &mut Golden, case: &Case) {
    let (pass, taps) = base(model, case, &case.tokens).await;
    let row = pass.tree.path(0)[case.dest];

    let mut scores = Vec::new();
    for &tap in &taps.scores {
        for of_head in pass.captured[tap].row(0).chunks_exact(case.dest + 1) {
            scores.extend_from_slice(of_head);
            scores.resize(scores.len() + case.tokens.len() - of_head.len(), 0.0);
        }
    }
    case.check(golden, "scores_all_heads_at_dest", &scores);
    let mut pattern = Vec::new();
    for position in 0..case.tokens.len() {
        pattern.extend_from_slice(pass.captured[taps.pattern].row(position));
        pattern.resize((position + 1) * case.tokens.len(), 0.0);
    }
    case.check(golden, "pattern", &pattern);
    let log_probs = model.log_probs_at(&pass, &[row], &NoMonitor).await.unwrap().remove(0);
    let mut sorted = log_probs.clone();
    sorted.sort_by(|a, b| b.total_cmp(a));
    case.check(golden, "top_logprobs_at_dest", &sorted[..20]);

    tables(model, golden, case).await;

    let edits = edits(model, case, &pass, &taps).await;
    let variants: Vec<Variant> = edits
        .iter()
        .map(|(_, edits)| Variant {
            edits: edits.clone(),
            ..Variant::default()
        })
        .collect();
    let mut edited = [pass.edited(model.config(), &variants).unwrap()];
    let rows: Vec<usize> = (0..variants.len())
        .map(|variant| edited[0].tree.path(variant)[case.dest])
        .collect();
    // A destination without changes has the row of the base run.
    let changed: Vec<usize> = rows.iter().copied().filter(|row| *row >= pass.tree.len()).collect();
    let tap = Tap::new(case.at_head(BlockHook::Pattern), changed.clone());
    edited[0].request.taps = vec![tap.of_head(case.head.head)];
    let layers = model.config().n_layer;
    model.run(&mut edited, layers, &NoMonitor).await.unwrap();
    let log_probs = model.log_probs_at(&edited[0], &rows, &NoMonitor).await.unwrap();
    for (((name, _), row), log_probs) in edits.iter().zip(&rows).zip(&log_probs) {
        let pattern = match changed.iter().position(|changed| changed == row) {
            Some(index) => edited[0].captured[0].row(index),
            None => pass.captured[taps.pattern].row(case.dest),
        };
        case.check(golden, &format!("effect/{name}"), &effect(case, pattern, log_probs));
    }
    let names = case.arrays.as_object().unwrap().keys();
    let expected = names.filter(|name| name.starts_with("effect/")).count();
    assert_eq!(edits.len(), expected, "every effect of {}", case.name);
}

/// The sums over the components of either side.
async fn tables(model: &mut Model, golden: &mut Golden, case: &Case) {
    let prompt = Prompt {
        text: String::new(),
        tokens: case.tokens.clone(),
        io: String::new(),
        s: String::new(),
        io_token: case.tokens[case.src],
        s_token: case.tokens[case.src],
        random_token: 0,
        random_name_token: 0,
        positions: Positions {
            io: case.src,
            s1: case.src,
            s2: case.src,
            end: case.dest,
        },
    };
    let found = contributions(model, &[prompt.into()], case.head, &NoMonitor)
        .await
        .unwrap();
    for (name, side) in [
        ("table_key_side", HeatmapId::KEY),
        ("table_query_side", HeatmapId::QUERY),
    ] {
        let table = &found[&side];
        let cells = table.prompt(0);
        // In the file the bias comes last; row misc ends with zeros.
        let mut values = cells[..2].to_vec();
        values.extend_from_slice(&cells[table.columns.len()..]);
        values.push(cells[2]);
        case.check(golden, name, &values);
    }
}

/// Arrays of all cases: five and eight effects each, and five more with a second sentence, of which three have one.
pub const PAIR_ARRAYS: usize = 8 * (5 + 8) + 3 * 5;
