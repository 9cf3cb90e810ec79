//! The architecture, and a test that the source keeps to it.
//!
//! [`TOP_MODULES`] is the architecture: which modules there are, and what each may use. The tests below read every path in `src`
//! that leads to something of the library's own (`crate::`, `super::`, `self::`, and names that were imported by such a
//! path), in code, types, attributes and macros, find the file that defines what it names, and hold that against the table.
#![allow(clippy::unwrap_used)]

mod made_up;
mod source;
mod tokens;
mod uses;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use source::Modules;
use tokens::words;
use uses::{Use, cycles, top_module, uses};

/// The modules that a module may use besides itself.
enum May {
    /// The modules above it in the table.
    ModulesAbove,
    /// The modules from the top of the table down to this one.
    DownTo(&'static str),
    /// No module.
    Nothing,
}
use May::{DownTo, ModulesAbove, Nothing};

/// The modules, in the order in which data walks through them, and what each may use.
///
/// A module is a folder of `src`, or a file beside the folders. Files within a module may use each other, but in no cycle.
const TOP_MODULES: &[(&str, May)] = &[
    // Shared by all.
    ("error", Nothing),      // the one error type
    ("names", ModulesAbove), // what is named in text and in files, as types
    ("math", Nothing),       // plain arithmetic on slices
    ("json", Nothing),       // how JSON is read
    ("quantities", Nothing), // numbers as people read them
    // From bytes to figures.
    ("checkpoint", ModulesAbove), // bytes to named tensors
    ("model", ModulesAbove),      // configuration, tokenizer, weight processing
    ("kernel", ModulesAbove),     // vectors and threads; a WebAssembly module of its own, too
    ("compute", ModulesAbove),    // engines that run blocks
    ("forward", ModulesAbove),    // prefix tree, schedule, what is captured
    ("prompts", ModulesAbove),    // prompts and their makers
    ("analysis", ModulesAbove),   // questions about a head, answered by a forward pass
    ("result", ModulesAbove),     // the result file and its statistics
    ("plot", ModulesAbove),       // results as strokes
    ("export", ModulesAbove),     // tables, scripts, citations
    ("figure", ModulesAbove),     // the kinds of figures, and what is said about each
    ("sweep", ModulesAbove),      // many runs as one
    ("worker", ModulesAbove),     // what page and worker say to each other
    ("app", ModulesAbove),        // the page's state and its sentences, as plain data
    ("web", ModulesAbove),        // the page in the browser
    // Beside them, natively: used by programs alone.
    ("training", DownTo("analysis")), // made the bundled model
    ("cli", DownTo("sweep")),         // the command line
    // The library's face, which passes modules on and uses none, and all that has a `main`.
    ("lib", Nothing),
    ("programs", ModulesAbove),
];

/// The crates of browser APIs, and the modules that may name them.
const BROWSER: &[&str] = &[
    "web_sys",
    "js_sys",
    "wasm_bindgen",
    "wasm_bindgen_futures",
    "leptos",
    "gloo",
    "plotters_canvas",
];
const KNOWS_THE_BROWSER: &[&str] = &["web", "programs"];

/// Uses of modules that [`TOP_MODULES`] does not allow.
fn uses_against_the_table(uses: &[Use]) -> Vec<String> {
    let mut broken = vec![];
    for Use { from, line, path, to } in uses {
        let (user, used) = (top_module(from), top_module(to));
        let place_of = |module: &str| TOP_MODULES.iter().position(|(name, _)| *name == module).unwrap();
        let rule = match TOP_MODULES.iter().position(|(name, _)| *name == user) {
            _ if user == used => continue,
            None => format!("the module `{user}` is not in TOP_MODULES"),
            Some(place) => {
                let (last, rule) = match TOP_MODULES[place].1 {
                    ModulesAbove => (place, "may use the modules above it in TOP_MODULES".to_owned()),
                    DownTo(last) => (
                        place_of(last) + 1,
                        format!("may use the modules down to `{last}` in TOP_MODULES"),
                    ),
                    Nothing => (0, "may use no other module".to_owned()),
                };
                if TOP_MODULES[..last].iter().any(|(name, _)| *name == used) {
                    continue;
                }
                format!("`{user}` {rule}, and not `{used}`")
            }
        };
        let message = format!("src/{from}:{line}: `{path}`, which is in src/{to}: {rule}");
        broken.push(message);
    }
    broken
}

/// Cycles of files within a module.
fn cycles_of_files(uses: &[Use]) -> Vec<String> {
    let modules: BTreeSet<&str> = uses.iter().map(|u| top_module(&u.from)).collect();
    let mut broken = vec![];
    for name in modules {
        for (files, closing) in cycles(uses, name) {
            let files = files.into_iter().collect::<Vec<_>>().join(", ");
            let mut message = format!("{files} use each other in a cycle; files of one module may not:");
            for Use { from, line, path, to } in closing {
                write!(message, "\n    src/{from}:{line}: `{path}`, which is in src/{to}").unwrap();
            }
            broken.push(message);
        }
    }
    broken
}

/// Words of [`BROWSER`] where nobody may know the browser.
fn browser_elsewhere(texts: &BTreeMap<String, String>) -> Vec<String> {
    let mut broken = vec![];
    for (file, text) in texts
        .iter()
        .filter(|(file, _)| !KNOWS_THE_BROWSER.contains(&top_module(file)))
    {
        for (word, line) in words(file, text)
            .into_iter()
            .filter(|(word, _)| BROWSER.contains(&word.as_str()))
        {
            let message = format!("src/{file}:{line}: `{word}`: only {KNOWS_THE_BROWSER:?} may know the browser");
            broken.push(message);
        }
    }
    broken
}

/// Every file below `src`, by its path from there.
fn source_texts() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut texts = BTreeMap::new();
    let mut open = vec![root.clone()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
                texts.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    texts
}

/// Fails with the messages of all that is `broken`.
fn assert_kept(broken: &[String]) {
    let messages = broken.join("\n");
    assert!(
        broken.is_empty(),
        "{} against the architecture:\n{messages}",
        broken.len()
    );
}

#[test]
fn every_file_is_read() {
    let texts = source_texts();
    let known = Modules::read(&texts).files;
    let unknown: Vec<_> = texts.keys().filter(|file| !known.contains(*file)).collect();
    assert!(unknown.is_empty(), "no module: {unknown:?}");
}

#[test]
fn every_module_is_in_the_table_and_every_line_of_it_is_a_module() {
    let modules: BTreeSet<_> = source_texts().keys().map(|file| top_module(file).to_owned()).collect();
    let table: BTreeSet<_> = TOP_MODULES.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(modules, table);
}

#[test]
fn modules_use_what_the_table_allows() {
    let broken = uses_against_the_table(&uses(&Modules::read(&source_texts())));
    assert_kept(&broken);
}

#[test]
fn files_of_a_module_do_not_use_each_other_in_a_cycle() {
    let broken = cycles_of_files(&uses(&Modules::read(&source_texts())));
    assert_kept(&broken);
}

#[test]
fn only_the_page_knows_the_browser() {
    assert_kept(&browser_elsewhere(&source_texts()));
}
