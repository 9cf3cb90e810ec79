//! Citations say what was computed, and cannot be broken out of.
#![allow(clippy::unwrap_used)]

use super::*;

fn recorded() -> ResultFile {
    ResultFile::from_json(include_bytes!("../../public/recorded/gpt2-small-10.7.json")).unwrap()
}

fn seen() -> Citation {
    Citation {
        link: Some("https://example.org/keyside/?v=1&head=10.7#a%20b".into()),
        accessed: Some("2026-01-31".into()),
    }
}

#[test]
fn the_text_says_version_model_settings_link_and_papers() {
    let text = citation(&recorded(), &seen());
    for part in [
        concat!("keyside ", env!("CARGO_PKG_VERSION")),
        "model GPT-2 small (source: Outputs stored in the notebook",
        "head 10.7, earlier head 9.9",
        "1200 prompts, head 10.7, earlier head 9.9, seeds 0 to 29, 30 batches of 40, without BOS",
        "LayerNorm folded in",
        "https://example.org/keyside/?v=1&head=10.7#a%20b Accessed 2026-01-31.",
        "Kevin Wang, Alexandre Variengien, Arthur Conmy, Buck Shlegeris, Jacob Steinhardt (2022). Interpretability in the Wild",
        "arXiv:2211.00593",
        "Radford",
    ] {
        assert!(text.contains(part), "{text}\nlacks {part}");
    }
    let undated = citation(&recorded(), &Citation::default());
    assert!(undated.contains("Accessed [date]."), "{undated}");
}

/// Field name and value of an entry's lines, and how deep braces go at its end.
fn fields(text: &str) -> Vec<(String, String)> {
    let lines = text
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.split_once(" = {"));
    lines
        .map(|(name, value)| {
            (
                name.to_owned(),
                value.trim_end_matches(',').strip_suffix('}').unwrap().to_owned(),
            )
        })
        .collect()
}

fn balanced(text: &str) -> bool {
    let mut depth = 0_i32;
    let mut escaped = false;
    for character in text.chars() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return false;
        }
    }
    depth == 0
}

#[test]
fn bibtex_has_an_entry_for_the_result_and_for_each_paper() {
    let text = bibtex(&recorded(), &seen());
    assert!(text.starts_with("@misc{keyside-gpt-2-small-10-7,\n"), "{text}");
    assert!(balanced(&text), "{text}");
    let fields = fields(&text);
    let named = |name: &str| {
        fields
            .iter()
            .filter(|(field, _)| field == name)
            .map(|(_, value)| value.as_str())
            .collect::<Vec<_>>()
    };
    assert_eq!(named("title").len(), 3);
    assert_eq!(named("url")[0], "https://example.org/keyside/?v=1&head=10.7#a%20b");
    assert_eq!(named("urldate"), ["2026-01-31"]);
    assert!(named("note")[0].contains("1200 prompts") && named("note")[0].contains("W\\_U centered"));
    assert!(named("author")[1].starts_with("Kevin Wang and Alexandre Variengien and "));
    assert_eq!(named("year"), ["2022", "2019"]);
}

#[test]
fn names_cannot_break_out_of_an_entry() {
    let mut result = recorded();
    result.model.name = "a}, evil = {b\n@misc{c, \\input{d} 100% $x^2$ ~ _ & #".into();
    result.model.source = "\\end".into();
    let with = Citation {
        link: Some("https://example.org/}\\{ \n".into()),
        accessed: None,
    };
    let text = bibtex(&result, &with);
    assert!(balanced(&text), "{text}");
    assert_eq!(text.matches("\n@misc").count(), 1, "{text}");
    assert!(text.contains("url = {https://example.org/%7D%5C%7B%20}"), "{text}");
    assert!(
        text.contains(
            "\\textbackslash{}input\\{d\\} 100\\% \\$x\\textasciicircum{}2\\$ \\textasciitilde{} \\_ \\& \\#"
        ),
        "{text}"
    );
    assert!(!citation(&result, &with).contains("\n@misc"));
}
