//! Finds the tokens that a mark covers.

use std::ops::Range;

use super::errors::{shown, wrong};
use crate::error::Result;

/// A mark in terms of tokens.
pub(super) struct Located {
    /// The token it stands for: the last one if it covers several.
    pub(super) position: usize,
    /// A remark if it covers several tokens.
    pub(super) several: Option<String>,
}

/// The tokens that contain the characters of `mark`, without a leading space. `ends` are the ends in `text` of the
/// tokens after the first `offset`.
pub(super) fn locate(text: &str, mark: &Range<usize>, ends: &[usize], offset: usize) -> Result<Located> {
    let first = ends.partition_point(|end| *end <= mark.start);
    let last = ends.partition_point(|end| *end < mark.end);
    let start = if first == 0 { 0 } else { ends[first - 1] };
    let end = ends.get(last).copied().unwrap_or(text.len());
    let before = &text[start.min(mark.start)..mark.start];
    if end != mark.end || !(before.is_empty() || before == " ") {
        let (mut pieces, mut from) = (Vec::new(), start);
        for end in &ends[first..=last.min(ends.len().saturating_sub(1))] {
            pieces.push(shown(text.get(from..*end).unwrap_or("\u{fffd}")));
            from = *end;
        }
        return Err(
            wrong(format!("the mark {} cuts a token", shown(&text[mark.clone()]))).expected(format!(
                "whole tokens; there the text is cut into {}",
                pieces.join(", ")
            )),
        );
    }
    let several = (last > first).then(|| {
        let from = |index: usize| if index == 0 { 0 } else { ends[index - 1] };
        let pieces = (first..=last).map(|index| shown(text.get(from(index)..ends[index]).unwrap_or("\u{fffd}")));
        let pieces: Vec<String> = pieces.collect();
        format!(
            "{} is {} tokens ({})",
            shown(&text[mark.clone()]),
            pieces.len(),
            pieces.join(", ")
        )
    });
    Ok(Located {
        position: last + offset,
        several,
    })
}
