//! Citations of results.

use super::result_stem;
use crate::analysis::Analysis;
use crate::analysis::settings::{EARLIER_HEAD, Group, SEED, SETTINGS, Setting};
use crate::result::ResultFile;

/// Information for a citation besides the result.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Citation {
    /// A link that shows the result.
    pub link: Option<String>,
    /// The date of access, as 2026-01-31; a placeholder if it is unknown.
    pub accessed: Option<String>,
}

/// A paper to cite.
struct Paper {
    key: &'static str,
    authors: &'static [&'static str],
    year: u16,
    title: &'static str,
    /// A BibTeX field and its value: where it was published.
    source: (&'static str, &'static str),
    link: &'static str,
}

const PAPERS: [Paper; 2] = [
    Paper {
        key: "wang2022interpretability",
        authors: &[
            "Kevin Wang",
            "Alexandre Variengien",
            "Arthur Conmy",
            "Buck Shlegeris",
            "Jacob Steinhardt",
        ],
        year: 2022,
        title: "Interpretability in the Wild: a Circuit for Indirect Object Identification in GPT-2 small",
        source: ("howpublished", "arXiv:2211.00593"),
        link: "https://arxiv.org/abs/2211.00593",
    },
    Paper {
        key: "radford2019language",
        authors: &[
            "Alec Radford",
            "Jeffrey Wu",
            "Rewon Child",
            "David Luan",
            "Dario Amodei",
            "Ilya Sutskever",
        ],
        year: 2019,
        title: "Language Models are Unsupervised Multitask Learners",
        source: ("institution", "OpenAI"),
        link: "https://openai.com/research/better-language-models",
    },
];

/// The citation as text: what was computed, program version, model and prompts, link, and the papers that it is based
/// on (the task of Wang et al. 2022, the model of Radford et al. 2019).
pub fn citation(result: &ResultFile, with: &Citation) -> String {
    let mut text = format!("{}. {}.", title(result), note(result));
    if let Some(link) = &with.link {
        text.push_str(&format!(" {}", one_line(link)));
    }
    let accessed = with.accessed.as_deref().unwrap_or("[date]");
    text.push_str(&format!(
        " Accessed {}.\n\nThe task and the model:\n",
        one_line(accessed)
    ));
    for paper in &PAPERS {
        let Paper {
            authors,
            year,
            title,
            source: (_, source),
            link,
            ..
        } = paper;
        text.push_str(&format!("{} ({year}). {title}. {source}. {link}\n", authors.join(", ")));
    }
    text
}

/// The same as BibTeX entries.
pub fn bibtex(result: &ResultFile, with: &Citation) -> String {
    let mut fields = vec![
        ("title", format!("{{{}}}", tex(&title(result)))),
        ("author", "{keyside}".to_owned()),
        ("note", tex(&note(result))),
    ];
    if let Some(link) = &with.link {
        fields.push(("url", verbatim(link)));
    }
    fields.push(("urldate", tex(with.accessed.as_deref().unwrap_or("YYYY-MM-DD"))));
    let key = result_stem(result).replace('.', "-");
    let mut text = entry("misc", &key, &fields);
    for paper in &PAPERS {
        let kind = if paper.source.0 == "institution" {
            "techreport"
        } else {
            "misc"
        };
        let fields = [
            ("title", format!("{{{}}}", tex(paper.title))),
            ("author", tex(&paper.authors.join(" and "))),
            ("year", paper.year.to_string()),
            (paper.source.0, tex(paper.source.1)),
            ("url", paper.link.to_owned()),
        ];
        text.push('\n');
        text.push_str(&entry(kind, paper.key, &fields));
    }
    text
}

fn title(result: &ResultFile) -> String {
    let name = one_line(&result.model.name);
    let what = result.with_position_names("Attention from END to IO");
    format!("{what} of head {} in {name}, taken apart", result.head_name())
}

/// Version, model and settings in one sentence, without a full stop.
fn note(result: &ResultFile) -> String {
    let run = run_of(result);
    let is_known = |setting: &Setting| match setting.group {
        Group::Heads if setting.key == EARLIER_HEAD.key => result.earlier_head().is_some(),
        Group::Heads => result.head().is_some(),
        // Questions about a sentence involve no random draws.
        Group::Prompts if setting.key == SEED.key => result.ioi().is_some() || result.substitution().is_some(),
        Group::Prompts | Group::Ioi | Group::Text => result.prompt_set.is_some(),
        Group::Vectors => result.normalization().is_some(),
        Group::Intervention => result.changes().is_some(),
        Group::More | Group::Weights | Group::Engine => true,
    };
    let cited = |weights: bool| -> Vec<String> {
        let settings = SETTINGS
            .iter()
            .filter(|setting| is_known(setting) && setting.group.is_of(&run.prompts));
        settings
            .filter(|setting| (setting.group == Group::Weights) == weights)
            .filter_map(|setting| (setting.cited)(&run))
            .collect()
    };
    let source = one_line(&result.model.source);
    format!(
        "keyside {}; model {} (source: {}); {}{}; weights: {}",
        env!("CARGO_PKG_VERSION"),
        one_line(&result.model.name),
        source.trim_end_matches('.'),
        match result.prompt_count() {
            1 => "1 prompt".to_owned(),
            count => format!("{count} prompts"),
        },
        cited(false)
            .iter()
            .map(|cited| format!(", {cited}"))
            .collect::<String>(),
        cited(true).join(", "),
    )
}

/// The settings of the run behind `result`; settings that it does not contain have their defaults.
fn run_of(result: &ResultFile) -> Analysis {
    let mut run = Analysis {
        processing: result.processing,
        intervention: result.changes().map(|changes| changes.intervention.clone()),
        ..Analysis::default()
    };
    if let Some(head) = result.head() {
        run.head = head;
    }
    if let Some(head) = result.earlier_head() {
        run.earlier_head = head;
    }
    if let Some(normalization) = result.normalization() {
        run.normalization = normalization;
    }
    run.writes = result.run_writes().is_some();
    if let Some(set) = &result.prompt_set {
        run.prompts = set.source();
    }
    run
}

fn entry(kind: &str, key: &str, fields: &[(&str, String)]) -> String {
    let lines: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("  {name} = {{{value}}}"))
        .collect();
    format!("@{kind}{{{key},\n{}\n}}\n", lines.join(",\n"))
}

fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// `text` with TeX's special characters escaped.
fn tex(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in one_line(text).chars() {
        match character {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => escaped.extend(['\\', character]),
            '\\' => escaped.push_str("\\textbackslash{}"),
            '~' => escaped.push_str("\\textasciitilde{}"),
            '^' => escaped.push_str("\\textasciicircum{}"),
            plain => escaped.push(plain),
        }
    }
    escaped
}

/// A link for BibTeX: unchanged except for characters that would end the field.
fn verbatim(link: &str) -> String {
    let mut plain = String::with_capacity(link.len());
    for character in link.chars() {
        match character {
            '{' | '}' | '\\' | ' ' => plain.push_str(&format!("%{:02X}", u32::from(character))),
            control if control.is_control() => {}
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
#[path = "cite_tests.rs"]
mod tests;
