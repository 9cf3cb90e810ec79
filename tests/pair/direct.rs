//! Direct effects, the head's output, and the logit lens.

use keyside::analysis::pair::{Between, Pair, Sentence, Written};
use keyside::forward::{Model, NoMonitor};
use keyside::model::Processing;
use keyside::names::{Component, Head};
use keyside::prompts::Targets;
use rand_mt::Mt;

use crate::common::{block_on, tiny, tiny_changed};
use crate::golden_file::pairs::Case;
use crate::golden_file::{Golden, largest_difference};
use crate::{TOLERANCE, size, sum};

fn read(model: &mut Model, tokens: &[u32]) -> Sentence {
    block_on(Sentence::read(model, tokens, None, &NoMonitor)).unwrap()
}

fn written(model: &mut Model, sentence: &Sentence, dest: usize) -> Written {
    block_on(sentence.written(model, dest, &NoMonitor)).unwrap()
}

/// Compares the arrays of what a head writes and of direct effects with those of `case`.
pub fn check_golden(golden: &mut Golden, model: &mut Model, case: &Case, asked: &Pair) {
    let sentence = read(model, &asked.tokens);
    let targets = Between { a: case.a, b: case.b };
    let found = written(model, &sentence, asked.dest);
    let effects = block_on(found.direct_effects(model, targets, &NoMonitor)).unwrap();
    case.check(golden, "direct_effects", &effects.of_components);
    case.check(golden, "direct_effect_b_U", &[effects.of_bias]);
    let of_head = sentence.direct_effect_by_source(model, (asked.head, asked.dest), targets, &NoMonitor);
    let mut by_source = block_on(of_head).unwrap();
    by_source.resize(asked.tokens.len(), 0.0);
    case.check(golden, "head_direct_effect_by_source", &by_source);

    let writes = block_on(sentence.writes(model, asked, &NoMonitor)).unwrap();
    let values = |tokens: Vec<(u32, f32)>| tokens.into_iter().map(|(_, value)| value).collect::<Vec<f32>>();
    case.check(golden, "ov_top", &values(writes.raised()));
    case.check(golden, "ov_bottom", &values(writes.lowered()));
    let of_source = writes.logits[asked.tokens[asked.src] as usize];
    case.check(golden, "ov_logit_of_source_token", &[of_source]);
}

/// The tiny model with noise on every weight, other noise for every `seed`.
pub fn random_model(seed: u32, processing: Processing) -> Model {
    let noise = |name: &str, index: usize| {
        let letters = name
            .bytes()
            .fold(seed, |hash, byte| hash.wrapping_mul(31).wrapping_add(u32::from(byte)));
        let mut mixed = letters.wrapping_add(index as u32).wrapping_mul(0x9e37_79b9);
        mixed = (mixed ^ mixed >> 15).wrapping_mul(0x85eb_ca6b);
        (mixed ^ mixed >> 13) as f32 / u32::MAX as f32 - 0.5
    };
    let source = tiny_changed(|name, index, value| value + 0.2 * noise(name, index));
    block_on(Model::open(Box::new(source), processing)).unwrap()
}

/// All sixteen.
pub fn every_processing() -> impl Iterator<Item = Processing> {
    (0..16).map(|switches| {
        let on = |bit: usize| switches >> bit & 1 == 1;
        Processing {
            fold_ln: on(0),
            center_writing_weights: on(1),
            center_unembed: on(2),
            fold_value_biases: on(3),
        }
    })
}

#[test]
fn direct_effects_add_up_under_every_processing() {
    let mut random = Mt::new(21);
    let mut below = |end: usize| random.next_u32() as usize % end;
    for (seed, processing) in (0..).zip(every_processing()) {
        let mut model = random_model(seed, processing);
        let mut plain = random_model(seed, Processing::default());
        check_sums(&mut model, &mut plain, &mut below);
    }
}

/// Checks what direct effects and what a head writes have to add up to in `model`, in three random sentences; `plain` is the same model
/// processed as usual.
pub fn check_sums(model: &mut Model, plain: &mut Model, below: &mut impl FnMut(usize) -> usize) {
    let processing = model.processing();
    for _ in 0..3 {
        let tokens: Vec<u32> = (0..1 + below(12)).map(|_| below(600) as u32).collect();
        let dest = below(tokens.len());
        let a = below(900) as u32;
        let targets = Between {
            a,
            b: a + 1 + below(88) as u32,
        };
        let sentence = read(model, &tokens);
        let found = written(model, &sentence, dest);
        let effects = block_on(found.direct_effects(model, targets, &NoMonitor)).unwrap();
        let log_probs = block_on(sentence.log_probs(model, dest, &NoMonitor)).unwrap();
        let expected = f64::from(log_probs[targets.a as usize]) - f64::from(log_probs[targets.b as usize]);
        let total = sum(&effects.of_components) + f64::from(effects.of_bias);
        let scale = size(&effects.of_components);
        assert!(
            (total - expected).abs() <= 1e-4 + 1e-6 * scale,
            "{processing:?}: {total} for {expected}"
        );
        // A head's part is the sum over what it has read.
        let head = Head::new(below(model.config().n_layer), below(model.config().n_head));
        let by_source = sentence.direct_effect_by_source(model, (head, dest), targets, &NoMonitor);
        let by_source = block_on(by_source).unwrap();
        let place = found
            .components
            .iter()
            .position(|other| *other == Component::Head(head))
            .unwrap();
        let of_head = f64::from(effects.of_components[place]);
        assert!(
            (sum(&by_source) - of_head).abs() <= 1e-4 + 1e-6 * size(&by_source),
            "{head}"
        );
        // The head's output is independent of the processing of W_U. Without fold_ln the contribution of LayerNorm's
        // bias to values is missing.
        let asked = Pair {
            src: below(dest + 1),
            dest,
            head,
            tokens,
        };
        let writes = block_on(sentence.writes(model, &asked, &NoMonitor)).unwrap();
        let mean = sum(&writes.logits) / writes.logits.len() as f64;
        assert!(mean.abs() < 1e-4, "{processing:?}: {mean}");
        if processing.fold_value_biases && processing.fold_ln {
            let sentence = read(plain, &asked.tokens);
            let expected = block_on(sentence.writes(plain, &asked, &NoMonitor)).unwrap();
            for (found, expected) in writes.logits.iter().zip(&expected.logits) {
                assert!(
                    (found - expected).abs() <= TOLERANCE,
                    "{processing:?}: {found} for {expected}"
                );
            }
        }
        // The value, per unit of attention, is the direct effect of the source.
        let [of_a, of_b] = [targets.a, targets.b].map(|token| writes.logits[token as usize]);
        let of_source = writes.attention * (of_a - of_b);
        assert!((of_source - by_source[asked.src]).abs() <= TOLERANCE, "{of_source}");
    }
}

#[test]
fn targets_are_two_tokens_of_the_vocabulary() {
    let mut model = block_on(Model::open(Box::new(tiny()), Processing::default())).unwrap();
    let log_probs: Vec<f32> = (0..989).map(|token| -((token as f32 - 7.0).abs()) - 0.1).collect();
    let config = model.config().clone();
    let between = |a, b| Between::of(Targets { a, b }, &log_probs, &config);
    for (a, b, expected) in [
        (None, None, (7, 6)),
        (Some(6), None, (6, 7)),
        (Some(7), None, (7, 6)),
        (None, Some(7), (6, 7)),
        (None, Some(100), (7, 100)),
        (Some(3), Some(988), (3, 988)),
    ] {
        let found = between(a, b).unwrap();
        assert_eq!((found.a, found.b), expected, "{a:?} {b:?}");
    }
    for (a, b, part) in [
        (Some(989), None, "no token 989"),
        (Some(5), Some(5), "held against itself"),
    ] {
        let error = between(a, b).unwrap_err();
        assert!(error.cause.contains(part) && !error.expected.is_empty(), "{error}");
        let sentence = read(&mut model, &[1, 2]);
        let found = written(&mut model, &sentence, 1);
        let targets = Between { a: a.unwrap(), b: 5 };
        assert!(block_on(found.direct_effects(&mut model, targets, &NoMonitor)).is_err());
    }
}

#[test]
fn the_stream_before_and_after_every_layer_is_that_of_the_pass() {
    let mut model = block_on(Model::open(Box::new(tiny()), Processing::default())).unwrap();
    let tokens = [5, 80, 300, 41, 80];
    let sentence = read(&mut model, &tokens);
    let (dest, d) = (3, model.config().d_model);
    let stream = sentence.stream(&model, dest).unwrap();
    assert_eq!(stream.len(), 4 * d);
    for (layer, resid) in stream.chunks_exact(d).enumerate() {
        let expected = block_on(model.resid_pre(&tokens, layer, &NoMonitor)).unwrap();
        for (found, expected) in resid.iter().zip(&expected[dest * d..]) {
            assert!((found - expected).abs() < 1e-5, "before layer {layer}");
        }
    }
    let logits = block_on(model.logits_of(&stream, &NoMonitor)).unwrap();
    assert_eq!((logits.len(), logits[0].len()), (4, 989));
    let log_probs = block_on(sentence.log_probs(&model, dest, &NoMonitor)).unwrap();
    let offset = logits[3][0] - log_probs[0];
    for (logit, log_prob) in logits[3].iter().zip(&log_probs) {
        assert!((logit - log_prob - offset).abs() < 1e-4);
    }
    // Before the first layer there is nothing but the embeddings.
    let embedded: Vec<f32> = {
        let (w_e, w_pos) = (model.w_e(41).unwrap(), model.w_pos(3).unwrap());
        w_e.iter().zip(&w_pos).map(|(a, b)| a + b).collect()
    };
    let expected = block_on(model.logits_of(&embedded, &NoMonitor)).unwrap();
    assert!(largest_difference(&logits[0], &expected[0]) < 1e-5);
    assert!(sentence.stream(&model, 5).is_err());
}
