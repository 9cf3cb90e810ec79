//! What is concluded of made-up prompts.

use std::collections::BTreeMap;

use super::*;
use crate::analysis::Array;
use crate::names::Head;

/// A section of made-up prompts: what a unit of attention adds to the source token and to others, and whether the token that is lowered
/// most is the attended one.
fn made_up(prompts: &[(f32, f32, bool)]) -> RunWritesSection {
    let n = prompts.len();
    let column = |read: &dyn Fn(&(f32, f32, bool)) -> f32| Array::vector(prompts.iter().map(read).collect());
    RunWritesSection {
        head: Head::new(10, 7),
        vocabulary: 100,
        attention: column(&|_| 0.5),
        source: column(&|prompt| prompt.0),
        rank: vec![99; n],
        others: prompts.iter().map(|prompt| Some(prompt.1)).collect(),
        a: vec![1; n],
        b: vec![2; n],
        direct_effect: column(&|prompt| prompt.0 / 2.0),
        suppressed: prompts.iter().map(|prompt| if prompt.2 { 7 } else { 9 }).collect(),
        lowest: column(&|_| -2.0),
        predicted: vec![vec![7, 8]; n],
        attended: vec![Some(7); n],
        second: vec![Some(8); n],
        random: vec![Some(Chances::default()); n],
        texts: BTreeMap::new(),
    }
}

fn wave(index: u16) -> f32 {
    // One hump, as sums of several waves have.
    f32::from(index * 7 % 11 + index * 5 % 13 + index * 3 % 17) / 38.0 - 0.5
}

#[test]
fn what_is_concluded_of_the_source_stands_on_its_control() {
    let described = |own: f32, other: f32, n: u16| {
        let prompt = |index| (own + wave(index), other + wave(index + 3), false);
        source(&made_up(&(0..n).map(prompt).collect::<Vec<_>>())).join(" ")
    };
    for (own, other, words) in [
        (-2.0, 0.0, "the head suppresses what it reads."),
        (2.0, 0.0, "the head copies what it reads."),
        (0.0, 0.0, "no difference beyond chance."),
        (2.0, 2.0, "no difference beyond chance."),
        (2.0, 4.0, "not of one kind"),
    ] {
        let description = described(own, other, 42);
        assert!(description.contains(words), "{description}");
        assert!(
            description.contains("42 prompts") && description.contains("95 % interval"),
            "{description}"
        );
    }
    // Of five prompts nothing is concluded.
    for own in [-2.0, 2.0] {
        let description = described(own, 0.0, 5);
        assert!(
            description.starts_with("Over 5 prompts") && !description.contains("the head "),
            "{description}"
        );
    }
    let two = (0..40).map(|index| (if index % 2 == 0 { -3.0 } else { 3.0 } + wave(index) / 5.0, 0.0, false));
    let description = source(&made_up(&two.collect::<Vec<_>>())).join(" ");
    assert!(
        description.contains("two groups") && !description.contains("the head copies"),
        "{description}"
    );
    assert_eq!(source(&made_up(&[])), ["There are no prompts."]);
}

#[test]
fn suppression_is_concluded_only_against_both_controls() {
    let described = |lowered: usize, n: usize| {
        let prompts: Vec<_> = (0..n).map(|index| (0.0, 0.0, index < lowered)).collect();
        suppression(&made_up(&prompts)).join(" ")
    };
    let description = described(30, 40);
    assert!(
        description.starts_with("In 30 of 40 prompts (75 %)") && description.contains("so it does lower"),
        "{description}"
    );
    assert!(
        description.contains("ten likeliest before the head in 40 of 40 prompts, and both in 30."),
        "{description}"
    );
    let description = described(0, 40);
    assert!(
        description.starts_with("In 0 of 40 prompts") && description.contains("not beyond chance"),
        "{description}"
    );
    let description = described(5, 5);
    assert!(
        description.starts_with("In 5 of 5 prompts") && !description.contains("so it"),
        "{description}"
    );
    assert!(suppression(&made_up(&[]))[0].starts_with("No prompt"));
    let shares = TokenOverPrompts::all(&made_up(&[(0.0, 0.0, true), (0.0, 0.0, false)])).map(|looked| looked.shares());
    assert_eq!(shares, [[0.5, 1.0, 0.5], [0.0, 1.0, 0.0], [0.0; 3]]);
}

#[test]
fn directions_recur_where_they_are_in_nine_of_ten_prompts_beyond_chance() {
    let groups = |explaining: [usize; 3], needed: usize, prompts: usize| GroupsOverPrompts {
        mean: Array::vector(vec![0.5, -2.0, 0.25]),
        deviation: Some(Array::vector(vec![0.25; 3])),
        explaining: explaining.to_vec(),
        needed: vec![needed; prompts],
        biases: Array::vector(vec![0.0; 3]),
        mean_score: 1.0,
        max_abs_residual: 1e-6,
    };
    let description = |groups: GroupsOverPrompts, prompts: usize| {
        let section = RunDirectionsSection {
            head: Head::new(10, 7),
            prompts,
            values: Array::vector(vec![3.0, 2.0, 1.9999, 1.0]),
            groups: vec![1, 2, 1],
            score: groups.clone(),
            relative: groups.clone(),
        };
        directions(&section, &groups, "score").join(" ")
    };
    let some = description(groups([10, 40, 36], 1, 40), 40);
    assert!(
        some.contains("1\u{2013}2 (\u{2212}2.00 \u{b1} 0.25, in 100 %)") && some.contains("3 (+0.25"),
        "{some}"
    );
    assert!(
        !some.contains(" 0 (") && some.contains("3 groups of directions"),
        "{some}"
    );
    // All are in all prompts: so they would be by chance.
    let all = description(groups([40, 40, 40], 3, 40), 40);
    assert!(all.contains("None of them") && all.contains("in 100 %"), "{all}");
    assert!(some.contains("add up to the score in every prompt"), "{some}");
    assert_eq!(description(groups([0; 3], 0, 0), 0), "There are no prompts.");
    assert!((at_least(10, 10) - 0.7225).abs() < 1e-3 && at_least(0, 10).abs() < 1e-12);
}
