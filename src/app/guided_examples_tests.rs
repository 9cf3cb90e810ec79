#![allow(clippy::unwrap_used)]

use std::cell::RefCell;
use std::collections::BTreeSet;

use futures::executor::block_on;
use futures::future::LocalBoxFuture;

use super::*;
use crate::analysis::pair::{QuestionCache, ask};
use crate::analysis::{AttentionSection, BatchValues, Observer, Progress};
use crate::app::head_names;
use crate::checkpoint::FileSource;
use crate::error::Result;
use crate::figure::sentence_words::percent;
use crate::forward::{Model, NoMonitor, Pass, PrefixTree, Request, Tap};
use crate::math;
use crate::model::Processing;
use crate::names::{BlockHook, HookPoint};
use crate::quantities::number;
use crate::result::{Recording, ResultFile};

fn bundled() -> Model {
    let source = Box::new(FileSource::new("public/models/tiny-ioi"));
    block_on(Model::open(source, Processing::default())).unwrap()
}

fn recording() -> Recording {
    Recording::from_json(include_bytes!("../../public/recorded/gpt2-small-sentences.json")).unwrap()
}

struct Unobserved;

impl Observer for Unobserved {
    fn progress(&self, _progress: &Progress) {}

    fn batch(&self, _index: usize, _values: &BatchValues) {}

    fn yield_now(&self) -> LocalBoxFuture<'_, Result<()>> {
        Box::pin(async { Ok(()) })
    }
}

/// The complete answer to `question`.
fn answer(model: &mut Model, question: &Question) -> ResultFile {
    let whole: RefCell<Option<ResultFile>> = RefCell::default();
    let give = |model: &Model, prompt: &_, section, _| {
        let part = ResultFile::of_sentence(model, question, prompt, section);
        let mut whole = whole.borrow_mut();
        match whole.as_mut() {
            Some(whole) => whole.take(part),
            None => *whole = Some(part),
        }
    };
    block_on(ask(model, &mut QuestionCache::default(), question, &Unobserved, give)).unwrap();
    whole.into_inner().unwrap()
}

fn shown(guided: &GuidedExample) -> ResultFile {
    match guided.model {
        ModelChoice::Bundled => answer(&mut bundled(), &guided.question()),
        _ => recording().answer(&guided.question()).unwrap(),
    }
}

/// The token with the most attention from `dest`, and its share.
fn most(section: &AttentionSection, dest: usize) -> (usize, f32) {
    let row = section.pattern_row(dest);
    let best = (0..row.len()).max_by(|&left, &right| row[left].total_cmp(&row[right]));
    best.map(|best| (best, row[best])).unwrap()
}

/// The contribution of `head`'s output from `src`, with its attention, to the logit of `token` after `dest`.
fn effect(tokens: &[u32], guided: &GuidedExample, share: f32, token: u32) -> f64 {
    let mut model = bundled();
    let Head { layer, head } = guided.head;
    let (tree, layers, width) = (
        PrefixTree::new([tokens]),
        model.config().n_layer,
        model.config().d_head(),
    );
    let (from, to) = (tree.path(0)[guided.dest], tree.path(0)[guided.src]);
    let taps = vec![
        Tap::new(HookPoint::block(layer, BlockHook::V), vec![to]),
        Tap::new(HookPoint::LnFinalScale, vec![from]),
    ];
    let mut passes = [Pass::new(tree, Request::of(taps))];
    block_on(model.run(&mut passes, layers, &NoMonitor)).unwrap();
    block_on(model.load_embedding(&BTreeSet::from([token]), &NoMonitor)).unwrap();
    let direction = model.logit_direction(token).unwrap();
    let map = block_on(model.through_w_o(layer, &direction, &NoMonitor)).unwrap();
    let part = head * width..(head + 1) * width;
    let [value, scale] = &passes[0].captured[..] else {
        panic!("two taps")
    };
    f64::from(share) * math::dot_wide(&map[part.clone()], &value.values[part]) / f64::from(scale.values[0])
}

#[test]
fn an_example_is_known_by_what_it_asks() {
    let mut asked = BTreeSet::new();
    for guided in &GUIDED_EXAMPLES {
        let mut question = guided.question();
        question.relative = Some(crate::names::Relative::Mean);
        assert_eq!(GuidedExample::of(guided.model, &question), Some(guided));
        question.src = Some(guided.src - 1);
        assert_eq!(GuidedExample::of(guided.model, &question), None);
        assert_eq!(GuidedExample::of(ModelChoice::Hub, &guided.question()), None);
        assert!(
            asked.insert(format!("{:?} {}", guided.model, guided.name)),
            "{}",
            guided.name
        );
        assert!(guided.description.iter().all(|sentence| sentence.ends_with('.')));
    }
}

#[test]
fn every_example_looks_where_it_is_told_to() {
    for guided in &GUIDED_EXAMPLES {
        let result = shown(guided);
        let section = result.attention().unwrap();
        assert_eq!(
            (section.head, section.dest, section.src),
            (guided.head, guided.dest, guided.src)
        );
        let (place, share) = most(section, guided.dest);
        assert_eq!(place, guided.src, "{guided:?}");
        let (description, share) = (guided.description[0], percent(share));
        assert!(description.contains(&format!("head {}", guided.head)), "{description}");
        assert!(
            description.contains(&format!("with {share} of its attention")),
            "{description} ({share})"
        );
        for position in [guided.dest, guided.src] {
            let word = section.texts[position].trim();
            let is_first = description.contains("the first one") && position == guided.src;
            assert!(
                is_first || description.contains(&format!("\u{201c}{word}\u{201d}")),
                "{description} ({word})"
            );
        }
    }
}

#[test]
fn previous_token_heads_look_back_by_one_everywhere() {
    for (guided, least) in [(&GUIDED_EXAMPLES[0], 0.88), (&GUIDED_EXAMPLES[5], 0.99)] {
        let result = shown(guided);
        let section = result.attention().unwrap();
        for dest in 1..section.texts.len() {
            assert!(section.pattern_row(dest)[dest - 1] >= least, "{dest}");
        }
        assert!(guided.description[1].contains(&format!("at least {} of its", percent(least))));
        assert_eq!(guided.src + 1, guided.dest);
    }
}

#[test]
fn duplicate_token_heads_look_at_copies() {
    let result = shown(&GUIDED_EXAMPLES[1]);
    let section = result.attention().unwrap();
    let is_new = |dest: usize| !section.texts[..dest].contains(&section.texts[dest]);
    for dest in (0..section.texts.len()).filter(|&dest| is_new(dest)) {
        assert_eq!(most(section, dest).0, dest);
    }
    // The duplicate-token head and the induction head attend elsewhere if there is no copy.
    for guided in &GUIDED_EXAMPLES[6..8] {
        let result = shown(guided);
        let section = result.attention().unwrap();
        assert_eq!(section.texts[11], " gave");
        assert!(!section.texts[..11].contains(&section.texts[11]));
        let (place, share) = most(section, 11);
        assert_eq!(place, 0);
        assert!(
            guided.description[1].contains(&format!("{} of its attention", percent(share))),
            "{share}"
        );
    }
    for guided in [&GUIDED_EXAMPLES[1], &GUIDED_EXAMPLES[6]] {
        let result = shown(guided);
        let texts = &result.attention().unwrap().texts;
        assert_eq!(
            (texts[guided.dest].as_str(), texts[guided.src].as_str()),
            (" John", " John")
        );
    }
}

#[test]
fn induction_heads_look_at_what_came_after() {
    for guided in [&GUIDED_EXAMPLES[2], &GUIDED_EXAMPLES[7]] {
        let result = shown(guided);
        let texts = &result.attention().unwrap().texts;
        assert_eq!(texts[guided.src - 1], texts[guided.dest]);
    }
    let result = shown(&GUIDED_EXAMPLES[2]);
    let texts = &result.attention().unwrap().texts;
    assert_eq!((texts[3].as_str(), texts[4].as_str()), (" ring", " to"));
    let next = &result.next().unwrap().tokens[0];
    assert_eq!(next.text, " Mary");
    let description = GUIDED_EXAMPLES[2].description[1];
    assert!(
        description.contains(&format!("a probability of {}.", percent(next.logprob.exp()))),
        "{description}"
    );
}

#[test]
fn name_movers_and_negative_heads_do_what_is_told() {
    let swapped = GuidedExample {
        text: "When John and Mary went to the store, John gave a drink to",
        src: 3,
        ..GUIDED_EXAMPLES[3]
    };
    let result = shown(&swapped);
    let section = result.attention().unwrap();
    assert_eq!((section.texts[3].as_str(), most(section, 13).0), (" Mary", 3));
    for (guided, raises) in [(&GUIDED_EXAMPLES[3], true), (&GUIDED_EXAMPLES[4], false)] {
        let result = shown(guided);
        let tokens = &result.prompts[0].tokens;
        let share = result.attention().unwrap().row(guided.head)[guided.src];
        let found = effect(tokens, guided, share, tokens[guided.src]);
        assert_eq!(found > 0.0, raises);
        let by = format!("by {}.", number(found.abs(), 1));
        assert!(guided.description[1].ends_with(&by), "{} ({by})", guided.description[1]);
    }
    let result = shown(&GUIDED_EXAMPLES[8]);
    let named = head_names::from_literature(&result).unwrap();
    for (guided, name) in [
        (&GUIDED_EXAMPLES[8], "name mover"),
        (&GUIDED_EXAMPLES[9], "negative name mover"),
    ] {
        let of_name = named.iter().find(|named| named.name == name).unwrap();
        assert!(of_name.heads.contains(&(guided.head, None)));
        assert!(guided.description[1].contains(&format!("among the {name}s")));
    }
}
