//! The rules on small synthetic sources: which violations they must report, and what they must allow.

use std::collections::BTreeMap;

use super::source::Modules;
use super::uses::uses;
use super::{browser_elsewhere, cycles_of_files, uses_against_the_table};

/// Sources in which `lib.rs` has the modules of the folder, and every file of a module is a module in its `mod.rs`.
fn texts(files: &[(&str, &str)]) -> BTreeMap<String, String> {
    let mut texts: BTreeMap<String, String> = files
        .iter()
        .map(|(file, text)| ((*file).to_owned(), (*text).to_owned()))
        .collect();
    for (file, _) in files {
        if let Some((folder, name)) = file.rsplit_once('/').filter(|(folder, _)| *folder != "bin") {
            texts.entry("lib.rs".into()).or_default();
            let parent = format!("{folder}/mod.rs");
            if name != "mod.rs" {
                let declaration = format!("mod {};\n", name.trim_end_matches(".rs"));
                texts.entry(parent).or_default().push_str(&declaration);
            }
        }
    }
    let modules: Vec<String> = texts
        .keys()
        .filter_map(|file| file.strip_suffix("/mod.rs"))
        .map(str::to_owned)
        .collect();
    for module in modules {
        let (parent, name) = match module.rsplit_once('/') {
            Some((parent, name)) => (format!("{parent}/mod.rs"), name),
            None => ("lib.rs".to_owned(), module.as_str()),
        };
        texts.entry(parent).or_default().push_str(&format!("pub mod {name};\n"));
    }
    texts
}

/// The violations of the table by `files`.
fn against_the_table(files: &[(&str, &str)]) -> Vec<String> {
    let uses = uses(&Modules::read(&texts(files)));
    uses_against_the_table(&uses)
}

/// The cycles in `files`.
fn cycles(files: &[(&str, &str)]) -> Vec<String> {
    let uses = uses(&Modules::read(&texts(files)));
    cycles_of_files(&uses)
}

/// The table must say something of a file of `plot`, which may not use `app`, with `text`: its line, its path.
fn is_noticed(text: &str, line: usize, path: &str) {
    let said = against_the_table(&[
        ("app/words.rs", "pub fn number() {} pub struct Shown;"),
        ("plot/scene.rs", text),
    ]);
    let start = format!("src/plot/scene.rs:{line}: `{path}`, which is in src/app/words.rs: `plot` may use");
    assert!(said.iter().any(|said| said.starts_with(&start)), "{said:?}");
}

#[test]
fn every_kind_of_path_is_noticed() {
    is_noticed("use crate::app::words::number;", 1, "crate::app::words::number");
    is_noticed(
        "\npub use crate::app::words::number as n;",
        2,
        "crate::app::words::number",
    );
    is_noticed("use crate::app::words::*;", 1, "crate::app::words::*");
    is_noticed(
        "use crate::{error, app::{words::{self, number}}};",
        1,
        "crate::app::words::number",
    );
    is_noticed(
        "use super::super::app::words::number;",
        1,
        "super::super::app::words::number",
    );
    is_noticed(
        "fn f() -> usize {\n    1 + crate::app::words::number()\n}",
        2,
        "crate::app::words::number",
    );
    is_noticed(
        "fn f() { g(..crate::app::words::number()) }",
        1,
        "crate::app::words::number",
    );
    is_noticed(
        "fn f() {\n    use crate::app::words::number;\n}",
        2,
        "crate::app::words::number",
    );
    is_noticed(
        "struct S { pub shown: Vec<crate::app::words::Shown> }",
        1,
        "crate::app::words::Shown",
    );
    is_noticed("impl crate::app::words::Shown {}", 1, "crate::app::words::Shown");
    is_noticed(
        "fn f() { vec![].iter().collect::<crate::app::words::Shown>() }",
        1,
        "crate::app::words::Shown",
    );
    is_noticed(
        "fn f() { view! { <p title=crate::app::words::number()/> } }",
        1,
        "crate::app::words::number",
    );
    is_noticed(
        "macro_rules! m { () => { $crate::app::words::number() } }",
        1,
        "crate::app::words::number",
    );
    is_noticed(
        "#[serde(with = \"crate::app::words\")]\nstruct S;",
        1,
        "crate::app::words",
    );
    is_noticed(
        "#[derive(crate::app::words::Shown)]\nstruct S;",
        1,
        "crate::app::words::Shown",
    );
    is_noticed(
        "#[cfg(not(test))]\nuse crate::app::words::number;",
        2,
        "crate::app::words::number",
    );
    is_noticed(
        "mod inner {\n    use super::super::super::app::words::number;\n}",
        2,
        "super::super::super::app::words::number",
    );
    is_noticed(
        "mod inner {\n    pub use self::deeper::f;\n    mod deeper { pub fn f() { crate::app::words::number() } }\n}",
        3,
        "crate::app::words::number",
    );
}

#[test]
fn names_lead_to_where_they_were_imported_from() {
    is_noticed(
        "use crate::app;\nfn f() { app::words::number() }",
        2,
        "app::words::number",
    );
    is_noticed(
        "use crate as all;\nfn f() { all::app::words::number() }",
        2,
        "all::app::words::number",
    );
    // By way of a module that passes the name on: both ends are said.
    let passed_on = [
        ("app/words.rs", "pub fn number() {}"),
        ("app/mod.rs", "pub use words::number;\n"),
        ("plot/scene.rs", "use crate::app::number;"),
    ];
    let said = against_the_table(&passed_on);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].starts_with("src/plot/scene.rs:1: `crate::app::number`, which is in src/app/words.rs"),
        "{said:?}"
    );
}

#[test]
fn other_texts_are_let_pass() {
    let pass = |text: &str| {
        let said = against_the_table(&[("app/words.rs", "pub fn number() {}"), ("plot/scene.rs", text)]);
        assert!(said.is_empty(), "{text}: {said:?}");
    };
    pass("//! See [`crate::app::words`].\n/// As crate::app::words::number().\nfn f() {}");
    pass("const TEXT: &str = \"crate::app::words::number\";");
    pass("#[cfg(test)]\nmod tests {\n    use crate::app::words::number;\n}");
    pass("#[cfg(all(test, unix))]\nuse crate::app::words::{self, number};\nfn f() {}");
    pass("#[cfg(test)]\n#[path = \"scene_tests.rs\"]\nmod tests;");
    pass("pub(in crate::app::words) fn f() {}");
    pass("use other::app::words::number;\nfn f(x: T) { x.number(); <T as Trait>::number() }");
}

#[test]
fn modules_use_those_above_them_only() {
    let up = [
        ("app/words.rs", "use crate::plot::Scene;"),
        ("plot/mod.rs", "pub struct Scene;\n"),
    ];
    assert_eq!(against_the_table(&up), [""; 0]);
    for (module, used) in [
        ("error", "names"),
        ("analysis", "result"),
        ("app", "web"),
        ("cli", "web"),
        ("training", "plot"),
        ("plot", "cli"),
    ] {
        let text = format!("use crate::{used}::x;");
        let (user, other) = (format!("{module}/mod.rs"), format!("{used}/mod.rs"));
        let said = against_the_table(&[(&user, &text), (&other, "pub fn x() {}\n")]);
        assert!(
            said.len() == 1 && said[0].starts_with(&format!("src/{user}:1: `crate::{used}::x`")),
            "{said:?}"
        );
    }
    let unknown = against_the_table(&[
        ("plot/mod.rs", "pub fn x() {}\n"),
        ("attic/mod.rs", "use crate::plot::x;\n"),
    ]);
    assert!(
        unknown[0].ends_with("the module `attic` is not in TOP_MODULES"),
        "{unknown:?}"
    );
}

#[test]
fn programs_may_use_all_and_be_used_by_nobody() {
    let files = [
        ("web/mod.rs", "pub fn mount() {}\n"),
        ("main.rs", "fn main() { keyside::web::mount(); }"),
    ];
    let mut texts = texts(&files);
    assert!(
        uses(&Modules::read(&texts))
            .iter()
            .any(|u| u.from == "main.rs" && u.to == "web/mod.rs")
    );
    assert!(uses_against_the_table(&uses(&Modules::read(&texts))).is_empty());
    texts.insert("lib.rs".into(), "pub mod web;\nfn f() { web::mount() }".into());
    assert_eq!(uses_against_the_table(&uses(&Modules::read(&texts))).len(), 1);
}

#[test]
fn cycles_of_files_are_noticed() {
    let two = [
        ("plot/a.rs", "use super::b::B;\npub struct A;"),
        ("plot/b.rs", "pub struct B(super::a::A);"),
    ];
    let said = cycles(&two);
    assert_eq!(said.len(), 1, "{said:?}");
    for part in [
        "plot/a.rs, plot/b.rs use each other",
        "src/plot/a.rs:1: `super::b::B`",
        "src/plot/b.rs:1: `super::a::A`",
    ] {
        assert!(said[0].contains(part), "{part}: {said:?}");
    }
    let three = [
        ("plot/a.rs", "use super::b;"),
        ("plot/b.rs", "use crate::plot::c;"),
        ("plot/c.rs", "fn f() { super::a::f() }"),
        ("plot/d.rs", "use super::a;"),
    ];
    let said = cycles(&three);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].starts_with("plot/a.rs, plot/b.rs, plot/c.rs use each other"),
        "{said:?}"
    );
}

#[test]
fn a_cycle_may_go_through_the_module_above() {
    let child = ("plot/b.rs", "use super::helper;\npub fn draw() {}");
    for (text, is_cycle) in [
        // A re-export is not a use.
        ("pub use self::b::draw;\npub fn helper() {}\n", false),
        ("pub use b::draw;\npub fn helper() {}\n", false),
        // A call of a re-exported function is a use.
        ("pub use b::draw;\npub fn helper() {}\nfn f() { draw() }\n", true),
        ("use self::b::draw;\npub fn helper() {}\n", true),
        ("pub fn helper() {}\nfn f() { b::draw() }\n", true),
        ("pub fn helper() {}\nfn f() { self::b::draw() }\n", true),
    ] {
        assert_eq!(
            cycles(&[("plot/mod.rs", text), child]).len(),
            usize::from(is_cycle),
            "{text}"
        );
    }
}

#[test]
fn a_name_that_is_passed_on_counts_where_it_is_defined() {
    let files = |passes_on: &'static str| {
        [
            ("plot/a.rs", "use super::Rect;\npub struct A;"),
            ("plot/b.rs", "use super::a::A;\npub struct Rect;"),
            ("plot/mod.rs", passes_on),
        ]
    };
    assert_eq!(cycles(&files("pub use b::Rect;\n")).len(), 1);
    assert_eq!(cycles(&files("pub use b::*;\n")).len(), 1);
    assert_eq!(cycles(&files("pub struct Rect;\n")), [""; 0]);
    // A file beside it that passes a name on is used, too.
    let beside = [
        ("plot/a.rs", "use super::b::Rect;"),
        ("plot/b.rs", "pub use super::c::Rect;\nuse super::a;"),
        ("plot/c.rs", "pub struct Rect;"),
    ];
    assert_eq!(cycles(&beside).len(), 1);
}

#[test]
fn the_browser_is_noticed_outside_the_page() {
    let said = |file: &str, text: &str| {
        let texts = BTreeMap::from([(file.to_owned(), text.to_owned())]);
        browser_elsewhere(&texts)
    };
    for text in [
        "use web_sys::Window;",
        "\nfn f() { js_sys::eval() }",
        "#[wasm_bindgen::prelude::wasm_bindgen]\nfn f() {}",
        "use ::leptos as l;",
    ] {
        let found = said("plot/scene.rs", text);
        assert!(
            found.first().is_some_and(|said| said.starts_with("src/plot/scene.rs:")),
            "{text}: {found:?}"
        );
        for file in ["web/page.rs", "main.rs", "bin/worker.rs"] {
            assert!(said(file, text).is_empty(), "{file}");
        }
    }
    assert!(said("app/state.rs", "// web_sys\nconst A: &str = \"web_sys\";").is_empty());
}
