//! Comparison of a model with its recording.

use futures::executor::block_on;
use keyside::analysis::pair::{
    Between, Extent, Intervention, InterventionRequest, Question, QuestionCache, Replacement, Sentence, intervene,
};
use keyside::analysis::{HeadEffectsSection, Section, TargetPrompt};
use keyside::forward::{Edit, Model, NoMonitor, Pass, PrefixTree, Request, Tap, Variant};
use keyside::names::{BlockHook, Component, Head, HeadActivation, HookPoint};
use keyside::prompts::Targets;
use keyside::result::{Recording, Rows};

use super::results::Nobody;
use super::{Golden, largest_difference};

/// Holds what `model` makes of every sentence of `recording` against it, and gives back the number of arrays that were compared.
/// What differs by more than `tolerance` fails the test.
pub fn check(model: &mut Model, recording: &Recording, tolerance: f32) -> usize {
    let mut golden = Golden::without_file(tolerance);
    for sentence in &recording.sentences {
        let question = Question {
            text: sentence.text.clone(),
            prepend_bos: sentence.prepend_bos,
            ..Question::default()
        };
        let tokens = question.prompt(model).unwrap().tokens;
        assert_eq!(tokens, sentence.tokens, "{}", sentence.text);
        let read = block_on(Sentence::read(model, &tokens, None, &NoMonitor)).unwrap();
        for (&head, expected) in &sentence.heads {
            let mut found = Vec::new();
            for dest in 0..tokens.len() {
                let mut row = read.scores(model, head, dest).unwrap();
                if sentence.rows == Rows::Probs {
                    let most = row.iter().copied().fold(f32::MIN, f32::max);
                    row.iter_mut().for_each(|score| *score = (*score - most).exp());
                    let sum: f32 = row.iter().sum();
                    row.iter_mut().for_each(|power| *power /= sum);
                }
                found.extend(row);
            }
            golden.check_values(&format!("{} {head}", sentence.text), &found, expected);
        }
        for (&dest, tokens) in &sentence.next {
            let log_probs = block_on(read.log_probs(model, dest, &NoMonitor)).unwrap();
            let (found, expected): (Vec<f32>, Vec<f32>) = tokens
                .iter()
                .map(|next| (log_probs[next.token as usize], next.logprob))
                .unzip();
            golden.check_values(&format!("{} next after {dest}", sentence.text), &found, &expected);
        }
    }
    let compared = golden.compared;
    golden.finish();
    compared
}

/// What the recorded effects of heads say that `model` does not, and the number of numbers that were compared. Direct effects are those of
/// a sentence as a reader asks for them, patching is interventions with a second sentence; only what is left without a head is found by
/// an edit of a plain pass, as no question asks for it. Means are over the recording's prompts.
pub fn effects_that_differ(model: &mut Model, recorded: &HeadEffectsSection, tolerance: f32) -> (Vec<String>, usize) {
    let (layers, n_head) = (model.config().n_layer, model.config().n_head);
    let heads: Vec<Head> = (0..layers)
        .flat_map(|layer| (0..n_head).map(move |head| Head::new(layer, head)))
        .collect();
    let count = recorded.prompts.len() as f64;
    let mut direct = vec![0.0; heads.len()];
    let mut without = vec![0.0; heads.len() + 1];
    let mut patched = vec![0.0; 3 * heads.len()];
    let (mut differences, mut whole, mut ground) = (Vec::new(), 0.0, 0.0);
    for prompt in &recorded.prompts {
        let mut asked = AskedPrompt::new(model, prompt);
        differences.push(asked.difference(model) as f32);
        add(&mut direct, &asked.direct(model, n_head));
        if let Some(without_head) = &recorded.without {
            add(&mut without, &asked.without(model, without_head.head, &heads));
        }
        if recorded.patched.is_some() {
            // The same names, the other one doubled: activations of this prompt go into that one.
            let exchanged = |other: &&TargetPrompt| (&other.answer, &other.other) == (&prompt.other, &prompt.answer);
            let others: Vec<&TargetPrompt> = recorded.prompts.iter().filter(exchanged).collect();
            assert_eq!(others.len(), 1, "{}", prompt.text);
            let (before, after) = asked.patched(model, &others[0].text, &heads);
            whole += asked.difference(model);
            ground += before;
            add(&mut patched, &after);
        }
    }
    let mut found = Vec::new();
    let mut compared = 0;
    let mut check = |name: &str, values: Vec<f32>, expected: &[f32]| {
        let difference = largest_difference(&values, expected);
        report!(
            "{name:24} {:5} values, largest difference {difference:.2e}",
            values.len()
        );
        compared += values.len();
        if difference > tolerance {
            found.push(format!("{name}: {difference:.2e}"));
        }
    };
    let means = |sums: &[f64]| sums.iter().map(|sum| (sum / count) as f32).collect::<Vec<f32>>();
    let expected: Vec<f32> = recorded.prompts.iter().map(|prompt| prompt.logit_difference).collect();
    let mean = differences.iter().map(|&difference| f64::from(difference)).sum::<f64>();
    check("logit differences", differences, &expected);
    check("their mean", means(&[mean]), &[recorded.logit_difference]);
    check("direct effects", means(&direct), recorded.direct.data());
    if let Some(expected) = &recorded.without {
        let mut values = means(&without);
        let difference = values.pop().unwrap();
        check("difference without", vec![difference], &[expected.logit_difference]);
        check("direct effects without", values, expected.direct.data());
    }
    if let Some(expected) = &recorded.patched {
        let arrays = [("z", &expected.z), ("v", &expected.v), ("pattern", &expected.pattern)];
        for ((name, expected), sums) in arrays.into_iter().zip(patched.chunks_exact(heads.len())) {
            let restored = sums.iter().map(|sum| ((sum - ground) / (whole - ground)) as f32);
            check(&format!("patched {name}"), restored.collect(), expected.data());
        }
    }
    (found, compared)
}

fn add(sums: &mut [f64], values: &[f64]) {
    assert_eq!(sums.len(), values.len());
    sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
}

/// A recorded prompt as a question.
struct AskedPrompt {
    question: Question,
    targets: Between,
    tokens: Vec<u32>,
    sentence: Sentence,
}

impl AskedPrompt {
    fn new(model: &mut Model, prompt: &TargetPrompt) -> Self {
        let [a, b] = [&prompt.answer, &prompt.other].map(|text| model.tokenizer().single_token(text).unwrap());
        let question = Question {
            text: prompt.text.clone(),
            prepend_bos: true,
            targets: Targets { a: Some(a), b: Some(b) },
            head: Some(Head::new(0, 0)),
            src: Some(0),
            ..Question::default()
        };
        let tokens = question.prompt(model).unwrap().tokens;
        Self {
            sentence: block_on(Sentence::read(model, &tokens, None, &NoMonitor)).unwrap(),
            targets: Between { a, b },
            question,
            tokens,
        }
    }

    fn difference(&self, model: &Model) -> f64 {
        let last = self.tokens.len() - 1;
        let log_probs = block_on(self.sentence.log_probs(model, last, &NoMonitor)).unwrap();
        let log_prob = |token: u32| f64::from(log_probs[token as usize]);
        log_prob(self.targets.a) - log_prob(self.targets.b)
    }

    /// Direct effects of all heads.
    fn direct(&self, model: &mut Model, n_head: usize) -> Vec<f64> {
        let last = self.tokens.len() - 1;
        let written = block_on(self.sentence.written(model, last, &NoMonitor)).unwrap();
        let effects = block_on(written.direct_effects(model, self.targets, &NoMonitor)).unwrap();
        let all = Component::before(model.config().n_layer, n_head).zip(effects.of_components);
        all.filter(|(component, _)| matches!(component, Component::Head(_)))
            .map(|(_, effect)| f64::from(effect))
            .collect()
    }

    /// Direct effects of all `heads` with the output of `head` at the last token set to 0, and the difference of logits.
    fn without(&self, model: &mut Model, head: Head, heads: &[Head]) -> Vec<f64> {
        let (last, config) = (self.tokens.len() - 1, model.config().clone());
        let request = Request {
            keep_from: Some(0),
            ..Request::default()
        };
        let mut passes = [Pass::new(PrefixTree::new([&self.tokens[..]]), request)];
        block_on(model.run(&mut passes, config.n_layer, &NoMonitor)).unwrap();
        let zero = |layer: usize, number: usize, position: usize, value: Vec<f32>| {
            Edit::of_head(layer, BlockHook::Z, number, position, value)
        };
        let mut edits = vec![zero(head.layer, head.head, last, vec![0.0; config.d_head()])];
        if head.layer > 0 {
            // An edit of layer 0 that changes nothing: the row is computed again from there, and all heads can be captured.
            let point = HookPoint::block(0, BlockHook::ResidPre);
            let value = embedding(model, self.tokens[last], last);
            edits.push(Edit {
                point,
                head: None,
                position: last,
                value,
            });
        }
        let variant = Variant {
            edits,
            ..Variant::default()
        };
        let mut edited = passes[0].edited(&config, &[variant]).unwrap();
        let row = edited.tree.path(0)[last];
        let results = (0..config.n_layer).map(|layer| HookPoint::block(layer, BlockHook::Result));
        let points = results.chain([HookPoint::LnFinalScale]);
        edited.request.taps = points.map(|point| Tap::new(point, vec![row])).collect();
        let mut passes = [edited];
        block_on(model.run(&mut passes, config.n_layer, &NoMonitor)).unwrap();
        let logits = block_on(model.logits(&passes[0], &[row], &NoMonitor))
            .unwrap()
            .remove(0);
        let (a, b) = (self.targets.a, self.targets.b);
        let [of_a, of_b] = [a, b].map(|token| model.w_u(token).unwrap());
        let captured = &passes[0].captured;
        let scale = f64::from(captured[config.n_layer].row(0)[0]);
        let effect = |head: &Head| {
            let result = captured[head.layer]
                .row(0)
                .chunks_exact(config.d_model)
                .nth(head.head)
                .unwrap();
            let numbers = result.iter().zip(of_a.iter().zip(&of_b));
            let along = numbers.map(|(r, (a, b))| f64::from(*r) * (f64::from(*a) - f64::from(*b)));
            along.sum::<f64>() / scale
        };
        let mut found: Vec<f64> = heads.iter().map(effect).collect();
        found.push(f64::from(logits[a as usize]) - f64::from(logits[b as usize]));
        found
    }

    /// The difference of logits after the sentence `into`, and what it is with `z`, values and pattern of each of `heads` taken from
    /// this prompt, `[3, heads]`.
    fn patched(&mut self, model: &mut Model, into: &str, heads: &[Head]) -> (f64, Vec<f64>) {
        let question = Question {
            text: into.to_owned(),
            ..self.question.clone()
        };
        let mut known = QuestionCache::default();
        let mut after = Vec::new();
        let mut before = 0.0;
        for activation in [HeadActivation::Z, HeadActivation::V, HeadActivation::Pattern] {
            // A layer at a time, for memory.
            for heads in heads.chunk_by(|one, other| one.layer == other.layer) {
                let set = |&head: &Head| Intervention::Set {
                    head,
                    activation,
                    to: Replacement::Second,
                    at: Extent::All,
                };
                let intervening = InterventionRequest {
                    interventions: heads.iter().map(set).collect(),
                    second: Some(self.question.text.clone()),
                    ..InterventionRequest::default()
                };
                let give = |_: &Model, _: &_, section: Section, _| match section {
                    Section::Intervention(section) => {
                        before = f64::from(section.before.logit_difference);
                        let effects = section.effects.iter();
                        after.extend(effects.map(|effect| f64::from(effect.after.logit_difference)));
                    }
                    other => panic!("{other:?}"),
                };
                block_on(intervene(model, &mut known, (&question, &intervening), &Nobody, give)).unwrap();
            }
        }
        (before, after)
    }
}

/// The initial residual stream for a token at a position.
fn embedding(model: &mut Model, token: u32, position: usize) -> Vec<f32> {
    block_on(model.load_embedding(&[token].into(), &NoMonitor)).unwrap();
    let (of_token, of_position) = (model.w_e(token).unwrap(), model.w_pos(position).unwrap());
    of_token
        .iter()
        .zip(of_position)
        .map(|(one, other)| one + other)
        .collect()
}
