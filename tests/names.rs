//! The text forms of nouns are written and read in `src/names` alone: no string literal elsewhere in `src` is a name, or a piece that
//! one could be put together from.
//!
//! Comments, attributes and tests may have them. Text for people may have them within a sentence: files that hold such sentences are
//! listed in [`PROSE`]; a name by itself is refused there, too.
#![allow(clippy::unwrap_used)]

mod literals;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use keyside::names::{
    Column, Component, Facet, FigureId, FigureName, Head, HeatmapId, HeatmapParts, HeatmapVariant, HistogramId,
    PositionName, Row, SeriesId, Side,
};

use literals::literals;

/// Files with sentences for people that have names in them.
const PROSE: [&str; 6] = [
    "app/glossary.rs",
    "app/story/cells.rs",
    "app/words.rs",
    "cli/arguments.rs",
    "figure/heatmap/words.rs",
    "figure/histogram/words.rs",
];

/// Literals that are spelled like a name and are none: file, literals, what they are.
const OTHERS: [(&str, &[&str], &str); 13] = [
    (
        "analysis/settings/list.rs",
        &["seed", "seed {}", "src", "dest"],
        "keys of addresses, options, and how they are cited",
    ),
    (
        "cli/interventions.rs",
        &["effect/key=W_U[src]"],
        "names of arrays in JSON",
    ),
    ("cli/settings.rs", &["L.H"], "what stands for a head in the help"),
    (
        "figure/histogram/keys.rs",
        &["split", "split{number}"],
        "keys of an address",
    ),
    (
        "prompts/text/mod.rs",
        &["dest", "src"],
        "columns of a table that a reader wrote",
    ),
    (
        "web/figures/split.rs",
        &["split", "split-{name}"],
        "a class and ids of elements",
    ),
    (
        "app/glossary.rs",
        &["IO", "END", "query", "key", "W_E", "No patching"],
        "words that are explained, and their ids",
    ),
    (
        "figure/heatmap/choice.rs",
        &[
            "heatmap-file",
            "heatmap-seed",
            "heatmap-side",
            "heatmap-variant",
            "heatmap-minus",
            "heatmap-query",
            "heatmap-key",
            "key",
            "query",
            "query from W_U[IO]",
            "split",
            "END\u{2192}S1",
            "W_U[IO]",
            "MLP 0",
        ],
        "labels of choices, and ids of their elements",
    ),
    ("app/words.rs", &["seed {last}"], "part of a sentence"),
    ("sweep/sets.rs", &[", seed {seed}"], "part of a title"),
    ("export/cite.rs", &["misc"], "a kind of entry in BibTeX"),
    ("forward/embedding.rs", &["W_pos"], "a matrix, in an error"),
    (
        "web/sentence/next.rs",
        &["seed"],
        "the field of the seed that tokens are drawn with",
    ),
];

/// The parts of a text form that could be written by hand.
struct Forms {
    /// Names that no sentence has by chance: refused in every literal outside of [`PROSE`].
    telling: BTreeSet<String>,
    /// Names and pieces of names that are words, too: refused where a literal consists of nothing else.
    words: BTreeSet<String>,
}

/// Every text form of `names`, and the fixed parts of those that have parameters.
fn forms() -> Forms {
    let mut telling = BTreeSet::new();
    let mut words = BTreeSet::new();
    let head = Head::new(7, 7);
    for component in [
        Component::TokenEmbedding,
        Component::PositionEmbedding,
        Component::QueryBias,
        Component::KeyBias,
        Component::Head(head),
        Component::Mlp(7),
        Component::AttentionBias(7),
    ] {
        match component {
            Component::TokenEmbedding
            | Component::PositionEmbedding
            | Component::QueryBias
            | Component::KeyBias
            | Component::AttentionBias(_) => telling.extend(fixed_parts(&component.label())),
            Component::Mlp(_) => words.extend(fixed_parts(&component.label())),
            // A head is two numbers.
            Component::Head(_) => {}
        }
    }
    for row in [Row::Embeddings, Row::Layer(7)] {
        match row {
            Row::Embeddings => words.extend(fixed_parts(&row.to_string())),
            // A layer is a number.
            Row::Layer(_) | Row::Other(_) => {}
        }
    }
    for column in [Column::Head(7), Column::Mlp, Column::AttentionBias] {
        match column {
            Column::Head(_) | Column::Mlp => words.extend(fixed_parts(&column.to_string())),
            Column::AttentionBias => telling.extend(fixed_parts(&column.to_string())),
            Column::Other(_) => {}
        }
    }
    for series in SeriesId::FIXED.into_iter().chain([SeriesId::EarlierHead(head)]) {
        let parts = fixed_parts(&series.label());
        // True values are called so in sentences, too, and an earlier head is two numbers between words.
        if series.is_true_values() || matches!(series, SeriesId::EarlierHead(_)) {
            words.extend(parts)
        } else {
            telling.extend(parts)
        }
    }
    let variants = [
        HeatmapVariant::Whole,
        HeatmapVariant::FromWu,
        HeatmapVariant::FromMlp0,
        HeatmapVariant::Split,
    ];
    for variant in variants.into_iter().chain(Facet::ALL.map(HeatmapVariant::Facet)) {
        for (side, minus_s1, seed) in Side::ALL
            .map(|side| [(side, false, None), (side, false, Some(7)), (side, true, None)])
            .concat()
        {
            let heatmap = HeatmapId::from(HeatmapParts {
                side,
                variant,
                minus_s1,
                seed,
            });
            let figure = FigureId::one_of(FigureName::HEATMAP, heatmap.to_string());
            telling.extend(fixed_parts(&figure.to_string()));
            for part in fixed_parts(&heatmap.to_string()) {
                // "key_split" is a name and nothing else; "key", "split", "q par k" are words.
                let pieces: Vec<&str> = part.split(['_', '/', ' ']).collect();
                words.extend(pieces.iter().filter(|piece| !piece.is_empty()).map(ToString::to_string));
                if part.contains('_') { &mut telling } else { &mut words }.insert(part.clone());
            }
        }
    }
    words.extend(["heatmap_".to_owned()]);
    telling.extend(HistogramId::ALL.map(|id| id.to_string()));
    words.extend(
        HistogramId::ALL
            .iter()
            .filter_map(|id| Some(id.as_str().rsplit_once('_')?.0.to_owned())),
    );
    words.insert(FigureName::HEATMAP.to_string());
    words.extend(PositionName::FIXED.map(|name| name.to_string()));
    words.extend(Side::ALL.map(|side| side.to_string()));
    telling.retain(|form| !words.contains(form));
    Forms { telling, words }
}

/// The parts of a text form between its numbers: "NMH 7.7 output" has the parts "NMH" and "output".
fn fixed_parts(text: &str) -> Vec<String> {
    let numberless = text.replace("7.7", "\0").replace('7', "\0");
    let parts = numberless.split('\0').map(str::trim).filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}

/// `literal` with a gap where a value is put in.
fn without_values(literal: &str) -> String {
    let mut text = String::new();
    let mut rest = literal;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        match after.split_once('}') {
            Some((value, after)) if !value.contains('{') => {
                text.push('\0');
                rest = after;
            }
            _ => {
                rest = after;
                text.push('{');
            }
        }
    }
    text + rest
}

/// Whether `text` has `form` as a word: not within a longer one.
fn has_word(text: &str, form: &str) -> bool {
    let within = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(form).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + form.len()..]);
        let inner_start = form.starts_with(within) && before.ends_with(within);
        // Numbers are parts of names: "MLP6", "key_seed42".
        let inner_end = form.ends_with(within) && after.starts_with(|c: char| c.is_alphabetic() || c == '_');
        !inner_start && !inner_end
    })
}

/// The violation by `literal` in `file`, if there is one.
fn offence(forms: &Forms, file: &str, literal: &str) -> Option<String> {
    let text = without_values(literal);
    let mut rest = text.clone();
    let mut all: Vec<&String> = forms.telling.iter().chain(&forms.words).collect();
    all.sort_by_key(|form| std::cmp::Reverse(form.len()));
    let mut found = Vec::new();
    for form in all {
        while has_word(&rest, form) || rest.trim_matches(['\0', ' ', '_', '/', ',', '-']) == *form {
            rest = rest.replacen(form.as_str(), "\0", 1);
            found.push(form.as_str());
        }
    }
    let first = *found.first()?;
    let others = rest.split(|c: char| !c.is_alphabetic()).any(|word| word.len() > 1);
    if !others {
        return Some(format!("{file}: {literal:?} is a name, or a piece of one ({first:?})"));
    }
    let telling = found.iter().find(|form| forms.telling.contains(**form))?;
    (!PROSE.contains(&file)).then(|| format!("{file}: {literal:?} has the name {telling:?}"))
}

/// The Rust files below `folder`, `names` and files of tests left out.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && name != "names" {
            files.extend(sources(&path));
        } else if name.ends_with(".rs") && !name.ends_with("_tests.rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

#[test]
fn no_name_is_spelt_outside_of_names() {
    let forms = forms();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = sources(&root);
    let mut excused = BTreeSet::new();
    let mut offences = Vec::new();
    let mut count = 0;
    for path in &files {
        let file = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
        for literal in literals(&std::fs::read_to_string(path).unwrap()) {
            count += 1;
            let other = OTHERS
                .iter()
                .flat_map(|(of, texts, _)| texts.iter().map(move |text| (*of, *text)));
            match other.into_iter().find(|(of, text)| *of == file && *text == literal) {
                Some(other) => _ = excused.insert(other),
                None => offences.extend(offence(&forms, &file, &literal)),
            }
        }
    }
    println!("{count} literals in {} files", files.len());
    assert!(files.len() > 100 && count > 1000, "the sources are not found");
    assert!(offences.is_empty(), "{}", offences.join("\n"));
    for (file, texts, _) in OTHERS {
        let unused: Vec<_> = texts.iter().filter(|text| !excused.contains(&(file, **text))).collect();
        assert!(unused.is_empty(), "{file}: excused, but not there: {unused:?}");
    }
}

#[test]
fn names_and_their_pieces_are_found() {
    let forms = forms();
    let found = |literal: &str| offence(&forms, "app/glossary.rs", literal).is_some();
    for literal in [
        "W_E",
        "b_O",
        "b_O{row}",
        "MLP",
        "MLP{layer}",
        "{column}MLP",
        "L.",
        "L.{}",
        "misc",
        "NMH ",
        "NMH {} output",
        " output",
        "W_U[IO]",
        "W_E[IO] (true embedding)",
        "No patching",
        "true score",
        "key",
        "query_",
        "key_subWU",
        "{group}_subS1{facet}",
        "subMLP0",
        "_split",
        "key_split/{facet}",
        "q {} k {}",
        "q par k perp",
        "perp",
        "seed{seed}",
        "key_seed42",
        "heatmap_",
        "heatmap_{}",
        "heatmap_key",
        "heatmap",
        "keys_fixed_scores",
        "keys_fixed",
        "END",
        "S1",
        "dest",
    ] {
        assert!(found(literal), "{literal:?} is not found");
    }
    for literal in [
        "",
        "score",
        "The key at IO.",
        "the biases b_O",
        "W_U",
        "{}",
        "monkey",
        "IOI",
    ] {
        assert!(!found(literal), "{literal:?} is none");
    }
    // A sentence has its place, too.
    let sentence = "What W_U[IO] gives, the head reads.";
    assert!(offence(&forms, "plot/palette.rs", sentence).is_some() && !found(sentence));
}
