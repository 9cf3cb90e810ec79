//! The columns that describe prompts, for tables with one row per prompt.

use std::collections::BTreeSet;

use crate::export::Field;
use crate::result::ResultFile;

/// What is known of each prompt: its number, counted from 1, its names by the part that they play, and its text.
pub(super) fn prompt_columns(result: &ResultFile) -> Vec<&str> {
    let mut columns = vec!["prompt"];
    if !result.prompts.is_empty() {
        columns.extend(parts(result));
        columns.push("text");
    }
    columns
}

/// The parts that names play in the prompts.
pub(super) fn parts(result: &ResultFile) -> BTreeSet<&str> {
    let names = result.prompts.iter().flat_map(|prompt| prompt.names.keys());
    names.map(String::as_str).collect()
}

pub(super) fn prompt_fields(result: &ResultFile, parts: &BTreeSet<&str>, index: usize) -> Vec<Field> {
    let mut fields = vec![Field::Count(index + 1)];
    if result.prompts.is_empty() {
        return fields;
    }
    let prompt = result.prompts.get(index);
    let names = parts
        .iter()
        .map(|part| prompt.and_then(|prompt| prompt.names.get(*part)));
    let texts = names.chain([prompt.map(|prompt| &prompt.text)]);
    fields.extend(texts.map(|text| text.map_or(Field::Empty, |text| text.as_str().into())));
    fields
}
