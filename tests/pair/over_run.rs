//! An intervention in every prompt of a run gives the values of the same intervention in each prompt by itself.

use keyside::analysis::pair::{
    Intervention, InterventionRequest, Question, QuestionCache, Replacement, Vector, intervene,
};
use keyside::analysis::{Analysis, ChangesSection, RunIntervention, RunReplacement, RunVector, Section, analyze};
use keyside::forward::Model;
use keyside::model::Processing;
use keyside::names::{ChangeMeasure, Head, SeriesId};
use keyside::prompts::text::TextPrompts;
use keyside::prompts::{IoiSet, Prompt, PromptSource};
use keyside::{Error, ErrorKind, Result};

use crate::common::{assert_one_line, block_on};
use crate::golden_file::Recorder;
use crate::model;

const HEAD: Head = Head::new(2, 1);

fn drawn() -> PromptSource {
    IoiSet {
        seed: 3,
        batches: 2,
        batch_size: 3,
        prepend_bos: false,
    }
    .into()
}

/// Prompts of one's own: of several lengths, without targets.
fn own() -> PromptSource {
    let text = "When [[Mary]] and John went to the store, John gave a drink [[to]]\n\
                Then [[John]] met Mary, and Mary gave it [[to]] him\n\
                The [[keys]] to the [[cabinet]]";
    of_lines(text)
}

fn of_lines(text: &str) -> PromptSource {
    PromptSource::Text(TextPrompts {
        text: text.to_owned(),
        ..TextPrompts::default()
    })
}

fn analysis(prompts: PromptSource, intervention: &str) -> Analysis {
    Analysis {
        head: HEAD,
        earlier_head: Head::new(1, 3),
        prompts,
        intervention: Some(intervention.parse().unwrap()),
        ..Analysis::default()
    }
}

fn changes_of(sections: Vec<Section>) -> ChangesSection {
    let mut found = sections.into_iter().filter_map(|section| match section {
        Section::Changes(section) => Some(section),
        _ => None,
    });
    found.next().unwrap()
}

fn run(model: &mut Model, analysis: &Analysis, recorder: &Recorder) -> Result<(Vec<Prompt>, ChangesSection)> {
    let found = block_on(analyze(model, analysis, recorder))?;
    Ok((found.prompts, changes_of(found.sections)))
}

/// The same at `prompt` alone; vectors that the histograms have a series of are rows of W_U and W_E here.
fn by_itself(intervention: &RunIntervention, prompt: &Prompt) -> Intervention {
    match intervention {
        RunIntervention::Substitute { side, vector } => Intervention::Substitute {
            side: *side,
            vector: match vector {
                RunVector::Series(SeriesId::WuIo | SeriesId::WeIo) => Vector::Unembedding(prompt.src_token().unwrap()),
                RunVector::Series(SeriesId::WuS) => Vector::Unembedding(prompt.targets.b.unwrap()),
                RunVector::Series(SeriesId::WuRandom) => Vector::Unembedding(prompt.drawn["random"]),
                RunVector::Series(SeriesId::WeIoTrue) => Vector::Embedding(prompt.src_token().unwrap()),
                RunVector::Component(component) => Vector::Component(*component),
                RunVector::Mean => Vector::Mean,
                RunVector::Zero => Vector::Zero,
                RunVector::Series(other) => panic!("{other}"),
            },
        },
        RunIntervention::Remove { side, component } => Intervention::Remove {
            side: *side,
            component: *component,
            scale: 1.0,
        },
        RunIntervention::Set {
            head,
            activation,
            to,
            at,
        } => Intervention::Set {
            head: *head,
            activation: *activation,
            to: match to {
                RunReplacement::Zero => Replacement::Zero,
                RunReplacement::Mean => Replacement::Mean,
            },
            at: *at,
        },
    }
}

/// Attention, logit difference and log-probability before and after, then what is predicted of the first two, one prompt after the other.
fn one_by_one(model: &mut Model, intervention: &RunIntervention, prompts: &[Prompt]) -> Vec<[f32; 8]> {
    let numbers = |prompt: &Prompt| {
        let question = Question {
            text: prompt.text.clone(),
            dest: Some(prompt.dest().unwrap()),
            src: Some(prompt.src().unwrap()),
            head: Some(HEAD),
            targets: prompt.targets,
            ..Question::default()
        };
        let intervening = InterventionRequest {
            interventions: vec![by_itself(intervention, prompt)],
            second: None,
            run: prompts.to_vec(),
            ..InterventionRequest::default()
        };
        let mut found = None;
        let give = |_: &Model, _: &Prompt, section: Section, _| found = Some(section);
        let recorder = Recorder::default();
        let asked = (&question, &intervening);
        block_on(intervene(model, &mut QuestionCache::default(), asked, &recorder, give)).unwrap();
        let Some(Section::Intervention(section)) = found else {
            panic!("{found:?}")
        };
        let (before, effect) = (&section.before, &section.effects[0]);
        [
            before.attention(section.src),
            before.logit_difference,
            before.logprob_a,
            effect.after.attention(section.src),
            effect.after.logit_difference,
            effect.after.logprob_a,
            effect.predicted.attention,
            effect.predicted.logit_difference,
        ]
    };
    prompts.iter().map(numbers).collect()
}

fn numbers(section: &ChangesSection) -> Vec<[f32; 8]> {
    let outcomes_of = |index: usize| {
        let outcome =
            |outcomes: &keyside::analysis::Outcomes| ChangeMeasure::ALL.map(|measure| outcomes.of(measure)[index]);
        let ([a, b, c], [d, e, f]) = (outcome(&section.before), outcome(&section.after));
        let predicted = &section.predicted;
        let [g, h] = [&predicted.attention, &predicted.logit_difference].map(|array| array.data()[index]);
        [a, b, c, d, e, f, g, h]
    };
    (0..section.prompts()).map(outcomes_of).collect()
}

fn assert_close(what: &str, found: &[[f32; 8]], expected: &[[f32; 8]], tolerance: f32) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (prompt, (found, expected)) in found.iter().zip(expected).enumerate() {
        for (number, (found, expected)) in found.iter().zip(expected).enumerate() {
            assert!(
                (found - expected).abs() <= tolerance * expected.abs().max(1.0),
                "{what}: prompt {prompt}, number {number}: {found} for {expected}"
            );
        }
    }
}

#[test]
fn every_prompt_is_as_it_is_by_itself() {
    let of_drawn = [
        "query from W_U[IO]",
        "query from W_U[S]",
        "query from W_U[random]",
        "key from W_E[IO]",
        "key from W_E[IO] (true embedding)",
        "query from 1.3",
        "key from MLP0",
        "query from mean",
        "key from mean",
        "key from zero",
        "query without 1.3",
        "key without 0.2",
        "query without MLP1",
        "key without W_E",
        "query without W_pos",
        "key without b_O0",
        "z of 1.3 zero everywhere",
        "z of 2.1 zero",
        "q of 2.1 mean",
        "k of 1.0 mean",
        "v of 0.2 zero everywhere",
        "pattern of 2.1 zero",
        "k of 2.3 zero",
    ];
    // Prompts of several lengths have no means at every position.
    let of_own = [
        "query from W_U[IO]",
        "query from mean",
        "key without MLP0",
        "z of 1.3 mean",
    ];
    let mut model = model(Processing::default());
    let mut changed = 0;
    for (prompts, interventions) in [(drawn(), &of_drawn[..]), (own(), &of_own[..])] {
        for text in interventions {
            let analysis = analysis(prompts.clone(), text);
            let (prompts, section) = run(&mut model, &analysis, &Recorder::default()).unwrap();
            let intervention = analysis.intervention.as_ref().unwrap();
            let expected = one_by_one(&mut model, intervention, &prompts);
            assert_close(text, &numbers(&section), &expected, 2e-5);
            assert_eq!(section.intervention.to_string(), *text);
            changed += usize::from(
                section
                    .change(ChangeMeasure::LogprobA)
                    .iter()
                    .all(|change| change.abs() > 1e-6),
            );
            for (index, prompt) in prompts.iter().enumerate() {
                if let Some(a) = prompt.targets.a {
                    assert_eq!(section.a[index].token, a);
                }
                assert_ne!(section.a[index].token, section.b[index].token);
            }
        }
    }
    assert!(changed > 20, "{changed} of them change something");
}

#[test]
fn what_is_put_back_changes_nothing() {
    // The mean over the same single prompt is the original value.
    let line = "When [[Mary]] and John went to the store, John gave a drink [[to]]";
    let same = || of_lines(&format!("{line}\n{line}\n{line}"));
    let mut model = model(Processing::default());
    for activation in ["z", "q", "k", "v", "pattern"] {
        for (head, place) in [("1.3", ""), ("1.3", " everywhere"), ("2.1", ""), ("2.1", " everywhere")] {
            let text = format!("{activation} of {head} mean{place}");
            let (_, section) = run(&mut model, &analysis(same(), &text), &Recorder::default()).unwrap();
            assert_eq!(section.prompts(), 3);
            let found = numbers(&section);
            let expected: Vec<[f32; 8]> = found.iter().map(|&[a, b, c, ..]| [a, b, c, a, b, c, a, b]).collect();
            assert_close(&text, &found, &expected, 1e-5);
        }
    }
}

#[test]
fn batches_come_one_by_one_and_a_run_can_be_cancelled() {
    let analysis = analysis(drawn(), "query without 1.3");
    let mut model = model(Processing::default());
    let recorder = Recorder::default();
    let (_, whole) = run(&mut model, &analysis, &recorder).unwrap();
    let told = recorder.batches.take();
    let indices: Vec<usize> = told.iter().map(|(index, _)| *index).collect();
    assert_eq!(indices, [0, 1, 2, 3]);
    let mut parts = ChangesSection::empty(HEAD, whole.intervention.clone());
    for (_, values) in &told[2..] {
        assert_eq!(values.prompts(), 0, "the histograms' values have come");
        parts.append(values.changes.as_ref().unwrap());
    }
    assert_eq!(parts, whole);
    let progress = recorder.progress.take();
    assert!(progress.windows(2).all(|two| two[0].computed <= two[1].computed + 1e-9));
    let last = progress.last().unwrap();
    assert_eq!((last.batches_done, last.batches, last.layers), (4, 4, 3));
    assert!((last.computed - 1.0).abs() < 0.05, "{}", last.computed);
    // The weights are loaded now, so there are fewer checks for cancellation.
    let recorder = Recorder::default();
    let (_, again) = run(&mut model, &analysis, &recorder).unwrap();
    assert_eq!(again, whole);
    let mut kept = Vec::new();
    for cancel_at in (1..recorder.yields.get()).step_by(3) {
        let recorder = Recorder {
            cancel_at: Some(cancel_at),
            ..Recorder::default()
        };
        let error = run(&mut model, &analysis, &recorder).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Cancelled);
        kept.push(recorder.batches.take().len());
    }
    assert!(kept.is_sorted() && kept.contains(&0) && kept.contains(&3), "{kept:?}");
    let (_, again) = run(&mut model, &analysis, &Recorder::default()).unwrap();
    assert_eq!(again, whole);
    // Where blocks are not kept in memory, batches go through them together.
    model.set_block_budget(0);
    let (_, together) = run(&mut model, &analysis, &Recorder::default()).unwrap();
    assert_close("together", &numbers(&together), &numbers(&whole), 1e-5);
}

#[test]
fn what_can_not_be_done_is_said_in_one_line() {
    let mut model = model(Processing::default());
    let one = || of_lines("When [[Mary]] and John went [[to]]");
    let mut refused = |prompts: PromptSource, text: &str| -> Error {
        let error = run(&mut model, &analysis(prompts, text), &Recorder::default()).unwrap_err();
        assert_one_line(&error.to_string());
        error
    };
    for (prompts, text, part) in [
        (drawn(), "query without 2.0", "head 2.0 is nothing that head 2.1 reads"),
        (drawn(), "key from MLP2", "MLP 2 is nothing that head 2.1 reads"),
        (drawn(), "query without b_Q", "b_Q (bias of the map) is nothing"),
        (drawn(), "query without 1.4", "1.4"),
        (drawn(), "z of 3.0 zero", "3.0"),
        (one(), "query from mean", "no mean over 1 of a run"),
        (one(), "z of 1.3 mean", "no mean over 1 of a run"),
        (
            one(),
            "query from W_U[S]",
            "there is no W_U[S] for the query of \"When Mary",
        ),
        (one(), "query from W_EE[IO]", "there is no W_EE[IO] for the query"),
        (own(), "v of 1.3 mean everywhere", "can't be taken over a prompt"),
    ] {
        let error = refused(prompts, text);
        assert!(error.cause.contains(part), "{text}: {error}");
    }
    let csv = PromptSource::Text(TextPrompts {
        text: "text,dest,src,a,b\nWhen Mary and John went to,5,1, Mary, Mary\n".to_owned(),
        format: keyside::prompts::text::Format::Csv,
        ..TextPrompts::default()
    });
    let error = refused(csv, "query without 1.3");
    assert!(
        error.cause.contains("is held against itself") && error.cause.contains("When Mary"),
        "{error}"
    );
}
