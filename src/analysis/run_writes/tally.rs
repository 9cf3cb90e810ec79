//! Accumulates results from the logits of all prompts while W_U is streamed. No logits are stored.

use crate::analysis::pair::LIKELIEST;
use crate::prompts::Targets;

/// Number of tokens that count as predicted.
pub(super) const PREDICTED: usize = 10;

/// What is known of a prompt before W_U is streamed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PromptTokens {
    /// The source token, and the effect of a unit of attention to it on its own logit.
    pub(super) own: (u32, f32),
    /// Mean of that effect over the other tokens of the prompt; None where there are none.
    pub(super) others: Option<f32>,
    pub(super) targets: Targets,
}

/// Whether both targets are known in advance.
pub(super) fn is_decided(targets: Targets) -> bool {
    targets.a.is_some() && targets.b.is_some()
}

/// The largest of a stream of numbers, each with its token and another number; the largest first, on ties the earlier
/// token.
#[derive(Debug, Clone, Default)]
struct Largest(Vec<(u32, f32, f32)>);

impl Largest {
    fn take(&mut self, count: usize, token: u32, value: f32, along: f32) {
        if self.0.len() == count && self.0.last().is_some_and(|last| value <= last.1) {
            return;
        }
        let place = self.0.partition_point(|known| known.1 >= value);
        self.0.insert(place, (token, value, along));
        self.0.truncate(count);
    }
}

/// The result for one prompt.
#[derive(Debug, Clone, Default)]
pub(super) struct OfPrompt {
    /// Number of tokens that are raised more than the source token.
    pub(super) above: usize,
    /// The most suppressed token, and the effect on its logit.
    pub(super) lowest: Option<(u32, f32)>,
    predicted: Largest,
    /// The most likely next tokens, each with the head's effect on its logit.
    likeliest: Largest,
    /// The head's effects on the logits of both targets, if these are known.
    at_targets: [Option<f32>; 2],
}

impl OfPrompt {
    /// The tokens predicted before the head, most likely first.
    pub(super) fn predicted(&self) -> Vec<u32> {
        self.predicted.0.iter().map(|(token, ..)| *token).collect()
    }

    /// The most likely next tokens, most likely first; none where both targets are known in advance.
    pub(super) fn likeliest(&self) -> impl Iterator<Item = u32> {
        self.likeliest.0.iter().map(|(token, ..)| *token)
    }

    /// The head's effect on the logit of `token`, one of the two targets of the prompt.
    pub(super) fn added_to(&self, token: u32, targets: Targets) -> Option<f32> {
        let known = [targets.a, targets.b].iter().position(|target| *target == Some(token));
        match known {
            Some(place) => self.at_targets[place],
            None => self.likeliest.0.iter().find(|entry| entry.0 == token).map(|of| of.2),
        }
    }
}

/// The results of all prompts for the tokens so far.
pub(super) struct Tally<'a> {
    asked: &'a [PromptTokens],
    pub(super) found: Vec<OfPrompt>,
}

impl<'a> Tally<'a> {
    pub(super) fn new(asked: &'a [PromptTokens]) -> Self {
        Self {
            asked,
            found: vec![OfPrompt::default(); asked.len()],
        }
    }

    /// Adds the logits of the tokens from `first` on, `[rows, tokens]`. Rows: the logit lens before the head's layer in
    /// every prompt; the final logits in prompts whose targets are not both known; the effect of a unit of attention to
    /// the source in every prompt; the effect of the head's whole output in every prompt.
    pub(super) fn take(&mut self, first: usize, logits: &[f32]) {
        let count = self.asked.len();
        let undecided = self.asked.iter().filter(|asked| !is_decided(asked.targets)).count();
        let tokens = logits.len() / (3 * count + undecided).max(1);
        if tokens == 0 {
            return;
        }
        let row = |number: usize| &logits[number * tokens..][..tokens];
        let mut last = count;
        for (number, (asked, found)) in self.asked.iter().zip(&mut self.found).enumerate() {
            let (before, by_source, by_head) = (
                row(number),
                row(count + undecided + number),
                row(2 * count + undecided + number),
            );
            let ids = || first as u32..;
            for (token, &value) in ids().zip(before) {
                found.predicted.take(PREDICTED, token, value, 0.0);
            }
            let above = ids()
                .zip(by_source)
                .filter(|(token, value)| *token != asked.own.0 && **value > asked.own.1);
            found.above += above.count();
            for (token, &value) in ids().zip(by_head) {
                if found.lowest.is_none_or(|lowest| value < lowest.1) {
                    found.lowest = Some((token, value));
                }
            }
            for (target, at) in [asked.targets.a, asked.targets.b]
                .into_iter()
                .zip(&mut found.at_targets)
            {
                let place = target.and_then(|token| (token as usize).checked_sub(first));
                *at = at.or_else(|| by_head.get(place?).copied());
            }
            if !is_decided(asked.targets) {
                for ((token, &value), &added) in ids().zip(row(last)).zip(by_head) {
                    found.likeliest.take(LIKELIEST, token, value, added);
                }
                last += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_are_kept_in_order() {
        let mut largest = Largest::default();
        for (token, value) in (0..).zip([1.0, 5.0, 3.0, 5.0, -1.0, 4.0]) {
            largest.take(3, token, value, 0.0);
        }
        let kept: Vec<u32> = largest.0.iter().map(|(token, ..)| *token).collect();
        assert_eq!(kept, [1, 3, 5]);
    }

    #[test]
    fn logits_are_counted_as_they_pass() {
        let known = Targets { a: Some(3), b: Some(0) };
        let asked = [
            PromptTokens {
                own: (1, 2.0),
                others: None,
                targets: known,
            },
            PromptTokens {
                own: (2, 0.0),
                others: None,
                targets: Targets { a: Some(1), b: None },
            },
        ];
        let rows: [[f32; 4]; 7] = [
            [1.0, 2.0, 3.0, 4.0],
            [4.0, 3.0, 2.0, 1.0],
            // The final stream of the second prompt.
            [0.0, 9.0, 8.0, 7.0],
            [3.0, 2.5, 1.0, 2.1],
            [-1.0, 1.0, 5.0, -2.0],
            [0.5, -3.0, -3.0, 0.25],
            [0.125, 0.5, -1.0, 2.0],
        ];
        // All at once, and in two parts.
        for cuts in [&[0, 4][..], &[0, 1, 4]] {
            let mut tally = Tally::new(&asked);
            for part in cuts.windows(2).map(|cut| cut[0]..cut[1]) {
                let logits: Vec<f32> = rows.iter().flat_map(|row| &row[part.clone()]).copied().collect();
                tally.take(part.start, &logits);
            }
            let [first, second] = &tally.found[..] else {
                panic!("two prompts")
            };
            assert_eq!((first.above, second.above), (2, 1));
            assert_eq!((first.lowest, second.lowest), (Some((1, -3.0)), Some((2, -1.0))));
            assert_eq!(first.predicted(), [3, 2, 1, 0]);
            assert_eq!(first.likeliest().count(), 0);
            assert_eq!(
                (first.added_to(3, known), first.added_to(0, known)),
                (Some(0.25), Some(0.5))
            );
            assert_eq!(second.likeliest().collect::<Vec<_>>(), [1, 2, 3]);
            assert_eq!(second.added_to(1, asked[1].targets), Some(0.5));
            assert_eq!(second.added_to(2, asked[1].targets), Some(-1.0));
        }
    }
}
