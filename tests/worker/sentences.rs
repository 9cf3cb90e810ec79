//! Questions about sentences: answered part by part, cancelled, without reading anything twice.

use keyside::ErrorKind;
use keyside::analysis::pair::{Intervention, InterventionRequest, Question, TargetText, TargetTexts, Vector};
use keyside::forward::{Model, Sampling};
use keyside::model::Processing;
use keyside::names::{Component, Head, Relative, Side};
use keyside::prompts::{IoiSet, PromptSource, Targets};
use keyside::result::ResultFile;
use keyside::worker::{FromWorker, ToWorker, serve};
use std::time::Duration;

use super::common::{self, tiny};
use super::page::*;

fn ask(id: u32, text: &str, head: Head) -> ToWorker {
    ToWorker::Ask {
        id,
        url: URL.into(),
        question: Question {
            text: text.into(),
            head: Some(head),
            ..Question::default()
        },
    }
}

#[test]
fn a_question_is_answered_part_by_part() {
    let (posted, opened) = Page::serve(
        vec![
            ask(1, "The keys to the cabinet", Head::new(2, 1)),
            ask(2, "The keys to the cabinet are", Head::new(1, 0)),
            ask(3, "", Head::new(1, 0)),
        ],
        Vec::new(),
    );
    assert_eq!(opened, 1);
    let parts = |question: u32| {
        let parts = posted.iter().filter_map(move |message| match message {
            FromWorker::Answer { id, part } if *id == question => Some(part),
            _ => None,
        });
        parts.collect::<Vec<_>>()
    };
    for (id, head, tokens) in [(1, Head::new(2, 1), 10), (2, Head::new(1, 0), 12)] {
        let parts = parts(id);
        let kinds: Vec<&str> = parts.iter().map(|part| part.sections[0].kind()).collect();
        assert_eq!(kinds, ["attention", "next", "pair"]);
        let attention = parts[0].attention().expect("is there");
        assert_eq!(
            (attention.head, attention.dest),
            (head, parts[0].prompts[0].tokens.len() - 1)
        );
        assert_eq!(attention.texts.concat(), parts[0].prompts[0].text, "{tokens}");
        // The most attended position other than the first.
        let row = attention.row(head);
        assert!(row.iter().skip(1).all(|p| *p <= row[attention.src]) && attention.src > 0);
        let pair = parts[2].pair().expect("is there");
        let sum: f32 = pair.table.data().iter().sum();
        assert!((sum - pair.score).abs() < 1e-4);
        assert!((attention.scores_of(head)[pair.src] - pair.score).abs() < 1e-4);
        // A message is parsed back as it was written.
        for part in parts {
            let written = part.to_json().expect("writes");
            assert_eq!(&ResultFile::from_json(written.as_bytes()).expect("reads"), &**part);
        }
        assert!(
            posted
                .iter()
                .any(|message| matches!(message, FromWorker::Answered { id: of } if *of == id))
        );
    }
    let Some(FromWorker::Failed { id: 3, error }) = posted.last() else {
        panic!("{:?}", posted.last())
    };
    assert_eq!(error.kind, ErrorKind::Prompt);
}

#[test]
fn effects_and_directions_come_part_by_part_and_nothing_is_read_twice() {
    let ask = |id, relative, targets, direction| ToWorker::Ask {
        id,
        url: URL.into(),
        question: Question {
            text: "The keys to the cabinet".into(),
            head: Some(Head::new(2, 1)),
            relative,
            targets,
            effects: true,
            writes: true,
            lens: true,
            directions: true,
            direction,
            ..Question::default()
        },
    };
    let parts = |posted: &[FromWorker], question: u32| -> Vec<ResultFile> {
        let parts = posted.iter().filter_map(|message| match message {
            FromWorker::Answer { id, part } if *id == question => Some((**part).clone()),
            _ => None,
        });
        parts.collect()
    };
    let (posted, _) = Page::serve(vec![ask(0, None, Targets::default(), None)], Vec::new());
    let first = parts(&posted, 0);
    let kinds: Vec<&str> = first.iter().map(|part| part.sections[0].kind()).collect();
    // The directions without tokens first, which take W_E and W_U.
    assert_eq!(
        kinds,
        [
            "attention",
            "next",
            "lens",
            "pair",
            "effects",
            "writes",
            "directions",
            "directions"
        ]
    );
    assert!(first[6].directions().unwrap().opened.tokens.is_empty());
    let opened = &first[7].directions().unwrap().opened;
    assert_eq!(opened.tokens.len(), 4);
    let next = &first[1].next().unwrap().tokens;
    let effects = first[4].effects().unwrap();
    assert_eq!((effects.a.token, effects.b.token), (next[0].token, next[1].token));

    let others = Targets {
        a: Some(next[19].token),
        b: Some(next[4].token),
    };
    let other = (opened.direction + 1) % 8;
    let (posted, _) = Page::serve(
        vec![
            ask(0, None, Targets::default(), None),
            ask(1, Some(Relative::Mean), others, Some(opened.direction)),
            ask(2, None, others, Some(other)),
            ask(3, None, others, Some(8)),
        ],
        Vec::new(),
    );
    let bytes = |question: u32| {
        parts(&posted, question)
            .last()
            .unwrap()
            .timing
            .as_ref()
            .unwrap()
            .bytes_read
    };
    // A direction that was not opened before takes W_E, which is W_U, once.
    let of_w_e = 989 * 32 * 4;
    assert_eq!([bytes(1), bytes(2)], [0, of_w_e]);
    assert!(bytes(0) > of_w_e);
    let second = parts(&posted, 1);
    let effects = second[4].effects().unwrap();
    assert_eq!((Some(effects.a.token), Some(effects.b.token)), (others.a, others.b));
    assert_eq!(second[4].prompts[0].targets, others);
    let relative = second[7].directions().unwrap();
    assert_eq!(
        (relative.relative, &relative.opened.tokens),
        (Some(Relative::Mean), &opened.tokens)
    );
    assert_eq!(parts(&posted, 2)[7].directions().unwrap().opened.direction, other);
    let Some(FromWorker::Failed { id: 3, error }) = posted.last() else {
        panic!("{:?}", posted.last())
    };
    assert!(error.cause.contains("no direction 8"), "{error}");
}

#[test]
fn a_target_is_typed_and_one_that_is_none_leaves_the_rest_answered() {
    let ask = |id: u32, a: &str, b: Option<&str>| ToWorker::Ask {
        id,
        url: URL.into(),
        question: Question {
            text: "The keys to the cabinet".into(),
            head: Some(Head::new(2, 1)),
            target_texts: TargetTexts {
                a: Some(a.to_owned()),
                b: b.map(str::to_owned),
            },
            effects: true,
            lens: true,
            writes: true,
            ..Question::default()
        },
    };
    let messages = vec![
        ask(0, " Mary", Some("7")),
        ask(1, " Mary John", None),
        ask(2, " Mary", Some(" Mary")),
    ];
    let (posted, _) = Page::serve(messages, Vec::new());
    let parts = |question: u32| -> Vec<&ResultFile> {
        let parts = posted.iter().filter_map(|message| match message {
            FromWorker::Answer { id, part } if *id == question => Some(&**part),
            _ => None,
        });
        parts.collect()
    };
    let kinds = |question: u32| -> Vec<&str> { parts(question).iter().map(|part| part.sections[0].kind()).collect() };
    assert_eq!(kinds(0), ["attention", "next", "lens", "pair", "effects", "writes"]);
    let effects = parts(0)[4].effects().unwrap();
    assert_eq!((effects.a.text.as_str(), effects.b.token), (" Mary", 7));
    let failed = |question: u32| {
        posted.iter().find_map(|message| match message {
            FromWorker::Failed { id, error } if *id == question => Some(error),
            _ => None,
        })
    };
    for (id, told) in [
        (1, "\" Mary John\" is 2 tokens: \" Mary\", \" John\""),
        (2, "is held against itself"),
    ] {
        assert_eq!(kinds(id), ["attention", "next", "pair", "writes"]);
        let error = failed(id).unwrap();
        assert_eq!(error.kind, ErrorKind::Target);
        assert!(error.cause.contains(told), "{error}");
    }
    assert!(failed(0).is_none());
}

#[test]
fn a_head_is_taken_out_of_a_prompt() {
    let ablate_head = |id: u32, answer: &str| ToWorker::AblateHead {
        id,
        url: URL.into(),
        prompt: TargetText {
            text: "When John and Mark went to the store, John gave a drink to".into(),
            answer: answer.into(),
            other: " John".into(),
        },
    };
    let messages = vec![ablate_head(1, " Mark"), ablate_head(2, " Zanzibar")];
    let (posted, opened) = Page::serve(messages, Vec::new());
    assert_eq!(opened, 1);
    let parts: Vec<&ResultFile> = posted
        .iter()
        .filter_map(|message| match message {
            FromWorker::Answer { id: 1, part } => Some(&**part),
            _ => None,
        })
        .collect();
    let [part] = parts[..] else {
        panic!("{} parts", parts.len())
    };
    let section = part.head_effects().expect("is there");
    assert_eq!((section.prompts.len(), part.prompt_count()), (1, 0));
    assert!(section.without.is_some());
    // A message is parsed back as it was written.
    let written = part.to_json().expect("writes");
    assert_eq!(&ResultFile::from_json(written.as_bytes()).expect("reads"), part);
    assert!(
        posted
            .iter()
            .any(|message| matches!(message, FromWorker::Progress { id: 1, .. }))
    );
    assert!(
        posted
            .iter()
            .any(|message| matches!(message, FromWorker::Answered { id: 1 }))
    );
    let Some(FromWorker::Failed { id: 2, error }) = posted.last() else {
        panic!("{:?}", posted.last())
    };
    assert!(error.cause.contains("Zanzibar"), "{error}");
}

#[test]
fn tokens_that_are_typed_and_means_over_prompts_are_put_into_a_sentence() {
    let side = Side::Query;
    let substitute = |vector| Intervention::Substitute { side, vector };
    let intervene = |id: u32, vector, token_text: Option<&str>, maker| ToWorker::Intervene {
        id,
        url: URL.into(),
        question: Question {
            text: "When John and Mark went to the store, John gave a drink to".into(),
            head: Some(Head::new(2, 1)),
            dest: Some(13),
            src: Some(3),
            ..Question::default()
        },
        intervening: InterventionRequest {
            interventions: vec![substitute(vector)],
            token_text: token_text.map(str::to_owned),
            maker,
            ..InterventionRequest::default()
        },
    };
    let ioi = |batches, batch_size| {
        PromptSource::Ioi(IoiSet {
            batches,
            batch_size,
            ..IoiSet::default()
        })
    };
    let messages = vec![
        intervene(1, Vector::Unembedding(0), Some(" Mary"), None),
        intervene(2, Vector::Unembedding(0), Some(" Zanzibar"), None),
        intervene(3, Vector::Mean, None, Some(ioi(2, 10))),
        intervene(4, Vector::Mean, None, Some(ioi(1, 1))),
    ];
    let (posted, _) = Page::serve(messages, Vec::new());
    let section = |question: u32| {
        posted.iter().find_map(|message| match message {
            FromWorker::Answer { id, part } if *id == question => part.intervention().cloned(),
            _ => None,
        })
    };
    let failed = |question: u32| {
        posted.iter().find_map(|message| match message {
            FromWorker::Failed { id, error } if *id == question => Some(error.to_string()),
            _ => None,
        })
    };
    let mary = common::block_on(Model::open(Box::new(tiny()), Processing::default()))
        .unwrap()
        .tokenizer()
        .single_token(" Mary")
        .unwrap();
    let typed = section(1).expect("is answered");
    assert_eq!(typed.effects[0].intervention, substitute(Vector::Unembedding(mary)));
    assert_eq!((typed.prompts, typed.same_tokens), (0, None));
    let told = failed(2).expect("is no token");
    assert!(
        told.contains("\" Zanzibar\" is ") && told.contains("tokens: \""),
        "{told}"
    );
    let mean = section(3).expect("is answered");
    assert_eq!(mean.prompts, 20);
    // All of them look from " to", and few at " Mark".
    let [dest, src] = mean.same_tokens.expect("is of a run");
    assert!(dest == 20 && src < 20, "{dest} and {src}");
    assert!((mean.effects[0].after.score - mean.effects[0].predicted.score).abs() < 1e-4);
    let told = failed(4).expect("is of one prompt");
    assert!(told.contains("no mean over 1"), "{told}");
}

#[test]
fn a_sentence_goes_on_from_the_position_that_is_looked_from() {
    let question = |dest| Question {
        text: "The keys to the cabinet".into(),
        prepend_bos: true,
        dest,
        ..Question::default()
    };
    let go_on = |id, dest| ToWorker::Continue {
        id,
        url: URL.into(),
        question: question(dest),
        count: 5,
        sampling: Sampling {
            temperature: 0.0,
            ..Sampling::default()
        },
    };
    let (posted, _) = Page::serve(vec![go_on(1, None), go_on(2, Some(3)), go_on(3, Some(300))], Vec::new());
    let texts: Vec<&str> = posted
        .iter()
        .filter_map(|message| match message {
            FromWorker::Continued { text, .. } => Some(text.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(texts.len(), 2);
    assert!(
        texts[0].starts_with("The keys to the cabinet") && texts[0].len() > 23,
        "{}",
        texts[0]
    );
    assert!(
        !texts[1].starts_with("The keys to the cabinet") && texts[1].starts_with("The"),
        "{}",
        texts[1]
    );
    let Some(FromWorker::Failed { id: 3, error }) = posted.last() else {
        panic!("{:?}", posted.last())
    };
    assert!(error.cause.contains("position 300"), "{error}");
}

/// A pair of a sentence that is long enough for a causal map in several parts.
fn long_pair() -> Question {
    let sentence = "When John and Mary went to the store, John gave a drink to";
    Question {
        text: format!("{} {sentence}", [sentence; 3].join(" ")),
        head: Some(Head::new(2, 1)),
        dest: Some(54),
        src: Some(3),
        ..Question::default()
    }
}

#[test]
fn a_causal_map_is_cancelled_with_its_parts_kept_and_the_next_is_whole() {
    let map = |id| ToWorker::CausalMap {
        id,
        url: URL.into(),
        question: long_pair(),
    };
    let (whole, _) = Page::serve(vec![map(1)], Vec::new());
    let parts = whole.iter().filter(|message| is_part(message, 1)).count();
    assert!(parts > 2, "there is something to cancel: {parts} parts");

    // The messages after the first part cancel the map, and another map is requested at once.
    let later = vec![
        (When::Parts(1, 1), ToWorker::Cancel { id: 1 }),
        (When::Parts(1, 1), map(2)),
    ];
    let (mut page, inbox) = Page::new(vec![map(1)], later);
    page.takes = Duration::from_millis(15);
    common::block_on(serve(&page, inbox));
    let posted = page.posted.into_inner();
    let [FromWorker::Failed { id: 1, error }, FromWorker::Answered { id: 2 }] = answers(&posted)[..] else {
        panic!("{:?}", answers(&posted))
    };
    assert_eq!(error.kind, ErrorKind::Cancelled);
    let of_first = posted.iter().filter(|message| is_part(message, 1)).count();
    assert!((1..parts).contains(&of_first), "{of_first} of {parts}");
    let last = |posted: &[FromWorker], question| {
        posted.iter().rev().find_map(|message| match message {
            FromWorker::Answer { id, part } if *id == question => Some(part.sections.clone()),
            _ => None,
        })
    };
    assert_eq!(
        last(&posted, 2),
        last(&whole, 1),
        "nothing is left of the one that was cancelled"
    );
}

#[test]
fn an_intervention_that_waits_is_cancelled_before_it_starts() {
    let intervene = |id, component| ToWorker::Intervene {
        id,
        url: URL.into(),
        question: long_pair(),
        intervening: InterventionRequest {
            interventions: vec![Intervention::Remove {
                side: Side::Query,
                component,
                scale: 1.0,
            }],
            ..InterventionRequest::default()
        },
    };
    let head = |layer, head| Component::Head(Head::new(layer, head));
    let first = vec![
        intervene(1, head(0, 1)),
        intervene(2, head(1, 1)),
        ToWorker::Cancel { id: 2 },
        intervene(3, head(0, 1)),
    ];
    let (posted, _) = Page::serve(first, Vec::new());
    let [
        FromWorker::Answered { id: 1 },
        FromWorker::Failed { id: 2, error },
        FromWorker::Answered { id: 3 },
    ] = answers(&posted)[..]
    else {
        panic!("{:?}", answers(&posted))
    };
    assert_eq!(error.kind, ErrorKind::Cancelled);
    assert!(
        !posted.iter().any(|message| is_part(message, 2)),
        "nothing of it was computed"
    );
    let sections = |question| {
        let of_it = posted.iter().filter_map(move |message| match message {
            FromWorker::Answer { id, part } if *id == question => Some(part.sections.clone()),
            _ => None,
        });
        of_it.collect::<Vec<_>>()
    };
    assert_eq!(sections(1), sections(3));
}

#[test]
fn another_sentence_reads_the_rows_of_its_new_tokens_alone() {
    let ask = |id, text| ask(id, text, Head::new(2, 1));
    let other = "While Sarah and Tom looked at the ball, Sarah threw it to";
    let (posted, _) = Page::serve(
        vec![ask(1, "When John and Mark went to the store"), ask(2, other)],
        Vec::new(),
    );
    let (afresh, _) = Page::serve(vec![ask(2, other)], Vec::new());
    let first_part = |posted: &[FromWorker]| {
        let part = posted.iter().find_map(|message| match message {
            FromWorker::Answer { id: 2, part } => Some((**part).clone()),
            _ => None,
        });
        part.expect("is answered")
    };
    let (found, expected) = (first_part(&posted), first_part(&afresh));
    assert_eq!(found.sections, expected.sections);
    let model = common::block_on(Model::open(Box::new(tiny()), Processing::default())).unwrap();
    let encode = |text: &str| -> std::collections::BTreeSet<u32> {
        model.tokenizer().encode(text).unwrap().into_iter().collect()
    };
    let new = encode(other)
        .difference(&encode("When John and Mark went to the store"))
        .count();
    let bytes = |result: &ResultFile| result.timing.as_ref().unwrap().bytes_read;
    assert_eq!(bytes(&found), new as u64 * 32 * 4);
    assert!(
        new > 5 && bytes(&expected) > 989 * 32 * 4,
        "the first one takes the mean of all rows"
    );
}
