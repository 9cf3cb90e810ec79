//! Vectors in place of the head's inputs in one sentence: the same numbers as in a run over many prompts.

use std::collections::BTreeMap;

use keyside::analysis::pair::{Question, QuestionCache, SampledToken, SubstitutedSection, SubstitutionRequest, ask};
use keyside::analysis::{Analysis, Section};
use keyside::forward::Model;
use keyside::model::Processing;
use keyside::names::{Head, HistogramId, Normalization, SeriesId};
use keyside::prompts::text::TextPrompts;
use keyside::prompts::{IoiSet, Prompt, PromptSource};
use keyside::result::ResultFile;

use super::common::block_on;
use super::golden_file::results::{Nobody, run};

const TOLERANCE: f32 = 1e-5;
const HEAD: Head = Head::new(2, 1);
const EARLIER: Head = Head::new(1, 3);

fn many(model: &mut Model, prompts: PromptSource, normalization: Normalization) -> ResultFile {
    let analysis = Analysis {
        head: HEAD,
        earlier_head: EARLIER,
        processing: model.processing(),
        prompts,
        normalization,
        ..Analysis::default()
    };
    block_on(run(model, &analysis, &Nobody)).unwrap()
}

/// The answer to `question`.
fn found(model: &mut Model, known: &mut QuestionCache, question: &Question) -> SubstitutedSection {
    let mut found = None;
    let give = |_: &Model, _: &Prompt, section: Section, _| {
        if let Section::Substituted(section) = section {
            found = Some(section);
        }
    };
    block_on(ask(model, known, question, &Nobody, give)).unwrap();
    found.unwrap()
}

fn question(prompt: &Prompt, prepend_bos: bool) -> Question {
    Question {
        text: prompt.text.clone(),
        prepend_bos,
        dest: Some(prompt.dest().unwrap()),
        src: Some(prompt.src().unwrap()),
        head: Some(HEAD),
        substituted: Some(SubstitutionRequest {
            earlier_heads: [(HEAD, EARLIER)].into(),
        }),
        ..Question::default()
    }
}

/// The value of `token` in the sample `series`.
fn of_token(section: &SubstitutedSection, histogram: HistogramId, series: &SeriesId, token: u32) -> Option<f32> {
    let place = section.sample(series).iter().position(|known| known.token == token)?;
    let mut all = section.series(histogram);
    all.find(|(id, _)| *id == series).map(|(_, values)| values[place])
}

#[test]
fn one_prompt_gives_what_a_run_over_many_gives_for_it() {
    let raw = Processing {
        fold_ln: false,
        center_writing_weights: false,
        center_unembed: false,
        fold_value_biases: false,
    };
    let cases = [
        (Processing::default(), true, Normalization::Notebook),
        (raw, false, Normalization::Notebook),
        (raw, true, Normalization::LayerNorm),
    ];
    for (processing, prepend_bos, normalization) in cases {
        let mut model = super::model(processing);
        let set = IoiSet {
            seed: 5,
            batches: 2,
            batch_size: 3,
            prepend_bos,
        };
        let run = many(&mut model, set.into(), normalization);
        let mut known = QuestionCache::default();
        let mut compared: BTreeMap<SeriesId, usize> = BTreeMap::new();
        for (number, prompt) in run.prompts.iter().enumerate() {
            let asked = Question {
                normalization,
                ..question(prompt, prepend_bos)
            };
            let section = found(&mut model, &mut known, &asked);
            assert_eq!(
                (section.earlier_head, section.normalization),
                (Some(EARLIER), normalization)
            );
            // A run whose vectors are normalized in another way is nothing to compare with.
            assert_eq!(run.bands(&section, false).map(|bands| bands.prompts), Some(6));
            let other = Normalization::of(!normalization.is_exact());
            let asked = Question {
                normalization: other,
                ..asked
            };
            assert_eq!(run.bands(&found(&mut model, &mut known, &asked), false), None);
            for histogram in HistogramId::ALL {
                let truth = run.true_values(histogram)[number];
                assert!((section.own(histogram) - truth).abs() <= TOLERANCE, "{histogram}");
                for (series, values) in run.series(histogram) {
                    let same = series.of_any_prompt();
                    let own = match series {
                        SeriesId::WuS => of_token(&section, histogram, &SeriesId::WuOther, prompt.targets.b.unwrap()),
                        SeriesId::WuRandomName => of_token(&section, histogram, series, prompt.drawn["random_name"]),
                        // Another draw.
                        SeriesId::WuRandom => continue,
                        _ => section
                            .series(histogram)
                            .find(|(id, _)| **id == same)
                            .map(|(_, values)| values[0]),
                    };
                    let own = own.unwrap_or_else(|| panic!("{histogram} {series} of prompt {number}"));
                    let difference = (own - values[number]).abs();
                    assert!(difference <= TOLERANCE, "{histogram} {series}: {difference}");
                    *compared.entry(series.clone()).or_default() += 1;
                }
            }
        }
        // Both sides have the residual stream itself.
        assert_eq!(compared.len(), 9, "{compared:?}");
        assert!(compared.values().all(|count| *count >= 2 * 6), "{compared:?}");
    }
}

#[test]
fn random_tokens_are_those_that_own_prompts_draw() {
    let mut model = super::model(Processing::default());
    let own = TextPrompts {
        text: "When [[Mary]] and John went [[to]] the store\n".repeat(40),
        ..TextPrompts::default()
    };
    let run = many(&mut model, PromptSource::Text(own), Normalization::Notebook);
    let section = found(
        &mut model,
        &mut QuestionCache::default(),
        &question(&run.prompts[0], false),
    );
    for histogram in [HistogramId::KeysFixedScores, HistogramId::KeysFixedProbs] {
        let mut series = section.series(histogram);
        let (_, sample) = series.find(|(id, _)| **id == SeriesId::WuRandom).unwrap();
        let drawn = run.values(histogram, &SeriesId::WuRandom);
        assert_eq!((sample.len(), drawn.len()), (40, 40));
        let largest = sample.iter().zip(drawn).map(|(one, other)| (one - other).abs());
        assert!(largest.fold(0.0, f32::max) <= TOLERANCE, "{histogram}");
    }
    // The bands of that run: no one value of a sample is among them.
    let bands = run.bands(&section, false).unwrap();
    let of_query = &bands.bands[&HistogramId::KeysFixedScores];
    assert_eq!((bands.prompts, of_query.len()), (40, 4));
    assert_eq!(of_query[&SeriesId::WuRandom].below, None);
    // All forty prompts are the sentence.
    assert_eq!(of_query[&SeriesId::WuSrc].below, Some(0.5));
    let other = SubstitutedSection {
        head: Head::new(2, 0),
        ..section
    };
    assert_eq!(run.bands(&other, false), None);
}

#[test]
fn samples_leave_out_the_source_and_bos_and_the_earlier_head_is_found() {
    let mut model = super::model(Processing::default());
    let mut known = QuestionCache::default();
    let asked = |head: Head, prepend_bos: bool| Question {
        text: "When Mary and John went to the store, John gave a drink to".to_owned(),
        prepend_bos,
        src: Some(1 + usize::from(prepend_bos)),
        head: Some(head),
        substituted: Some(SubstitutionRequest::default()),
        ..Question::default()
    };
    for prepend_bos in [false, true] {
        let question = asked(HEAD, prepend_bos);
        let section = found(&mut model, &mut known, &question);
        let texts = |series: &SeriesId| -> Vec<&str> {
            section
                .sample(series)
                .iter()
                .map(|SampledToken { text, .. }| text.as_str())
                .collect()
        };
        let others = texts(&SeriesId::WuOther);
        // John stands there twice.
        assert_eq!(others.len(), 11, "{others:?}");
        assert!(others.contains(&" John") && others.contains(&" to") && !others.contains(&" Mary"));
        assert!(texts(&SeriesId::WuRandomName).iter().all(|name| !name.starts_with(' ')));
        // The head before it that adds most on the query side.
        let mut added = None;
        let give = |_: &Model, _: &Prompt, section: Section, _| {
            if let Section::Pair(section) = section {
                let sums = keyside::analysis::pair::query_side(&section.table);
                let heads = section.components.iter().zip(sums);
                let heads = heads.filter(|(component, _)| matches!(component, keyside::names::Component::Head(_)));
                added = heads
                    .max_by(|one, other| one.1.total_cmp(&other.1))
                    .map(|(component, _)| component.to_string());
            }
        };
        block_on(ask(&mut model, &mut known, &question, &Nobody, give)).unwrap();
        assert_eq!(section.earlier_head.map(|head| head.to_string()), added);
        section_checks(&model, &section);
    }
    // Before layer 0 there is no head, and an earlier head that is not earlier is not taken.
    let first = found(&mut model, &mut known, &asked(Head::new(0, 1), false));
    assert_eq!(first.earlier_head, None);
    assert!(
        !first
            .series
            .query
            .keys()
            .any(|series| matches!(series, SeriesId::EarlierHead(_)))
    );
    let mut wrong = asked(HEAD, false);
    wrong.substituted = Some(SubstitutionRequest {
        earlier_heads: [(HEAD, Head::new(2, 0))].into(),
    });
    assert_ne!(
        found(&mut model, &mut known, &wrong).earlier_head,
        Some(Head::new(2, 0))
    );
}

fn section_checks(model: &Model, section: &SubstitutedSection) {
    Section::from(section.clone()).check(model.config(), 1).unwrap();
    type Change = fn(&mut SubstitutedSection);
    let changes: [Change; 5] = [
        |section| section.head = Head::new(9, 0),
        |section| section.src = section.dest + 1,
        |section| section.true_prob = 1.5,
        |section| section.samples.get_mut(&SeriesId::WuOther).unwrap().truncate(1),
        |section| section.series.key.get_mut(&SeriesId::WeSrc).unwrap().scores = None,
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut changed = section.clone();
        change(&mut changed);
        assert!(
            Section::from(changed).check(model.config(), 1).is_err(),
            "change {number}"
        );
    }
}
