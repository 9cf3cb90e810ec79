//! The list of prompts in pages of rows.

use crate::figure::{PromptList, ScatterView, columns, scatter_words};
use crate::names::SplitBy;
use crate::quantities::{grouped, number};
use crate::result::ResultFile;

/// Rows per page: few, so that pages of long lists appear at once, and the plot stays near.
pub const PAGE: usize = 12;

/// A row of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptRow {
    /// The prompt's index in the result.
    pub prompt: usize,
    /// The same for display, from 1.
    pub number: String,
    /// The values in the listed series; empty where it has none.
    pub values: Vec<String>,
    /// The text, if known.
    pub text: Option<String>,
}

/// The rows of the page that begins at index `start` of `list`.
pub fn rows(result: &ResultFile, view: &ScatterView, list: &PromptList, start: usize) -> Vec<PromptRow> {
    let columns = columns(result, view);
    let series: Vec<(usize, &[f32])> = columns
        .iter()
        .map(|series| {
            (
                scatter_words::decimals(series),
                result.values_by_prompt(series).unwrap_or_default(),
            )
        })
        .collect();
    let row = |&prompt: &usize| {
        let value = |(decimals, values): &(usize, &[f32])| {
            let value = values.get(prompt);
            value.map_or_else(String::new, |value| number(f64::from(*value), *decimals))
        };
        PromptRow {
            prompt,
            number: grouped(prompt + 1),
            values: series.iter().map(value).collect(),
            text: result.prompts.get(prompt).map(|prompt| prompt.text.clone()),
        }
    };
    list.prompts.iter().skip(start).take(PAGE).map(row).collect()
}

/// The start of the page that contains `prompt`; None where it is not listed.
pub fn page_of(list: &PromptList, prompt: Option<usize>) -> Option<usize> {
    let place = list.prompts.iter().position(|known| Some(*known) == prompt)?;
    Some(place / PAGE * PAGE)
}

/// The start of the last page of `count` prompts.
pub fn pages(count: usize) -> usize {
    count.saturating_sub(1) / PAGE * PAGE
}

/// "13 to 24 of 1,200".
pub fn page_range(count: usize, start: usize) -> String {
    let end = (start + PAGE).min(count);
    format!("{} to {} of {}", grouped(start + 1), grouped(end), grouped(count))
}

/// The criteria by which prompts can be filtered, each with its groups in the order of [`ResultFile::split`].
pub fn kinds(result: &ResultFile) -> Vec<(SplitBy, Vec<String>)> {
    let groups_by = |by: SplitBy| {
        let groups = result.split(by).into_iter();
        let names = groups.map(|group| format!("{} ({})", group.label, grouped(group.prompts.len())));
        (by, names.collect::<Vec<_>>())
    };
    let all = SplitBy::ALL.into_iter().map(groups_by);
    // A split with a single group is useless.
    all.filter(|(_, names)| names.len() > 1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded() -> ResultFile {
        ResultFile::from_json(include_bytes!("../../public/recorded/gpt2-small-10.7.json")).expect("the recorded run")
    }

    #[test]
    fn pages_have_every_prompt_once() {
        let (result, view) = (recorded(), ScatterView::default());
        let list = PromptList::of(&result, &view, None);
        let mut seen = Vec::new();
        let mut start = 0;
        while start < list.prompts.len() {
            let rows = rows(&result, &view, &list, start);
            assert!(rows.len() <= PAGE && rows.iter().all(|row| row.values.len() == 2 && row.text.is_none()));
            assert_eq!(page_of(&list, Some(rows[0].prompt)), Some(start));
            seen.extend(rows.iter().map(|row| row.prompt));
            start += PAGE;
        }
        assert_eq!(seen, (0..1200).collect::<Vec<_>>());
        assert_eq!(pages(1200), 1188);
        assert_eq!(pages(0), 0);
        assert_eq!(page_range(1200, 12), "13 to 24 of 1,200");
        assert_eq!(page_range(14, 12), "13 to 14 of 14");
        assert_eq!((page_of(&list, None), page_of(&list, Some(1200))), (None, None));
    }

    #[test]
    fn a_row_has_the_values_of_its_prompt() {
        let (result, view) = (recorded(), ScatterView::default());
        let list = PromptList::of(&result, &view, None);
        let series = columns(&result, &view);
        let row = &rows(&result, &view, &list, 36)[3];
        assert_eq!((row.prompt, row.number.as_str()), (39, "40"));
        let value = result.values_by_prompt(&series[1]).expect("values")[39];
        assert_eq!(row.values[1], number(f64::from(value), 2));
    }

    #[test]
    fn kinds_are_named_with_their_counts() {
        let kinds = kinds(&recorded());
        assert_eq!(kinds.iter().map(|(by, _)| *by).collect::<Vec<_>>(), SplitBy::ALL);
        assert!(kinds[0].1[0].starts_with("IO first (ABBA) ("), "{:?}", kinds[0]);
        let mut without = recorded();
        without.prompt_set = None;
        assert_eq!(super::kinds(&without), []);
    }
}
