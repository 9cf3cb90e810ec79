//! Sorting by a number. The sort itself is compiled once, and not for each type of items, which makes the
//! page 14 KB smaller (brotli, of 875).

use std::cmp::Ordering;

/// Sorts `items` by the number `key`, the largest first. Equal ones stay in their order; NaN is beyond infinity.
pub(crate) fn sort_descending<T, K: Into<f64>>(items: &mut [T], key: impl Fn(&T) -> K) {
    arrange(
        items,
        places(items.iter().map(|item| key(item).into()).collect(), |one, other| {
            other.total_cmp(one)
        }),
    );
}

/// Sorts `items` by the number `key`, the smallest first. Equal ones stay in their order; NaN is beyond infinity.
pub(crate) fn sort_ascending<T, K: Into<f64>>(items: &mut [T], key: impl Fn(&T) -> K) {
    arrange(
        items,
        places(items.iter().map(|item| key(item).into()).collect(), f64::total_cmp),
    );
}

/// The place of each item, whose numbers are `keys`, after sorting.
fn places(keys: Vec<f64>, compare: fn(&f64, &f64) -> Ordering) -> Vec<usize> {
    let mut sorted: Vec<usize> = (0..keys.len()).collect();
    sorted.sort_by(|&one, &other| compare(&keys[one], &keys[other]));
    let mut places = vec![0; keys.len()];
    for (place, &item) in sorted.iter().enumerate() {
        places[item] = place;
    }
    places
}

/// Moves each of `items` to its place.
fn arrange<T>(items: &mut [T], mut places: Vec<usize>) {
    for at in 0..items.len() {
        while places[at] != at {
            let place = places[at];
            items.swap(at, place);
            places.swap(at, place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_what_a_stable_sort_gives() {
        let numbers = [-1.5f32, -0.0, 0.0, 2.0, f32::INFINITY, f32::NAN, -f32::NAN];
        // Every row of up to four of them, so that equal ones and all orders occur.
        for length in 0..5u32 {
            for case in 0..numbers.len().pow(length) {
                let number = |at: u32| numbers[case / numbers.len().pow(at) % numbers.len()];
                let items: Vec<(u32, f32)> = (0..length).map(|at| (at, number(at))).collect();
                let order = |items: &[(u32, f32)]| items.iter().map(|item| item.0).collect::<Vec<_>>();
                let (mut ours, mut expected) = (items.clone(), items.clone());
                sort_descending(&mut ours, |item| item.1);
                expected.sort_by(|one, other| other.1.total_cmp(&one.1));
                assert_eq!(order(&ours), order(&expected), "{items:?}");
                let (mut ours, mut expected) = (items.clone(), items.clone());
                sort_ascending(&mut ours, |item| item.1);
                expected.sort_by(|one, other| one.1.total_cmp(&other.1));
                assert_eq!(order(&ours), order(&expected), "{items:?}");
            }
        }
    }
}
