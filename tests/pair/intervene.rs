//! Interventions and causal maps: their properties, and rejected ones.

use keyside::analysis::Section;
use keyside::analysis::pair::{
    CausalSection, Effect, Extent, Intervention, InterventionRequest, InterventionSection, Pair, Question,
    QuestionCache, Replacement, Vector, causal_map, decomposition, intervene,
};
use keyside::forward::{Model, NoMonitor, Pass, PrefixTree, Request, Tap};
use keyside::model::Processing;
use keyside::names::{BlockHook, Component, Head, HeadActivation, HookPoint, Measure, Relative, Side};
use keyside::prompts::{Prompt, Targets};
use keyside::{Error, Result};
use rand_mt::Mt;

use crate::common::{assert_one_line, block_on, tiny_changed};
use crate::golden_file::Recorder;
use crate::model;

/// For what changes nothing.
const NOTHING: f32 = 1e-5;
const TEXT: &str = "When Mary and John went to the store, John gave a drink to";

fn question(text: &str, (dest, src): (usize, usize), head: Head) -> Question {
    Question {
        text: text.to_owned(),
        dest: Some(dest),
        src: Some(src),
        head: Some(head),
        ..Question::default()
    }
}

fn try_intervening(
    model: &mut Model,
    question: &Question,
    intervening: &InterventionRequest,
) -> Result<InterventionSection> {
    let mut found = Vec::new();
    let give = |_: &Model, _: &Prompt, section: Section, _| found.push(section);
    let asked = (question, intervening);
    block_on(intervene(
        model,
        &mut QuestionCache::default(),
        asked,
        &Recorder::default(),
        give,
    ))?;
    match found.pop() {
        Some(Section::Intervention(section)) if found.is_empty() => Ok(section),
        other => panic!("{other:?}"),
    }
}

pub fn effects(model: &mut Model, question: &Question, intervening: InterventionRequest) -> InterventionSection {
    try_intervening(model, question, &intervening).unwrap()
}

/// All parts of the causal map, and how it ended.
fn maps(model: &mut Model, question: &Question, recorder: &Recorder) -> (Vec<CausalSection>, Result<()>) {
    let mut found = Vec::new();
    let give = |_: &Model, _: &Prompt, section: Section, _| match section {
        Section::Causal(section) => found.push(section),
        other => panic!("{other:?}"),
    };
    let outcome = block_on(causal_map(
        model,
        &mut QuestionCache::default(),
        question,
        recorder,
        give,
    ));
    (found, outcome)
}

pub fn processings() -> impl Iterator<Item = Processing> {
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

fn random_head(model: &Model, below: &mut impl FnMut(usize) -> usize) -> Head {
    Head::new(below(model.config().n_layer), below(model.config().n_head))
}

/// A sentence of random tokens, and a pair of its positions.
pub fn random_question(model: &Model, below: &mut impl FnMut(usize) -> usize) -> (Question, Vec<u32>) {
    let count = 2 + below(10);
    let tokens: Vec<u32> = (0..count).map(|_| below(600) as u32).collect();
    let text = model.tokenizer().text(&tokens);
    let tokens = model.tokenizer().encode(&text).unwrap();
    let dest = below(tokens.len());
    let head = random_head(model, below);
    (question(&text, (dest, below(dest + 1)), head), tokens)
}

#[test]
fn what_is_put_back_changes_nothing() {
    let mut random = Mt::new(19);
    let mut below = |end: usize| random.next_u32() as usize % end;
    let tried = processings().map(|processing| check_put_back(&mut model(processing), &mut below));
    let tried: usize = tried.sum();
    assert!(tried > 16 * 40, "{tried}");
}

/// Replaces activations of a random sentence by themselves at every possible place; returns the number of checks.
pub fn check_put_back(model: &mut Model, below: &mut impl FnMut(usize) -> usize) -> usize {
    let (question, tokens) = random_question(model, below);
    let head = question.head.unwrap();
    let mut interventions = Vec::new();
    for activation in HeadActivation::ALL {
        for to in [Replacement::Second, Replacement::Mean] {
            for at in [Extent::All, Extent::Pair] {
                for head in [head, random_head(model, below)] {
                    interventions.push(Intervention::Set {
                        head,
                        activation,
                        to,
                        at,
                    });
                }
            }
        }
    }
    for side in Side::ALL {
        for component in Component::before(head.layer, model.config().n_head) {
            let scale = 0.0;
            interventions.push(Intervention::Remove { side, component, scale });
        }
    }
    let prompt = Prompt {
        text: question.text.clone(),
        tokens,
        positions: [
            ("dest".into(), question.dest.unwrap()),
            ("src".into(), question.src.unwrap()),
        ]
        .into(),
        ..Prompt::default()
    };
    let tried = interventions.len();
    let section = effects(
        model,
        &question,
        InterventionRequest {
            interventions,
            second: Some(question.text.clone()),
            run: vec![prompt.clone(), prompt.clone(), prompt],
            ..InterventionRequest::default()
        },
    );
    let before = &section.before;
    for Effect {
        intervention,
        after,
        predicted,
    } in &section.effects
    {
        let close = |name: &str, found: f32, expected: f32| {
            let difference = (found - expected).abs();
            let bound = NOTHING * expected.abs().max(1.0);
            assert!(difference <= bound, "{intervention:?} {name}: {found} for {expected}");
        };
        close("score", after.score, before.score);
        close("logit difference", after.logit_difference, before.logit_difference);
        close("log-probability", after.logprob_a, before.logprob_a);
        after
            .row
            .iter()
            .zip(&before.row)
            .for_each(|(after, before)| close("row", *after, *before));
        let src = question.src.unwrap();
        close("predicted score", predicted.score, before.score);
        close("predicted attention", predicted.attention, before.attention(src));
        close("predicted logits", predicted.logit_difference, before.logit_difference);
    }
    tried
}

/// The term that LayerNorm adds to the linear prediction per unit of a small removal, for each component of `side`:
/// `(x . c) / (d_model sigma^2) (score - b_Q . k / sqrt(d_head))`, and with the sides swapped.
fn layer_norm_terms(model: &mut Model, pair: &Pair, side: Side) -> Vec<f64> {
    let decomposition = block_on(decomposition(model, pair, &NoMonitor)).unwrap();
    let table = decomposition.table();
    let bias = decomposition.components.len() - 1;
    let of_bias: f64 = match side {
        Side::Query => table.row(bias).unwrap().iter().map(|&v| f64::from(v)).sum(),
        Side::Key => (0..=bias).map(|row| f64::from(table.row(row).unwrap()[bias])).sum(),
    };
    let position = match side {
        Side::Query => pair.dest,
        Side::Key => pair.src,
    };
    // Components from a pass of their own.
    let layers = pair.head.layer;
    let tree = PrefixTree::new([&pair.tokens[..]]);
    let hooks = [BlockHook::Result, BlockHook::MlpOut];
    let taps = (0..layers).flat_map(|layer| hooks.map(|hook| Tap::new(HookPoint::block(layer, hook), vec![position])));
    let mut passes = [Pass::new(tree, Request::of(taps.collect()))];
    block_on(model.run(&mut passes, layers, &NoMonitor)).unwrap();
    let d = model.config().d_model;
    let stream = passes[0].resid_at(position);
    let mean = stream.iter().map(|&v| f64::from(v)).sum::<f64>() / d as f64;
    let centered: Vec<f64> = stream.iter().map(|&v| f64::from(v) - mean).collect();
    let variance = centered.iter().map(|v| v * v).sum::<f64>() / d as f64 + model.config().layer_norm_epsilon;
    let term = |vector: &[f32]| {
        let product: f64 = centered.iter().zip(vector).map(|(x, &c)| x * f64::from(c)).sum();
        product / (d as f64 * variance) * (f64::from(decomposition.score) - of_bias)
    };
    let mut terms = vec![
        term(&model.w_e(pair.tokens[position]).unwrap()),
        term(&model.w_pos(position).unwrap()),
    ];
    for layer in 0..layers {
        terms.extend(passes[0].captured[2 * layer].row(0).chunks_exact(d).map(term));
        terms.push(term(passes[0].captured[2 * layer + 1].row(0)));
        terms.push(term(model.b_o(layer).unwrap()));
    }
    terms
}

#[test]
fn layer_norm_adds_its_term_to_the_linear_split() {
    let mut random = Mt::new(23);
    let mut below = |end: usize| random.next_u32() as usize % end;
    let (mut tried, mut judged) = (0, 0);
    for processing in processings() {
        let (these, far) = check_layer_norm_terms(&mut model(processing), &mut below);
        (tried, judged) = (tried + these, judged + far);
    }
    println!("{judged} of {tried} terms are far above what f32 rounds");
    assert!(judged * 10 > tried, "{judged} of {tried}");
}

/// Takes a little of each component out of a random sentence, on either side: how often, and how often LayerNorm's term is so large that it
/// is told from what f32 rounds.
pub fn check_layer_norm_terms(model: &mut Model, below: &mut impl FnMut(usize) -> usize) -> (usize, usize) {
    const SMALL: f32 = 0.02;
    let (mut tried, mut judged) = (0, 0);
    let (mut question, tokens) = random_question(model, below);
    let later = model.config().n_layer.saturating_sub(1).max(1);
    let head = random_head(model, below);
    question.head = Some(Head::new(
        (1 + head.layer % later).min(model.config().n_layer - 1),
        head.head,
    ));
    let pair = Pair {
        tokens,
        dest: question.dest.unwrap(),
        src: question.src.unwrap(),
        head: question.head.unwrap(),
    };
    for side in Side::ALL {
        let terms = layer_norm_terms(model, &pair, side);
        // Both signs, so that second-order terms cancel.
        let both = [SMALL, -SMALL];
        let interventions = Component::before(pair.head.layer, model.config().n_head)
            .flat_map(|component| both.map(|scale| Intervention::Remove { side, component, scale }));
        let intervening = InterventionRequest {
            interventions: interventions.collect(),
            ..InterventionRequest::default()
        };
        let section = effects(model, &question, intervening);
        for (effects, term) in section.effects.chunks_exact(2).zip(&terms) {
            let beyond = |effect: &Effect| f64::from(effect.after.score) - f64::from(effect.predicted.score);
            let found = (beyond(&effects[0]) - beyond(&effects[1])) / (2.0 * f64::from(SMALL));
            // The rounding error of f32 in a difference of scores.
            let noise = 4e-6 * f64::from(section.before.score.abs().max(1.0)) / f64::from(SMALL);
            let difference = (found - term).abs();
            let at = format!("{:?}: {found} for {term}", effects[0].intervention);
            assert!(difference <= 0.01 * term.abs() + noise, "{at}");
            tried += 1;
            judged += usize::from(term.abs() > 20.0 * noise);
        }
    }
    (tried, judged)
}

#[test]
fn a_causal_map_is_every_removal() {
    let mut random = Mt::new(29);
    let mut below = |end: usize| random.next_u32() as usize % end;
    for processing in processings().step_by(5) {
        let mut model = model(processing);
        for _ in 0..4 {
            let (question, _) = random_question(&model, &mut below);
            let (src, head) = (question.src.unwrap(), question.head.unwrap());
            let (parts, outcome) = maps(&mut model, &question, &Recorder::default());
            outcome.unwrap();
            let map = parts.last().unwrap();
            assert!(map.is_whole());
            assert_eq!(map.components, Component::before(head.layer, 4).collect::<Vec<_>>());
            for side in Side::ALL {
                let remove = |component: &Component| Intervention::Remove {
                    side,
                    component: *component,
                    scale: 1.0,
                };
                let section = effects(
                    &mut model,
                    &question,
                    InterventionRequest {
                        interventions: map.components.iter().map(remove).collect(),
                        ..InterventionRequest::default()
                    },
                );
                assert_eq!((&map.a, &map.b), (&section.a, &section.b));
                let before = &section.before;
                for (index, Effect { after, predicted, .. }) in section.effects.iter().enumerate() {
                    let close = |found: f32, expected: f32| {
                        let bound = 1e-4 * expected.abs().max(1.0);
                        assert!(
                            (found - expected).abs() <= bound,
                            "{question:?} {side} {index}: {found} for {expected}"
                        );
                    };
                    let side = map.side(side);
                    let (recomputed, split) = (&side.recomputed, &side.predicted);
                    close(recomputed.score[index], after.score - before.score);
                    close(split.score[index], predicted.score - before.score);
                    close(
                        recomputed.logit_difference[index],
                        after.logit_difference - before.logit_difference,
                    );
                    close(
                        split.logit_difference[index],
                        predicted.logit_difference - before.logit_difference,
                    );
                    let was = before.attention(src);
                    if was > 1e-3 && after.attention(src) > 1e-3 {
                        close(recomputed.ln_attention[index], (after.attention(src) / was).ln());
                    }
                    if was > 1e-3 && predicted.attention > 1e-3 {
                        close(split.ln_attention[index], (predicted.attention / was).ln());
                    }
                }
            }
            // The linear prediction of the score is the table's sums, without the bias.
            let pair = Pair {
                tokens: model.tokenizer().encode(&question.text).unwrap(),
                dest: question.dest.unwrap(),
                src,
                head,
            };
            let decomposition = block_on(decomposition(&mut model, &pair, &NoMonitor)).unwrap();
            let by_key = keyside::analysis::pair::key_side(&decomposition.table());
            for (predicted, sum) in map.key.predicted.score.iter().zip(by_key) {
                assert!((predicted + sum).abs() <= 1e-4, "{predicted} for {}", -sum);
            }
            assert!(decomposition.relative(Relative::Mean).is_ok());
            let agreement = map.agreement(Measure::Score);
            assert_eq!(agreement.cells, 2 * map.components.len());
            assert!(
                agreement
                    .correlation
                    .is_none_or(|found| (-1.0..=1.0000001).contains(&found))
            );
        }
    }
}

#[test]
fn what_is_there_of_a_map_stays_when_it_is_cancelled() {
    let mut model = model(Processing::default());
    let text = TEXT.repeat(4);
    let tokens = model.tokenizer().encode(&text).unwrap();
    let question = question(&text, (tokens.len() - 1, 1), Head::new(2, 1));
    let recorder = Recorder::default();
    let (whole, outcome) = maps(&mut model, &question, &recorder);
    outcome.unwrap();
    // The prediction, the query's side, and more than one part of the key's.
    assert!(whole.len() > 3, "{}", whole.len());
    let done = |map: &CausalSection| map.query.recomputed.score.len() + map.key.recomputed.score.len();
    assert!(whole.windows(2).all(|maps| done(&maps[0]) < done(&maps[1])));
    assert_eq!((done(&whole[0]), whole[0].query.predicted.score.len()), (0, 14));
    let progress = recorder.progress.borrow();
    let last = progress.last().unwrap();
    assert_eq!(last.batches_done, whole.len() - 1);
    assert!((last.computed - 1.0).abs() < 1e-9, "{}", last.computed);
    // Once more, as now all weights are in memory.
    let again = Recorder::default();
    assert_eq!(maps(&mut model, &question, &again).1, Ok(()));
    let cancelled = Recorder {
        cancel_at: Some(again.yields.get() - 1),
        ..Recorder::default()
    };
    let (parts, outcome) = maps(&mut model, &question, &cancelled);
    assert_eq!(outcome, Err(Error::cancelled()));
    assert!(parts.len() < whole.len() && done(parts.last().unwrap()) > 0);
    for (part, whole) in parts.iter().zip(&whole) {
        assert_eq!(part.query.recomputed, whole.query.recomputed);
    }
}

#[test]
fn means_and_second_sentences_are_what_they_say() {
    let mut model = model(Processing::default());
    let texts = [TEXT, "When John and Mary went to the store, Mary gave a drink to"];
    let head = Head::new(1, 2);
    let encode = |model: &Model, text: &str| model.tokenizer().encode(text).unwrap();
    let dest = encode(&model, texts[0]).len() - 1;
    let prompts: Vec<Prompt> = texts
        .iter()
        .map(|text| Prompt {
            tokens: encode(&model, text),
            positions: [("dest".into(), dest), ("src".into(), 1)].into(),
            ..Prompt::default()
        })
        .collect();
    assert!(prompts.iter().all(|prompt| prompt.tokens.len() == dest + 1));
    let set = |to| Intervention::Set {
        head,
        activation: HeadActivation::Pattern,
        to,
        at: Extent::Pair,
    };
    let asked = question(texts[0], (dest, 1), head);
    let interventions = vec![
        set(Replacement::Mean),
        set(Replacement::Second),
        set(Replacement::Zero),
        Intervention::Substitute {
            side: Side::Query,
            vector: Vector::Mean,
        },
        Intervention::Substitute {
            side: Side::Query,
            vector: Vector::Zero,
        },
    ];
    let intervening = InterventionRequest {
        interventions,
        second: Some(texts[1].to_owned()),
        run: prompts,
        ..InterventionRequest::default()
    };
    let section = effects(&mut model, &asked, intervening);
    let other = effects(
        &mut model,
        &question(texts[1], (dest, 1), head),
        InterventionRequest::default(),
    );
    assert_eq!(
        (section.prompts, section.second.as_ref().map(Vec::len)),
        (2, Some(dest + 1))
    );
    let rows = [&section.before.row, &other.before.row];
    for position in 0..=dest {
        let [first, second] = rows.map(|row| row[position]);
        let after = |index: usize| section.effects[index].after.row[position];
        assert!((after(0) - (first + second) / 2.0).abs() < NOTHING);
        assert!((after(1) - second).abs() < NOTHING);
        assert_eq!(after(2), 0.0);
    }
    // A query that is made otherwise is what the split predicts of the score.
    for Effect { after, predicted, .. } in &section.effects[3..] {
        assert!((after.score - predicted.score).abs() < NOTHING);
        assert!((after.attention(1) - predicted.attention).abs() < NOTHING);
        assert!((after.score - section.before.score).abs() > NOTHING);
    }
}

#[test]
fn scores_too_far_apart_for_probabilities_have_finite_changes() {
    // Queries so long that all attention is on one token.
    let long = tiny_changed(|name, _, value| {
        if name.ends_with("h.2.attn.c_attn.weight") {
            value * 60.0
        } else {
            value
        }
    });
    let mut model = block_on(Model::open(Box::new(long), Processing::default())).unwrap();
    let mut found = 0;
    for src in 0..6 {
        let (parts, outcome) = maps(
            &mut model,
            &question(TEXT, (9, src), Head::new(2, 1)),
            &Recorder::default(),
        );
        outcome.unwrap();
        let map = parts.last().unwrap();
        for measure in Measure::ALL {
            let cells = map.cells(measure);
            assert!(
                cells
                    .iter()
                    .all(|cell| cell.recomputed.is_finite() && cell.predicted.is_finite())
            );
        }
        found += usize::from(map.attention == 0.0);
    }
    assert!(found > 0, "no attention is too small");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let mut model = model(Processing::default());
    let sound = question(TEXT, (13, 1), Head::new(1, 2));
    let remove = |component| Intervention::Remove {
        side: Side::Key,
        component,
        scale: 1.0,
    };
    let set = |head, to| Intervention::Set {
        head,
        activation: HeadActivation::Z,
        to,
        at: Extent::All,
    };
    let request = |intervention| InterventionRequest {
        interventions: vec![intervention],
        ..InterventionRequest::default()
    };
    let prompt = |count: u32| Prompt {
        tokens: (0..count).collect(),
        positions: [("dest".into(), 2), ("src".into(), 1)].into(),
        ..Prompt::default()
    };
    let head = Head::new(1, 2);
    let between = |a, b| Question {
        targets: Targets { a, b },
        ..sound.clone()
    };
    for (asked, intervening, parts) in [
        (
            &sound,
            request(remove(Component::Head(Head::new(1, 0)))),
            ["head 1.0 writes nothing that head 1.2 reads", "before 1"],
        ),
        (
            &sound,
            request(remove(Component::Mlp(2))),
            ["MLP 2 writes nothing", "before 1"],
        ),
        (
            &sound,
            request(remove(Component::KeyBias)),
            ["b_K (bias of the map) is not written", "W_E"],
        ),
        (
            &question(TEXT, (13, 1), Head::new(0, 2)),
            request(remove(Component::Head(Head::new(0, 1)))),
            ["head 0.1 writes nothing", "no head and no MLP is before layer 0"],
        ),
        (
            &sound,
            request(set(Head::new(7, 0), Replacement::Zero)),
            ["head 7.0 does not exist", "layer"],
        ),
        (
            &sound,
            request(set(head, Replacement::Second)),
            ["no second sentence", "as many tokens"],
        ),
        (
            &sound,
            request(set(head, Replacement::Mean)),
            ["no mean over 0 of a run's prompts", "two prompts"],
        ),
        (
            &sound,
            InterventionRequest {
                run: vec![prompt(3)],
                ..request(set(head, Replacement::Mean))
            },
            ["no mean over 1", "two prompts"],
        ),
        (
            &sound,
            InterventionRequest {
                run: vec![prompt(3), prompt(4)],
                ..request(set(head, Replacement::Mean))
            },
            ["a prompt of 3 tokens", "that all have the position"],
        ),
        (
            &sound,
            InterventionRequest {
                second: Some("When Mary and John".to_owned()),
                ..InterventionRequest::default()
            },
            ["the second sentence has 4 tokens, the first one 14", "14 tokens"],
        ),
        (
            &between(Some(5), Some(5)),
            InterventionRequest::default(),
            ["token 5 is held against itself", "two different tokens"],
        ),
        (
            &between(Some(1 << 20), None),
            InterventionRequest::default(),
            ["no token 1048576", "from 0 to"],
        ),
        (
            &sound,
            request(Intervention::Substitute {
                side: Side::Query,
                vector: Vector::Embedding(1 << 20),
            }),
            ["1048576", "an index below"],
        ),
        (
            &question(TEXT, (14, 1), head),
            InterventionRequest::default(),
            ["position 14 of 14", "from 0 to 13"],
        ),
        (
            &sound,
            request(Intervention::Remove {
                side: Side::Key,
                component: Component::TokenEmbedding,
                scale: f32::INFINITY,
            }),
            ["inf times", "finite"],
        ),
    ] {
        let error = try_intervening(&mut model, asked, &intervening)
            .expect_err(parts[0])
            .to_string();
        assert_one_line(&error);
        for part in parts {
            assert!(error.contains(part), "{part}: {error}");
        }
    }
    // One target alone is compared with the most likely other.
    let likeliest = try_intervening(&mut model, &sound, &InterventionRequest::default()).unwrap();
    for (a, b) in [(None, Some(likeliest.a.token)), (Some(likeliest.a.token), None)] {
        let found = try_intervening(&mut model, &between(a, b), &InterventionRequest::default());
        let found = found.unwrap();
        assert_ne!(found.a, found.b);
        assert!([found.a, found.b].contains(&likeliest.a));
    }
}
