//! The eight cases of `fixtures/pairs-golden.json` by a worker: natively, in a browser, and by the page's own worker.

use keyside::analysis::pair::{
    Extent, Intervention, InterventionRequest, Outcome, Part, PartPath, Predicted, Question, Replacement, Step,
    TokenValue, Vector, key_side, query_side,
};
use keyside::checkpoint::MemorySource;
use keyside::forward::Model;
use keyside::names::{Component, EngineChoice, HeadActivation, Relative, Side};
use keyside::prompts::Targets;
use keyside::result::ResultFile;
use keyside::worker::{FromWorker, ToWorker};

use super::pairs::Case;
use super::workers::Worker;
use super::{Golden, fixture};

/// Arrays that are compared in every case.
pub const SENTENCE_ARRAYS: usize = 18 + 6 + 5;

/// Arrays of what interventions do and what is predicted of them: ten in every case, and five more with a second sentence, of which three
/// have one.
pub const INTERVENTION_ARRAYS: usize = 8 * (8 + 2) + 3 * 5;

/// The whole answers to `questions`, in their order.
async fn answers(worker: &impl Worker, questions: Vec<Question>) -> Vec<ResultFile> {
    let ask = |(id, question)| ToWorker::Ask {
        id,
        url: worker.url(),
        question,
    };
    replies(worker, (0..).zip(questions).map(ask).collect()).await
}

/// The whole answers to `messages`, which are numbered from 0, in their order.
async fn replies(worker: &impl Worker, messages: Vec<ToWorker>) -> Vec<ResultFile> {
    let mut results: Vec<Option<ResultFile>> = vec![None; messages.len()];
    let engine = worker.engine();
    let choose = ToWorker::Choose {
        engine: EngineChoice {
            engine: Some(engine),
            threads: Some(2),
        },
    };
    for message in worker.serve([choose].into_iter().chain(messages).collect()).await {
        match message {
            FromWorker::Answer { id, part } => match &mut results[id as usize] {
                Some(result) => result.take(*part),
                none => *none = Some(*part),
            },
            FromWorker::Failed { error, .. } => panic!("{error}"),
            _ => {}
        }
    }
    let results: Vec<ResultFile> = results.into_iter().map(Option::unwrap).collect();
    for result in &results {
        assert_eq!(result.timing.as_ref().unwrap().engine, Some(engine));
    }
    results
}

/// The opened components on `side`, starting from `earlier`.
fn part_path(side: Side, path: Vec<Step>) -> Option<PartPath> {
    Some(PartPath {
        side,
        against: None,
        relative: None,
        path,
    })
}

/// Rows of `count` numbers each, of which `seen` are given: the others are 0.
fn padded(rows: &[f32], seen: usize, count: usize) -> Vec<f32> {
    let pad = |row: &[f32]| [row, &vec![0.0; count - seen]].concat();
    rows.chunks_exact(seen).flat_map(pad).collect()
}

fn values(result: &ResultFile, wanted: impl Fn(&Part) -> bool) -> Vec<f32> {
    let parts = result.down().unwrap().decomposition.parts.iter();
    parts
        .filter(|(part, _)| wanted(part))
        .map(|(_, value)| *value)
        .collect()
}

/// Compares what `worker` answers to the questions of every case; `source` has its model.
pub async fn check_answers(golden: &mut Golden, source: MemorySource, worker: &impl Worker) {
    let model = Model::open(Box::new(source), Default::default()).await.unwrap();
    for case in Case::all(&model, &fixture("pairs-golden.json")) {
        let question = Question {
            text: case.text.clone(),
            prepend_bos: case.bos,
            dest: Some(case.dest),
            src: Some(case.src),
            head: Some(case.head),
            ..Question::default()
        };
        let with = |relative: Option<Relative>, down: Option<PartPath>| Question {
            relative,
            down,
            ..question.clone()
        };
        let head = Step::Component(Component::Head(case.earlier));
        let mlp = Step::Component(Component::Mlp(case.earlier.layer));
        let twice = case.source_that_adds_most();
        let asked = vec![
            with(None, part_path(Side::Key, vec![head])),
            with(Some(Relative::Mean), part_path(Side::Key, vec![mlp])),
            with(Some(Relative::Attention), None),
            with(Some(Relative::Position(case.minus)), None),
            with(None, part_path(Side::Query, vec![head])),
            with(None, part_path(Side::Query, vec![mlp])),
            with(None, part_path(Side::Key, vec![mlp])),
            with(None, part_path(Side::Key, vec![head, Step::Source(twice)])),
            Question {
                targets: Targets {
                    a: Some(case.a),
                    b: Some(case.b),
                },
                effects: true,
                writes: true,
                lens: true,
                directions: true,
                ..question.clone()
            },
            Question {
                directions: true,
                ..with(Some(Relative::Attention), None)
            },
        ];
        let found = answers(worker, asked).await;
        check_attention(golden, &case, &found[0]);
        let table = &found[0].pair().unwrap().table;
        case.check(golden, "table", table.data());
        case.check(golden, "table_key_side", &key_side(table));
        case.check(golden, "table_query_side", &query_side(table));
        for (result, name) in
            found[1..]
                .iter()
                .zip(["table_minus_mean", "table_minus_attention", "table_minus_position"])
        {
            case.check(golden, name, result.pair().unwrap().table.data());
        }
        let count = case.tokens.len();
        let neurons = |part: &Part| matches!(part, Part::Neuron(_));
        let by_source = |result: &ResultFile| {
            let mut by_source = values(result, |_| true);
            by_source.resize(count, 0.0);
            by_source
        };
        case.check(golden, "earlier_head_by_source", &by_source(&found[0]));
        case.check(golden, "earlier_head_by_source_query", &by_source(&found[4]));
        case.check(golden, "mlp_by_neuron_query", &values(&found[5], neurons));
        case.check(golden, "mlp_by_neuron", &values(&found[6], neurons));
        case.check(golden, "mlp_b_out", &values(&found[6], |part| *part == Part::OutBias));
        case.check(golden, "down_twice", &values(&found[7], |_| true));
        case.check(golden, "down_twice_position", &[twice as f32]);
        check_effects(golden, &case, &found[8]);
        check_directions(golden, &case, [&found[8], &found[9]]);
    }
}

/// Compares direct effects and what the head writes; the last layer's lens is what comes next.
fn check_effects(golden: &mut Golden, case: &Case, result: &ResultFile) {
    let effects = result.effects().unwrap();
    case.check(golden, "direct_effects", effects.effects.data());
    case.check(golden, "direct_effect_b_U", &[effects.bias]);
    let mut by_source = effects.by_source.data().to_vec();
    by_source.resize(case.tokens.len(), 0.0);
    case.check(golden, "head_direct_effect_by_source", &by_source);
    let writes = result.writes().unwrap();
    let values = |tokens: &[TokenValue]| tokens.iter().map(|token| token.value).collect::<Vec<f32>>();
    case.check(golden, "ov_top", &values(&writes.raised));
    case.check(golden, "ov_bottom", &values(&writes.lowered));
    case.check(golden, "ov_logit_of_source_token", &[writes.source.value]);
    let (lens, next) = (result.lens().unwrap(), result.next().unwrap());
    let last = lens.layers.last().unwrap();
    for (of_lens, of_next) in last.tokens.iter().zip(&next.tokens) {
        // Two that are as likely but for the last digits may change places.
        let off = (of_lens.logprob - of_next.logprob).abs();
        let same = (of_lens.token, &of_lens.text) == (of_next.token, &of_next.text);
        assert!(
            off < if same { 1e-4 } else { 1e-5 },
            "{of_lens:?} instead of {of_next:?}"
        );
    }
    assert!((last.logprob_a - last.logprob_b - effects.difference).abs() < 1e-4);
}

/// Compares the directions of the score and of the one relative to attention.
fn check_directions(golden: &mut Golden, case: &Case, [result, relative]: [&ResultFile; 2]) {
    let values_of = |result: &ResultFile| {
        let section = result.directions().unwrap().clone();
        let groups = section.of_groups().into_iter();
        let (ranges, sums): (Vec<_>, Vec<f32>) = groups.map(|(first, count, sum)| (first..first + count, sum)).unzip();
        (section, ranges, sums)
    };
    let (section, groups, sums) = values_of(result);
    case.check(golden, "svd_singular_values", section.values.data());
    case.check_groups(golden, "svd_contributions", &sums, &groups);
    case.check(golden, "svd_biases", section.biases.data());
    let (section, groups, sums) = values_of(relative);
    case.check_groups(golden, "svd_contributions_minus_attention", &sums, &groups);
    case.check(golden, "svd_bias_minus_attention", &section.biases.data()[1..2]);
}

/// Compares where heads look, and what comes next.
fn check_attention(golden: &mut Golden, case: &Case, result: &ResultFile) {
    let (section, count) = (result.attention().unwrap(), case.tokens.len());
    let all = || section.known_heads().into_iter();
    assert_eq!(result.prompts[0].tokens, case.tokens);
    let scores = padded(section.scores.as_ref().unwrap().data(), case.dest + 1, count);
    case.check(golden, "scores_all_heads_at_dest", &scores);
    let pattern = (0..count).flat_map(|dest| padded(section.pattern_row(dest), dest + 1, count));
    case.check(golden, "pattern", &pattern.collect::<Vec<_>>());
    let to_src: Vec<f32> = all().map(|head| section.row(head)[case.src]).collect();
    case.check(golden, "pattern_to_src_all_heads", &to_src);
    let entropy: Vec<f32> = all().map(|head| section.entropy(head).unwrap()).collect();
    case.check(golden, "entropy_at_dest_all_heads", &entropy);
    let next = result.next().unwrap().tokens.iter();
    case.check(
        golden,
        "top_logprobs_at_dest",
        &next.map(|next| next.logprob).collect::<Vec<_>>(),
    );
}

/// The interventions of `case` by the names of their arrays.
pub fn interventions(case: &Case) -> Vec<(&'static str, Intervention)> {
    let set = |head, activation, to, at| Intervention::Set {
        head,
        activation,
        to,
        at,
    };
    let remove = |side| Intervention::Remove {
        side,
        component: Component::Head(case.earlier),
        scale: 1.0,
    };
    let substitute = |side, token| Intervention::Substitute {
        side,
        vector: Vector::Unembedding(token),
    };
    let (z, zero) = (HeadActivation::Z, Replacement::Zero);
    let mut all = vec![
        ("query=W_U[a]", substitute(Side::Query, case.a)),
        ("key=W_U[src]", substitute(Side::Key, case.tokens[case.src])),
        ("zero head", set(case.head, z, zero, Extent::All)),
        ("query without earlier head", remove(Side::Query)),
        ("key without earlier head", remove(Side::Key)),
        ("zero head at dest", set(case.head, z, zero, Extent::Pair)),
        ("zero earlier head", set(case.earlier, z, zero, Extent::All)),
    ];
    if case.second.is_some() {
        all.extend(
            [
                ("z of second", z, Extent::All),
                ("v of second", HeadActivation::V, Extent::All),
                ("q of second at dest", HeadActivation::Q, Extent::Pair),
                ("k of second at src", HeadActivation::K, Extent::Pair),
                ("pattern of second", HeadActivation::Pattern, Extent::All),
            ]
            .map(|(name, activation, at)| (name, set(case.head, activation, Replacement::Second, at))),
        );
    }
    all
}

/// Compares what `worker` answers of the interventions of every case, and what is predicted of them; `source` has its model.
pub async fn check_interventions(golden: &mut Golden, source: MemorySource, worker: &impl Worker) {
    let model = Model::open(Box::new(source), Default::default()).await.unwrap();
    let cases = Case::all(&model, &fixture("pairs-golden.json"));
    let message = |(id, case): (u32, &Case)| ToWorker::Intervene {
        id,
        url: worker.url(),
        question: Question {
            text: case.text.clone(),
            prepend_bos: case.bos,
            dest: Some(case.dest),
            src: Some(case.src),
            head: Some(case.head),
            targets: Targets {
                a: Some(case.a),
                b: Some(case.b),
            },
            ..Question::default()
        },
        intervening: InterventionRequest {
            interventions: interventions(case)
                .into_iter()
                .map(|(_, intervention)| intervention)
                .collect(),
            second: case.second_text.clone(),
            ..InterventionRequest::default()
        },
    };
    let found = replies(worker, (0..).zip(&cases).map(message).collect()).await;
    for (case, result) in cases.iter().zip(&found) {
        let section = result.intervention().unwrap();
        let reported =
            |outcome: &Outcome| vec![outcome.attention(case.src), outcome.logit_difference, outcome.logprob_a];
        case.check(golden, "effect/none", &reported(&section.before));
        let asked = interventions(case);
        assert_eq!(section.effects.len(), asked.len());
        for ((name, intervention), effect) in asked.iter().zip(&section.effects) {
            assert_eq!(effect.intervention, *intervention);
            case.check(golden, &format!("effect/{name}"), &reported(&effect.after));
            let prediction = format!("prediction/{name}");
            if case.has(&prediction) {
                let Predicted {
                    attention,
                    score,
                    logit_difference,
                } = effect.predicted;
                case.check(golden, &prediction, &[attention, logit_difference, score]);
            }
        }
    }
}
