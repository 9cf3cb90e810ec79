use super::*;
use crate::result::{Recording, ResultFile};

fn recorded() -> ResultFile {
    ResultFile::from_json(include_bytes!("../../public/recorded/gpt2-small-head-effects.json")).unwrap()
}

fn recording() -> Recording {
    Recording::from_json(include_bytes!("../../public/recorded/gpt2-small-sentences.json")).unwrap()
}

#[test]
fn steps_follow_one_another() {
    let mut step = StoryStep::default();
    let mut seen = vec![step];
    while let Some(next) = step.next() {
        assert_eq!(next.previous(), Some(step));
        assert_eq!(next.number(), step.number() + 1);
        seen.push(next);
        step = next;
    }
    assert_eq!(seen, StoryStep::ALL);
    assert_eq!(StoryStep::default().previous(), None);
    for step in StoryStep::ALL {
        assert_eq!(StoryStep::of_value(step.value()), Some(step));
    }
    assert_eq!(StoryStep::of_value("later"), None);
}

#[test]
fn what_is_said_of_effects_is_in_the_recording() {
    let result = recorded();
    let section = result.head_effects().unwrap();
    let head = recording().sentences[0].begin.unwrap();
    let said = effect_words(section, head).join(" ");
    for part in [
        "Head 10.7 looks at the right name and speaks against it: by itself it takes 1.90",
        "more than any other of the 144 heads",
        "9.9 (+2.99), 9.6 (+1.38)",
        "10.7 (\u{2212}1.90) and 11.10 (\u{2212}0.97)",
        "3.55 (from 1.72 to 5.77)",
        "means of 8 prompts",
    ] {
        assert!(said.contains(part), "{part} is not in: {said}");
    }
    // A head with a positive effect is not described as acting against the answer.
    let other = effect_words(section, Head::new(9, 9)).join(" ");
    assert!(
        other.contains("By itself head 9.9 adds 2.99") && !other.contains("speaks against"),
        "{other}"
    );
    let second = effect_words(section, Head::new(11, 10)).join(" ");
    assert!(
        second.contains("takes 0.97") && second.contains("2 among 144 heads"),
        "{second}"
    );
}

#[test]
fn what_is_said_of_the_ablation_is_in_the_recording() {
    let mut result = recorded();
    let section = result.head_effects().unwrap().clone();
    let said = ablation_words(&section).unwrap();
    for part in [
        "9.9 adds 2.99",
        "0.57 should be left of 3.55",
        "it is 2.92",
        "costs 0.63",
        "means of 8 prompts",
    ] {
        assert!(said.contains(part), "{part} is not in: {said}");
    }
    let changed = most_changed(&section);
    assert_eq!(changed[0].head, Head::new(10, 7));
    assert!((changed[0].before + 1.89865).abs() < 1e-5 && (changed[0].after + 0.71051).abs() < 1e-5);
    assert!(changed.iter().all(|changed| changed.head != Head::new(9, 9)));
    let sizes: Vec<f32> = changed
        .iter()
        .map(|changed| (changed.after - changed.before).abs())
        .collect();
    assert!(sizes.is_sorted_by(|left, right| left >= right), "{sizes:?}");

    if let crate::analysis::Section::HeadEffects(section) = &mut result.sections[0] {
        section.without = None;
    }
    let section = result.head_effects().unwrap();
    assert_eq!(ablation_words(section), None);
    assert_eq!(most_changed(section), []);
}

#[test]
fn a_step_is_tried_with_the_head_that_it_is_about() {
    let (result, recording) = (recorded(), recording());
    let sentence = &recording.sentences[0];
    let head_of = |step: StoryStep| step.head(sentence, result.head_effects());
    assert_eq!(head_of(StoryStep::Looks), Some(Head::new(10, 7)));
    assert_eq!(head_of(StoryStep::Without), Some(Head::new(9, 9)));
    assert_eq!(StoryStep::Without.head(sentence, None), None);
}
