//! The head's output over many prompts and its recurring directions equal the answers about the sentences one by one.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used)]

mod common;
mod golden_file;

use common::{assert_one_line, block_on, tiny};
use golden_file::pairs::Case;
use golden_file::results::Nobody;
use golden_file::{Golden, fixture};
use keyside::analysis::pair::{Question, QuestionCache, ask, likeliest};
use keyside::analysis::{Analysis, GroupsOverPrompts, RunDirectionsSection, RunWritesSection, Section, analyze};
use keyside::forward::{Model, NoMonitor, Pass, PrefixTree, Request, Tap};
use keyside::model::Processing;
use keyside::names::{BlockHook, Component, Head, HookPoint, Relative};
use keyside::prompts::text::{Format, TextPrompts};
use keyside::prompts::{IoiSet, Prompt, PromptSource};
use keyside::result::ResultFile;

const TOLERANCE: f32 = 1e-4;

fn close(found: f32, expected: f32, what: &str) {
    assert!((found - expected).abs() <= TOLERANCE, "{what}: {found} for {expected}");
}

fn run(model: &mut Model, analysis: &Analysis) -> ResultFile {
    let found = block_on(analyze(model, analysis, &Nobody)).unwrap();
    let result = ResultFile::new(model, analysis, found);
    // As it is written and read again.
    ResultFile::from_json(result.to_json().unwrap().as_bytes()).unwrap()
}

fn analysis(head: Head, prompts: PromptSource) -> Analysis {
    Analysis {
        head,
        earlier_head: Head::new(0, 3),
        prompts,
        writes: true,
        ..Analysis::default()
    }
}

fn drawn() -> PromptSource {
    IoiSet {
        seed: 3,
        batches: 2,
        batch_size: 4,
        prepend_bos: true,
    }
    .into()
}

fn own(text: &str, format: Format) -> PromptSource {
    PromptSource::Text(TextPrompts {
        text: text.to_owned(),
        format,
        ..TextPrompts::default()
    })
}

/// The answer about one prompt.
struct Answer {
    sections: Vec<Section>,
}

impl Answer {
    /// With the prompt's own targets, if it has any; directions relative to `relative`.
    fn of(model: &mut Model, prompt: &Prompt, head: Head, relative: Option<Relative>) -> Self {
        let bos = model.tokenizer().bos_token().unwrap();
        let question = Question {
            text: prompt.text.clone(),
            prepend_bos: prompt.tokens.first() == Some(&bos),
            dest: prompt.dest().ok(),
            src: prompt.src().ok(),
            head: Some(head),
            relative,
            targets: prompt.targets,
            effects: true,
            writes: true,
            lens: true,
            directions: true,
            ..Question::default()
        };
        let mut sections = Vec::new();
        let give = |_: &Model, found: &Prompt, section: Section, _| {
            assert_eq!(found.tokens, prompt.tokens);
            sections.push(section);
        };
        block_on(ask(model, &mut QuestionCache::default(), &question, &Nobody, give)).unwrap();
        Self { sections }
    }

    fn find<T>(&self, read: impl Fn(&Section) -> Option<T>) -> T {
        self.sections.iter().find_map(read).unwrap()
    }
}

/// The head's contribution to all logits at the destination of `prompt`, with all its sources, by a separate pass.
fn raised_by_head(model: &mut Model, prompt: &Prompt, head: Head) -> Vec<f32> {
    let seen = &prompt.tokens[..=prompt.dest().unwrap()];
    let tree = PrefixTree::new([seen]);
    let row = *tree.path(0).last().unwrap();
    let z = Tap::new(HookPoint::block(head.layer, BlockHook::Z), vec![row]).of_head(head.head);
    let scale = Tap::new(HookPoint::LnFinalScale, vec![row]);
    let mut passes = [Pass::new(tree, Request::of(vec![z, scale]))];
    let layers = model.config().n_layer;
    block_on(model.run(&mut passes, layers, &NoMonitor)).unwrap();
    let [z, scale] = [0, 1].map(|tap| passes[0].captured[tap].row(0).to_vec());
    let z: Vec<f64> = z.into_iter().map(f64::from).collect();
    let mut written = block_on(model.written_by(head, &z, &NoMonitor)).unwrap();
    written.iter_mut().for_each(|v| *v /= f64::from(scale[0]));
    block_on(model.raised(&written, &NoMonitor)).unwrap()
}

/// Compares prompt number `index` of `section` with what is answered about it alone.
fn check_writes(model: &mut Model, section: &RunWritesSection, index: usize, prompt: &Prompt) {
    let head = section.head;
    let what = format!("{:?}, head {head}", prompt.text);
    let answer = Answer::of(model, prompt, head, None);
    let (dest, src) = (prompt.dest().unwrap(), prompt.src().unwrap());

    let writes = answer.find(|section| match section {
        Section::Writes(section) => Some(section.clone()),
        _ => None,
    });
    close(section.source.data()[index], writes.source.value, &what);
    close(section.attention.data()[index], writes.attention, &what);
    assert_eq!(
        (section.rank[index], section.vocabulary),
        (writes.rank, writes.vocabulary),
        "{what}"
    );

    let effects = answer.find(|section| match section {
        Section::Effects(section) => Some(section.clone()),
        _ => None,
    });
    assert_eq!(
        (section.a[index], section.b[index]),
        (effects.a.token, effects.b.token),
        "{what}"
    );
    let effect = effects.of(Component::Head(head)).unwrap();
    close(section.direct_effect.data()[index], effect, &what);

    let raised = raised_by_head(model, prompt, head);
    let lowered: Vec<f32> = raised.iter().map(|v| -v).collect();
    let (token, value) = likeliest(&lowered, 1)[0];
    assert_eq!(section.suppressed[index], token, "{what}");
    close(section.lowest.data()[index], -value, &what);

    let lens = answer.find(|section| match section {
        Section::Lens(section) => Some(section.clone()),
        _ => None,
    });
    let told: Vec<u32> = lens.layers[head.layer].tokens.iter().map(|token| token.token).collect();
    assert_eq!(section.predicted[index].len(), 10, "{what}");
    let both = told.len().min(10);
    assert_eq!(section.predicted[index][..both], told[..both], "{what}");

    let row = answer.find(|section| match section {
        Section::Attention(section) => Some(section.row(head)),
        _ => None,
    });
    let mut seen: Vec<usize> = (1..=dest).collect();
    seen.sort_by(|left, right| row[*right].total_cmp(&row[*left]));
    let first = prompt.tokens[seen[0]];
    let second = seen
        .iter()
        .map(|position| prompt.tokens[*position])
        .find(|token| *token != first);
    assert_eq!(
        (section.attended[index], section.second[index]),
        (Some(first), second),
        "{what}"
    );
    let is_suppressed = |token: Option<u32>| token.map(|token| f32::from(u8::from(token == section.suppressed[index])));
    assert_eq!(
        section.of_attended(index).map(|chances| chances.suppressed),
        is_suppressed(Some(first))
    );
    assert_eq!(
        section.of_second(index).map(|chances| chances.suppressed),
        is_suppressed(second)
    );

    // The control: the mean over the other tokens of the prompt, from W_U's columns.
    let sentence = block_on(keyside::analysis::pair::Sentence::read(
        model,
        &prompt.tokens,
        None,
        &NoMonitor,
    ))
    .unwrap();
    let pair = keyside::analysis::pair::Pair {
        tokens: prompt.tokens.clone(),
        dest,
        src,
        head,
    };
    let logits = block_on(sentence.writes(model, &pair, &NoMonitor)).unwrap().logits;
    let mut others: Vec<u32> = prompt.tokens[..=dest].to_vec();
    others.sort_unstable();
    others.dedup();
    others.retain(|token| *token != prompt.tokens[src]);
    let mean = others.iter().map(|token| logits[*token as usize]).sum::<f32>() / others.len() as f32;
    close(section.others[index].unwrap(), mean, &what);
}

/// Compares `found` with means over what is answered about each of `prompts` alone.
fn check_directions(
    model: &mut Model,
    section: &RunDirectionsSection,
    found: &GroupsOverPrompts,
    (prompts, relative): (&[Prompt], Option<Relative>),
) {
    let (groups, n) = (section.groups.len(), prompts.len());
    let mut of_groups = vec![Vec::new(); groups];
    let (mut explaining, mut biases, mut score) = (vec![0; groups], [0.0; 3], 0.0);
    for (index, prompt) in prompts.iter().enumerate() {
        let answer = Answer::of(model, prompt, section.head, relative);
        let directions = answer.find(|section| match section {
            Section::Directions(section) => Some(section.clone()),
            _ => None,
        });
        assert_eq!(directions.groups, section.groups);
        assert_eq!(found.needed[index], directions.explaining, "{}", prompt.text);
        let mut by_size: Vec<(usize, f32)> = directions
            .of_groups()
            .iter()
            .map(|(_, _, sum)| *sum)
            .enumerate()
            .collect();
        by_size.iter().for_each(|(group, sum)| of_groups[*group].push(*sum));
        by_size.sort_by(|left, right| right.1.abs().total_cmp(&left.1.abs()));
        by_size[..directions.explaining]
            .iter()
            .for_each(|(group, _)| explaining[*group] += 1);
        biases
            .iter_mut()
            .zip(directions.biases.data())
            .for_each(|(total, bias)| *total += bias / n as f32);
        score += directions.score / n as f32;
        // Directions and biases add up to the score in every prompt.
        close(directions.sum(), directions.score, &prompt.text);
    }
    assert_eq!(found.explaining, explaining);
    close(found.mean_score, score, "score");
    assert!(found.max_abs_residual <= TOLERANCE, "{}", found.max_abs_residual);
    for (found, expected) in found.biases.data().iter().zip(biases) {
        close(*found, expected, "biases");
    }
    let deviations = found.deviation.as_ref().unwrap().data();
    for ((values, mean), deviation) in of_groups.iter().zip(found.mean.data()).zip(deviations) {
        let expected = values.iter().sum::<f32>() / n as f32;
        close(*mean, expected, "mean");
        let squares: f32 = values.iter().map(|value| (value - expected).powi(2)).sum();
        close(*deviation, (squares / (n as f32 - 1.0)).sqrt(), "deviation");
    }
    let sum: f32 = found.mean.data().iter().chain(found.biases.data()).sum();
    close(sum, found.mean_score, "sum of means");
}

#[test]
fn a_run_finds_what_one_sentence_after_the_other_is_answered() {
    let text = "When [[Mary]] and John went to the store, John gave a drink [[to]]\nThe [[keys]] to the old cabinet [[are]] here\n\
                [[Mary]] and Mary and [[John]]";
    let some = Processing {
        fold_ln: false,
        center_unembed: false,
        ..Processing::default()
    };
    for (head, prompts, processing) in [
        (Head::new(2, 1), drawn(), Processing::default()),
        (Head::new(1, 2), drawn(), some),
        (Head::new(1, 2), own(text, Format::Lines), Processing::default()),
    ] {
        let mut model = block_on(Model::open(Box::new(tiny()), processing)).unwrap();
        let analysis = Analysis {
            processing,
            ..analysis(head, prompts)
        };
        let result = run(&mut model, &analysis);
        let writes = result.run_writes().unwrap();
        for (index, prompt) in result.prompts.iter().enumerate() {
            check_writes(&mut model, writes, index, prompt);
        }
        let directions = result.run_directions().unwrap();
        let prompts = &result.prompts[..];
        check_directions(&mut model, directions, &directions.score, (prompts, None));
        let to = Some(Relative::Attention);
        check_directions(&mut model, directions, &directions.relative, (prompts, to));
    }
}

#[test]
fn runs_of_one_prompt_give_the_golden_numbers() {
    let mut golden = Golden::without_file(TOLERANCE);
    let mut model = block_on(Model::open(Box::new(tiny()), Processing::default())).unwrap();
    let mut count = 0;
    for case in Case::all(&model, &fixture("pairs-golden.json")) {
        if case.head.layer == 0 {
            // A run needs an earlier head.
            continue;
        }
        let prompts = PromptSource::Text(TextPrompts {
            text: case.text.clone(),
            prepend_bos: case.bos,
            dest: Some(case.dest),
            src: Some(case.src),
            ..TextPrompts::default()
        });
        let result = run(&mut model, &analysis(case.head, prompts));
        assert_eq!(result.prompts[0].tokens, case.tokens);
        let directions = result.run_directions().unwrap();
        let mut first = 0;
        let range = |size: &usize| {
            first += size;
            first - size..first
        };
        let ranges: Vec<_> = directions.groups.iter().map(range).collect();
        let (score, relative) = (&directions.score, &directions.relative);
        case.check(&mut golden, "svd_singular_values", directions.values.data());
        case.check(&mut golden, "svd_biases", score.biases.data());
        case.check_groups(&mut golden, "svd_contributions", score.mean.data(), &ranges);
        case.check(&mut golden, "svd_bias_minus_attention", &relative.biases.data()[1..2]);
        let of_relative = "svd_contributions_minus_attention";
        case.check_groups(&mut golden, of_relative, relative.mean.data(), &ranges);
        assert_eq!(score.deviation, None);
        case.check(
            &mut golden,
            "ov_logit_of_source_token",
            result.run_writes().unwrap().source.data(),
        );

        // The same with the case's targets, as CSV.
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        let [a, b] = [case.a, case.b].map(|token| quoted(&model.tokenizer().text(&[token])));
        let text = format!(
            "text,dest,src,a,b\n{},{},{},{a},{b}\n",
            quoted(&case.text),
            case.dest,
            case.src
        );
        let prompts = PromptSource::Text(TextPrompts {
            text,
            format: Format::Csv,
            prepend_bos: case.bos,
            ..TextPrompts::default()
        });
        let result = run(&mut model, &analysis(case.head, prompts));
        let writes = result.run_writes().unwrap();
        assert_eq!(
            (writes.a[0], writes.b[0]),
            (case.a, case.b),
            "{text:?}",
            text = case.text
        );
        case.check_sum(
            &mut golden,
            "head_direct_effect_by_source",
            writes.direct_effect.data()[0],
        );
        count += 1;
    }
    assert!(count >= 4, "{count} cases");
    assert_eq!(golden.compared, count * 7);
    golden.finish();
}

#[test]
fn it_is_off_unless_it_is_asked_for() {
    let mut model = block_on(Model::open(Box::new(tiny()), Processing::default())).unwrap();
    let mut analysis = analysis(Head::new(1, 2), drawn());
    let with = run(&mut model, &analysis);
    analysis.writes = false;
    let without = run(&mut model, &analysis);
    assert!(with.run_writes().is_some() && without.run_writes().is_none());
    // All else is the same, though the passes went further.
    assert_eq!(with.run_directions(), without.run_directions());
    assert_eq!(with.substitution(), without.substitution());
    assert_eq!(with.contributions(), without.contributions());
}

#[test]
fn the_same_token_as_both_targets_is_said_in_a_sentence() {
    let mut model = block_on(Model::open(Box::new(tiny()), Processing::default())).unwrap();
    let text = "text,dest,src,a,b\nWhen Mary went,2,1, Mary, Mary\n";
    let mut analysis = analysis(Head::new(1, 2), own(text, Format::Csv));
    let error = block_on(analyze(&mut model, &analysis, &Nobody))
        .unwrap_err()
        .to_string();
    assert_one_line(&error);
    assert!(error.contains("the same token as both targets"), "{error}");
    // Where targets are not used, they are not checked.
    analysis.writes = false;
    assert!(block_on(analyze(&mut model, &analysis, &Nobody)).is_ok());
}
