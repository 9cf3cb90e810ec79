//! The terms of a component, level by level.

use keyside::analysis::pair::{self, Pair, Part, PartDecomposition, PartPath, ScoreDecomposition, Step, drill_down};
use keyside::forward::{Model, NoMonitor, Pass, PrefixTree, Request, Tap};
use keyside::model::Processing;
use keyside::names::{BlockHook, Component, Head, HookPoint, Relative, Side};
use rand_mt::Mt;

use crate::common::{block_on, tiny, tiny_changed};
use crate::golden_file::Golden;
use crate::golden_file::pairs::Case;

fn decomposed(model: &mut Model, asked: &Pair, part_path: &PartPath) -> PartDecomposition {
    block_on(drill_down(model, asked, part_path, &NoMonitor)).unwrap()
}

/// All of `side`, opened along `path`.
fn of_side(side: Side, path: &[Step]) -> PartPath {
    PartPath {
        side,
        against: None,
        relative: None,
        path: path.to_vec(),
    }
}

fn values(decomposition: &PartDecomposition, wanted: impl Fn(&Part) -> bool) -> Vec<f32> {
    let parts = decomposition.parts.iter().filter(|(part, _)| wanted(part));
    parts.map(|(_, value)| *value).collect()
}

/// Compares the arrays of the level below with those of `case`.
pub fn check_golden(golden: &mut Golden, model: &mut Model, case: &Case, asked: &Pair) {
    let earlier = Step::Component(Component::Head(case.earlier));
    let mlp = Step::Component(Component::Mlp(case.earlier.layer));
    for (side, by_source, by_neuron, by_bias) in [
        (Side::Key, "earlier_head_by_source", "mlp_by_neuron", Some("mlp_b_out")),
        (Side::Query, "earlier_head_by_source_query", "mlp_by_neuron_query", None),
    ] {
        let sources = decomposed(model, asked, &of_side(side, &[earlier]));
        let mut by = values(&sources, |_| true);
        by.resize(asked.tokens.len(), 0.0);
        case.check(golden, by_source, &by);
        if side == Side::Key {
            let largest = |values: &[f32]| {
                (0..values.len())
                    .max_by(|&a, &b| values[a].abs().total_cmp(&values[b].abs()))
                    .unwrap()
            };
            let position = largest(&by);
            case.check(golden, "down_twice_position", &[position as f32]);
            let twice = decomposed(model, asked, &of_side(side, &[earlier, Step::Source(position)]));
            case.check(golden, "down_twice", &values(&twice, |_| true));
            assert!(twice.parts.iter().all(|(part, _)| matches!(part, Part::Component(_))));
        }
        let neurons = decomposed(model, asked, &of_side(side, &[mlp]));
        case.check(
            golden,
            by_neuron,
            &values(&neurons, |part| matches!(part, Part::Neuron(_))),
        );
        if let Some(name) = by_bias {
            case.check(golden, name, &values(&neurons, |part| *part == Part::OutBias));
        }
    }
}

/// How far numbers may be apart that are sums of numbers of size `scale` together.
fn close(found: f32, expected: f32, scale: f32, what: &str) {
    let difference = (f64::from(found) - f64::from(expected)).abs();
    let scale = f64::from(scale);
    assert!(
        difference <= 1e-5 + 1e-6 * scale,
        "{what}: {found} for {expected}, difference {difference:.2e} of {scale:.2e}"
    );
}

/// The sum of cells that is opened by `part_path` before it goes down.
fn cell(decomposition: &ScoreDecomposition, part_path: &PartPath, component: Component) -> f32 {
    let table = match part_path.relative {
        Some(relative) => decomposition.relative(relative).unwrap(),
        None => decomposition.table(),
    };
    let number = |wanted: Component| {
        let found = decomposition
            .components
            .iter()
            .position(|component| *component == wanted);
        // In the table b_K stands in the place of b_Q.
        found.unwrap_or(decomposition.components.len() - 1)
    };
    let at = |query: usize, key: usize| table.row(query).unwrap()[key];
    let all = 0..decomposition.components.len();
    let cells: Vec<f32> = match (part_path.side, part_path.against) {
        (Side::Key, Some(against)) => vec![at(number(against), number(component))],
        (Side::Query, Some(against)) => vec![at(number(component), number(against))],
        (Side::Key, None) => all.map(|query| at(query, number(component))).collect(),
        (Side::Query, None) => all.map(|key| at(number(component), key)).collect(),
    };
    cells.iter().map(|&v| f64::from(v)).sum::<f64>() as f32
}

/// Opens what `part_path` says and, in each list, one part further by `below`; every list must add up to what was opened. Returns how
/// many lists there were.
fn check_all_levels(
    model: &mut Model,
    decomposition: &ScoreDecomposition,
    (asked, part_path): (&Pair, &PartPath),
    below: &mut dyn FnMut(usize) -> usize,
) -> usize {
    let mut part_path = part_path.clone();
    let mut of_part: Option<f32> = None;
    let mut lists = 0;
    loop {
        let found = decomposed(model, asked, &part_path);
        let name = format!("{asked:?} {part_path:?}");
        close(found.sum, found.cell, found.scale, &name);
        let before = match (of_part, part_path.path[0]) {
            (Some(before), _) => before,
            (None, Step::Component(component)) => cell(decomposition, &part_path, component),
            (None, Step::Source(_)) => panic!("begins with a component"),
        };
        let size: f32 = decomposition.score.abs() + found.scale;
        close(found.cell, before, size, &name);
        lists += 1;
        let openable: Vec<(Step, f32)> = found
            .parts
            .iter()
            .filter_map(|(part, value)| match *part {
                Part::Source(position) => Some((Step::Source(position), *value)),
                Part::Component(component @ (Component::Head(_) | Component::Mlp(_))) => {
                    Some((Step::Component(component), *value))
                }
                _ => None,
            })
            .collect();
        if openable.is_empty() {
            return lists;
        }
        let (step, value) = openable[below(openable.len())];
        part_path.path.push(step);
        of_part = Some(value);
    }
}

#[test]
fn every_list_adds_up_to_what_was_opened() {
    let mut random = Mt::new(5);
    let mut below = |end: usize| random.next_u32() as usize % end;
    let mut lists = 0;
    for switches in 0..16 {
        let on = |bit: usize| switches >> bit & 1 == 1;
        let processing = Processing {
            fold_ln: on(0),
            center_writing_weights: on(1),
            center_unembed: on(2),
            fold_value_biases: on(3),
        };
        let mut model = block_on(Model::open(Box::new(tiny()), processing)).unwrap();
        let tokens: Vec<u32> = (0..2 + below(9)).map(|_| below(600) as u32).collect();
        let dest = below(tokens.len());
        let asked = Pair {
            src: below(dest + 1),
            dest,
            tokens,
            head: Head::new(2, below(4)),
        };
        let decomposition = block_on(pair::decomposition(&mut model, &asked, &NoMonitor)).unwrap();
        for side in Side::ALL {
            for relative in [
                None,
                Some(Relative::Mean),
                Some(Relative::Attention),
                Some(Relative::Position(below(dest + 1))),
            ] {
                let of_other = decomposition.components[below(decomposition.components.len())];
                let of_other = match of_other {
                    Component::QueryBias => Component::bias(side.other()),
                    component => component,
                };
                for against in [None, Some(of_other)] {
                    let layer = below(2);
                    let component = match below(3) {
                        0 => Component::Mlp(layer),
                        _ => Component::Head(Head::new(layer, below(4))),
                    };
                    let part_path = PartPath {
                        side,
                        against,
                        relative,
                        path: vec![Step::Component(component)],
                    };
                    lists += check_all_levels(&mut model, &decomposition, (&asked, &part_path), &mut below);
                }
            }
        }
    }
    println!("{lists} lists");
    assert!(lists > 16 * 2 * 4 * 2 * 2, "{lists}");
}

/// A relative list is the mean over keys of lists that are not, part by part.
#[test]
fn relative_lists_are_differences_of_others() {
    let mut model = block_on(Model::open(Box::new(tiny()), Processing::default())).unwrap();
    let tokens = vec![5, 80, 300, 41, 80, 7];
    let asked = Pair {
        dest: 5,
        src: 2,
        head: Head::new(2, 1),
        tokens,
    };
    let decomposition = block_on(pair::decomposition(&mut model, &asked, &NoMonitor)).unwrap();
    let pattern = {
        let most = decomposition.scores.iter().copied().fold(f32::MIN, f32::max);
        let exponentials: Vec<f32> = decomposition.scores.iter().map(|v| (v - most).exp()).collect();
        let total: f32 = exponentials.iter().sum();
        exponentials.into_iter().map(|v| v / total).collect::<Vec<f32>>()
    };
    for component in [Component::Head(Head::new(1, 3)), Component::Mlp(1)] {
        let part_path = of_side(Side::Key, &[Step::Component(component)]);
        let of_key: Vec<Vec<f32>> = (0..=asked.dest)
            .map(|src| {
                let found = decomposed(&mut model, &Pair { src, ..asked.clone() }, &part_path);
                let mut of_key = values(&found, |_| true);
                if matches!(component, Component::Head(_)) {
                    of_key.resize(asked.dest + 1, 0.0);
                }
                of_key
            })
            .collect();
        let count = of_key.len();
        for (relative, weights) in [
            (Relative::Mean, vec![1.0 / count as f32; count]),
            (Relative::Attention, pattern.clone()),
            (
                Relative::Position(4),
                (0..count).map(|position| f32::from(u8::from(position == 4))).collect(),
            ),
        ] {
            let part_path = PartPath {
                relative: Some(relative),
                ..part_path.clone()
            };
            let found = values(&decomposed(&mut model, &asked, &part_path), |_| true);
            for (index, found) in found.into_iter().enumerate() {
                let others: f32 = of_key
                    .iter()
                    .zip(&weights)
                    .map(|(key, weight)| weight * key[index])
                    .sum();
                close(
                    found,
                    of_key[2][index] - others,
                    1.0,
                    &format!("{relative:?}, part {index}"),
                );
            }
        }
    }
}

/// b_K adds the same to the scores of all keys, which softmax ignores.
#[test]
fn a_constant_in_the_bias_of_keys_moves_nothing_relative() {
    let tokens = vec![5, 80, 300, 41, 80, 7, 44];
    let asked = Pair {
        dest: 6,
        src: 3,
        head: Head::new(2, 1),
        tokens,
    };
    // b_K of head 2.1: the second quarter of the second third.
    let is_b_k = |name: &str, index: usize| name == "h.2.attn.c_attn.bias" && (40..48).contains(&index);
    let moved = tiny_changed(|name, index, value| value + if is_b_k(name, index) { 2.0 } else { 0.0 });
    let mut before = block_on(Model::open(Box::new(tiny()), Processing::default())).unwrap();
    let mut after = block_on(Model::open(Box::new(moved), Processing::default())).unwrap();
    let decomposition = |model: &mut Model| block_on(pair::decomposition(model, &asked, &NoMonitor)).unwrap();
    let (decomposition_before, decomposition_after) = (decomposition(&mut before), decomposition(&mut after));
    assert!(
        (decomposition_before.score - decomposition_after.score).abs() > 0.1,
        "the score itself moves"
    );
    let mut compared = 0;
    let mut same = |before: &[f32], after: &[f32], what: &str| {
        let scale = before.iter().map(|v| v.abs()).sum::<f32>();
        assert_eq!(before.len(), after.len());
        for (before, after) in before.iter().zip(after) {
            close(*after, *before, scale, what);
        }
        compared += 1;
    };
    for relative in [Relative::Mean, Relative::Attention, Relative::Position(1)] {
        let tables = [&decomposition_before, &decomposition_after]
            .map(|decomposition| decomposition.relative(relative).unwrap());
        same(tables[0].data(), tables[1].data(), "the table");
        for side in Side::ALL {
            for path in [
                vec![Step::Component(Component::Head(Head::new(1, 2)))],
                vec![Step::Component(Component::Head(Head::new(1, 2))), Step::Source(1)],
                vec![Step::Component(Component::Mlp(0))],
            ] {
                let part_path = PartPath {
                    relative: Some(relative),
                    ..of_side(side, &path)
                };
                let lists = [&mut before, &mut after].map(|model| decomposed(model, &asked, &part_path));
                same(&values(&lists[0], |_| true), &values(&lists[1], |_| true), "a list");
            }
        }
    }
    assert_eq!(compared, 3 * (1 + 2 * 3));
}

/// Scores of -1e5 exist in trained models: nothing is masked by a finite number.
#[test]
fn the_future_is_invisible_whatever_the_scores() {
    let huge = tiny_changed(|name, _, value| value * if name.contains("c_attn") { 300.0 } else { 1.0 });
    let mut model = block_on(Model::open(Box::new(huge), Processing::default())).unwrap();
    let tokens: Vec<u32> = (0..12).map(|i| (37 * i + 11) % 600).collect();
    let (dest, head) = (11, Head::new(2, 1));
    let pair_with = |src| Pair {
        tokens: tokens.clone(),
        dest,
        src,
        head,
    };
    let sentence = block_on(pair::Sentence::read(&mut model, &pair_with(3).tokens, None, &NoMonitor)).unwrap();
    let found = pair::attention(&model, &sentence, &pair_with(3)).unwrap();
    let largest = found.scores.data().iter().fold(0f32, |most, v| most.max(v.abs()));
    assert!(largest > 5e4, "{largest}");
    for (position, row) in found.of_head.data().chunks_exact(tokens.len()).enumerate() {
        assert!(row[position + 1..].iter().all(|v| *v == 0.0), "row {position}: {row:?}");
        let sum: f32 = row.iter().sum();
        assert!((sum - 1.0).abs() < 1e-6, "row {position}: {sum}");
    }
    let tree = PrefixTree::new([&tokens[..]]);
    let rows = tree.path(0).to_vec();
    let taps = (0..3).map(|layer| Tap::new(HookPoint::block(layer, BlockHook::Pattern), rows.clone()));
    let mut passes = [Pass::new(tree, Request::of(taps.collect()))];
    block_on(model.run(&mut passes, 3, &NoMonitor)).unwrap();
    for captured in &passes[0].captured {
        for position in 0..tokens.len() {
            let row = captured.row(position);
            assert!(row.iter().all(|v| v.is_finite()), "{row:?}");
            let sums = row.chunks_exact(position + 1).map(|row| row.iter().sum::<f32>());
            assert!(sums.into_iter().all(|sum| (sum - 1.0).abs() < 1e-6));
        }
    }
    let mut worst = 0f64;
    for src in [0, 3, 11] {
        let decomposition = block_on(pair::decomposition(&mut model, &pair_with(src), &NoMonitor)).unwrap();
        let table = decomposition.table();
        let scale: f64 = table.data().iter().map(|v| f64::from(v.abs())).sum();
        let sum: f64 = table.data().iter().map(|&v| f64::from(v)).sum();
        assert!(
            (sum - f64::from(decomposition.score)).abs() <= 1e-6 * scale,
            "{sum} for {}",
            decomposition.score
        );
        for side in Side::ALL {
            for component in [Component::Head(Head::new(1, 3)), Component::Mlp(1)] {
                for relative in [None, Some(Relative::Mean), Some(Relative::Attention)] {
                    let part_path = PartPath {
                        relative,
                        ..of_side(side, &[Step::Component(component)])
                    };
                    let found = decomposed(&mut model, &pair_with(src), &part_path);
                    assert!(found.parts.iter().all(|(_, value)| value.is_finite()));
                    let difference = (f64::from(found.sum) - f64::from(found.cell)).abs();
                    worst = worst.max(difference / scale.max(f64::from(found.scale)));
                }
            }
        }
    }
    println!("largest difference of a list, relative to the sum of sizes: {worst:.2e}");
    assert!(worst <= 1e-6, "{worst:.2e}");
}

#[test]
fn what_can_t_be_opened_is_said() {
    let mut model = block_on(Model::open(Box::new(tiny()), Processing::default())).unwrap();
    let asked = Pair {
        tokens: vec![5, 80, 300, 41],
        dest: 3,
        src: 1,
        head: Head::new(2, 1),
    };
    let component = |text: &str| Step::Component(text.parse().unwrap());
    for (path, part) in [
        (vec![], "nothing is opened"),
        (vec![component("W_E")], "W_E (token embedding) can't be opened"),
        (vec![component("W_pos")], "can't be opened"),
        (vec![component("b_O1")], "b_O of layer 1 can't be opened"),
        (vec![component("b_K")], "can't be opened"),
        (
            vec![component("2.0")],
            "head 2.0 writes nothing that is read in layer 2",
        ),
        (vec![component("MLP2")], "MLP 2 writes nothing"),
        (vec![component("0.9")], "head 0.9 does not exist"),
        (vec![Step::Source(0)], "there is no head whose source token 0"),
        (
            vec![component("1.0"), Step::Source(2)],
            "head 1.0 has read no token at position 2",
        ),
        (vec![component("MLP1"), Step::Source(0)], "a neuron can't be opened"),
        (
            vec![component("1.0"), component("0.1")],
            "a head is opened into source tokens",
        ),
        (
            vec![component("1.0"), Step::Source(1), component("1.1")],
            "head 1.1 writes nothing that is read in layer 1",
        ),
        (
            vec![component("1.0"), Step::Source(1), Step::Source(0)],
            "there is no head whose source token 0",
        ),
    ] {
        let error = block_on(drill_down(&mut model, &asked, &of_side(Side::Key, &path), &NoMonitor)).unwrap_err();
        assert_eq!(error.kind, keyside::ErrorKind::Request);
        assert!(error.cause.contains(part) && !error.expected.is_empty(), "{error}");
    }
    let whole = of_side(Side::Key, &[component("1.0")]);
    for (part_path, part) in [
        (
            PartPath {
                against: Some(Component::KeyBias),
                ..whole.clone()
            },
            "is no part of the query of head 2.1",
        ),
        (
            PartPath {
                against: Some(Component::Mlp(2)),
                ..whole.clone()
            },
            "MLP 2 is no part of the query",
        ),
        (
            PartPath {
                relative: Some(Relative::Position(4)),
                ..whole.clone()
            },
            "relative to position 4",
        ),
    ] {
        let error = block_on(drill_down(&mut model, &asked, &part_path, &NoMonitor)).unwrap_err();
        assert!(error.cause.contains(part), "{error}");
    }
}
