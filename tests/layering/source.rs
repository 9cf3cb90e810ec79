//! Source text as modules: the file, the names and the paths of each module.
//!
//! The text is read as tokens, so that bodies of macros (`view! { ... }`) are searched like other code. Code under
//! `#[cfg(test)]`, comments and documentation are skipped.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::tokens::{
    asks_for_tests, attribute, end_of_item, is_group, is_inside_path, is_public, is_punct, is_reach, line, word,
};

/// The path of a module in the library: `["app", "words"]`. The library itself is `[]`.
pub type ModulePath = Vec<String>;

/// The purpose of a path in the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// In code, in a type, or as a `use` declaration of the module's own.
    Use,
    /// `pub use`: others reach the name here.
    PassOn,
}

/// One path as it is written, segment by segment; a glob ends in `*`.
#[derive(Debug, Clone)]
pub struct Written {
    /// The segments between `::`.
    pub segments: Vec<String>,
    /// The line number, from 1.
    pub line: usize,
    /// The purpose.
    pub purpose: Purpose,
}

/// One module.
#[derive(Debug, Default)]
pub struct Module {
    /// Its file, from the root of sources: `app/words.rs`.
    pub file: String,
    /// Names that it has from elsewhere, and their paths as they are written here.
    pub imports: BTreeMap<String, Vec<String>>,
    /// Paths of `use a::*`, without the `*`.
    pub globs: Vec<Vec<String>>,
    /// Names of its own items, modules among them.
    pub defined: BTreeSet<String>,
    /// Every path in it.
    pub written: Vec<Written>,
}

/// All modules that are reached from some roots.
#[derive(Debug, Default)]
pub struct Modules {
    /// By their place.
    pub by_path: BTreeMap<ModulePath, Module>,
    /// Every file that is a module, or a module of tests.
    pub files: BTreeSet<String>,
}

impl Modules {
    /// The modules that are reached from `lib.rs` and from every program (`main.rs`, `bin/*.rs`) in `texts`, by file.
    pub fn read(texts: &BTreeMap<String, String>) -> Self {
        let mut modules = Self::default();
        for file in texts.keys() {
            if file == "lib.rs" {
                modules.file(texts, vec![], file, "");
            } else if is_program(file) {
                modules.file(texts, vec![file.clone()], file, "");
            }
        }
        modules
    }

    /// Reads `file` as the module `path`, whose own modules are in `folder`.
    fn file(&mut self, texts: &BTreeMap<String, String>, path: ModulePath, file: &str, folder: &str) {
        let text = texts
            .get(file)
            .unwrap_or_else(|| panic!("{file} is a module, and is not there"));
        let tokens: TokenStream = text.parse().unwrap_or_else(|e| panic!("{file}: {e}"));
        self.files.insert(file.to_owned());
        let reader = Reader { texts, file, folder };
        self.module(&reader, path, tokens);
    }

    fn module(&mut self, reader: &Reader, path: ModulePath, tokens: TokenStream) {
        let mut module = Module {
            file: reader.file.to_owned(),
            ..Module::default()
        };
        let inner = reader.tokens(&mut module, tokens, true);
        self.by_path.insert(path.clone(), module);
        for Inner {
            name,
            tested,
            place,
            body,
        } in inner
        {
            let path = [path.clone(), vec![name.clone()]].concat();
            match body {
                _ if tested => self.files.extend(reader.module_file(&name, place.as_deref())),
                Some(body) => {
                    let folder = format!("{}{name}/", reader.folder);
                    self.module(
                        &Reader {
                            folder: &folder,
                            ..*reader
                        },
                        path,
                        body,
                    );
                }
                None => {
                    let file = reader.module_file(&name, place.as_deref());
                    let file = file.unwrap_or_else(|| panic!("{}: `mod {name};` has no file", reader.file));
                    self.file(reader.texts, path, &file, &format!("{}{name}/", reader.folder));
                }
            }
        }
    }
}

/// `main.rs`, `bin/*.rs`.
pub fn is_program(file: &str) -> bool {
    file == "main.rs" || file.starts_with("bin/")
}

/// `mod name;` or `mod name { body }`.
struct Inner {
    name: String,
    tested: bool,
    place: Option<String>,
    body: Option<TokenStream>,
}

#[derive(Clone, Copy)]
struct Reader<'a> {
    texts: &'a BTreeMap<String, String>,
    file: &'a str,
    folder: &'a str,
}

impl Reader<'_> {
    /// The file of `mod name;`, at `place` where `#[path]` says so.
    fn module_file(&self, name: &str, place: Option<&str>) -> Option<String> {
        let beside = self
            .file
            .rsplit_once('/')
            .map_or(String::new(), |(folder, _)| format!("{folder}/"));
        let candidates = match place {
            Some(place) => vec![format!("{beside}{place}")],
            None => vec![
                format!("{}{name}.rs", self.folder),
                format!("{}{name}/mod.rs", self.folder),
            ],
        };
        candidates.into_iter().find(|file| self.texts.contains_key(file))
    }

    /// Puts paths and names into `module`; what it gives back are modules in it. `items` is whether the tokens are those of
    /// the module itself, and not of something in it.
    fn tokens(&self, module: &mut Module, tokens: TokenStream, items: bool) -> Vec<Inner> {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut inner = vec![];
        let mut said = Attributes::default();
        let mut at = 0;
        while at < tokens.len() {
            if let Some((inside, next)) = attribute(&tokens, at) {
                said.take_up(&inside);
                self.attribute(module, &inside);
                at = next;
                continue;
            }
            let keyword = word(tokens.get(at));
            if keyword.as_deref() == Some("pub") {
                at += if is_reach(tokens.get(at + 1)) { 2 } else { 1 };
                continue;
            }
            let Attributes { tested, place } = std::mem::take(&mut said);
            if tested {
                let end = end_of_item(&tokens, at);
                // A module of tests is known as a file, and not looked into.
                let name = (keyword.as_deref() == Some("mod"))
                    .then(|| word(tokens.get(at + 1)))
                    .flatten();
                inner.extend(name.map(|name| Inner {
                    name,
                    tested,
                    place,
                    body: None,
                }));
                at = end;
                continue;
            }
            let next = word(tokens.get(at + 1));
            match (keyword.as_deref(), next) {
                (Some("mod"), Some(name)) if items => {
                    let body = match tokens.get(at + 2) {
                        Some(TokenTree::Group(group)) => Some(group.stream()),
                        _ => None,
                    };
                    module.defined.insert(name.clone());
                    inner.push(Inner {
                        name,
                        tested,
                        place,
                        body,
                    });
                    at += 3;
                }
                (Some("use"), _) if !is_punct(tokens.get(at + 1), '<') => {
                    let purpose = if is_public(&tokens, at) {
                        Purpose::PassOn
                    } else {
                        Purpose::Use
                    };
                    let end = (at..tokens.len())
                        .find(|&end| is_punct(tokens.get(end), ';'))
                        .unwrap_or(tokens.len());
                    declaration(module, &tokens[at + 1..end], &[], purpose, items);
                    at = end + 1;
                }
                (Some("macro_rules"), _) if items => {
                    module.defined.extend(word(tokens.get(at + 2)));
                    at += 3;
                }
                (Some(keyword), Some(name)) if items && DEFINING.contains(&keyword) => {
                    module.defined.insert(name);
                    at += 2;
                }
                (Some(_), _) if !is_inside_path(&tokens, at) => at = path(module, &tokens, at),
                _ => {
                    if let TokenTree::Group(group) = &tokens[at] {
                        self.tokens(module, group.stream(), false);
                    }
                    at += 1;
                }
            }
        }
        inner
    }

    /// Paths in an attribute, those in its strings too: `#[serde(with = "crate::result::heatmaps")]`.
    fn attribute(&self, module: &mut Module, tokens: &[TokenTree]) {
        if word(tokens.first()).as_deref() == Some("doc") {
            return;
        }
        self.tokens(module, tokens.iter().cloned().collect(), false);
        for token in tokens {
            match token {
                TokenTree::Group(group) => self.attribute(module, &group.stream().into_iter().collect::<Vec<_>>()),
                TokenTree::Literal(literal) => {
                    let text = literal.to_string();
                    let text = text.trim_matches('"');
                    if ["crate::", "super::", "self::"]
                        .iter()
                        .any(|start| text.starts_with(start))
                    {
                        let segments = text.split("::").map(str::to_owned).collect();
                        module.written.push(Written {
                            segments,
                            line: line(token),
                            purpose: Purpose::Use,
                        });
                    }
                }
                _ => {}
            }
        }
    }
}

/// Keywords that a name follows.
const DEFINING: [&str; 8] = ["fn", "struct", "enum", "union", "trait", "type", "const", "static"];

/// The attributes of an item.
#[derive(Default)]
struct Attributes {
    tested: bool,
    place: Option<String>,
}

impl Attributes {
    fn take_up(&mut self, attribute: &[TokenTree]) {
        match (word(attribute.first()).as_deref(), attribute.last()) {
            (Some("cfg"), Some(TokenTree::Group(group))) => self.tested |= asks_for_tests(group.stream()),
            (Some("path"), Some(TokenTree::Literal(place))) => {
                self.place = Some(place.to_string().trim_matches('"').to_owned());
            }
            _ => {}
        }
    }
}

/// Takes up the leaves of one tree of a `use` declaration.
fn declaration(module: &mut Module, tree: &[TokenTree], before: &[String], purpose: Purpose, items: bool) {
    let mut segments = before.to_vec();
    let mut name = None;
    for (at, token) in tree.iter().enumerate() {
        match token {
            TokenTree::Group(group) => {
                let inside: Vec<TokenTree> = group.stream().into_iter().collect();
                for branch in inside
                    .split(|token| is_punct(Some(token), ','))
                    .filter(|branch| !branch.is_empty())
                {
                    declaration(module, branch, &segments, purpose, items);
                }
                return;
            }
            TokenTree::Ident(ident) if ident == "as" => {
                name = word(tree.get(at + 1));
                break;
            }
            TokenTree::Ident(ident) if ident == "self" && !segments.is_empty() => {}
            TokenTree::Ident(_) => segments.extend(word(Some(token))),
            TokenTree::Punct(punct) if punct.as_char() == '*' => {
                module.globs.push(segments.clone());
                segments.push("*".to_owned());
            }
            _ => {}
        }
    }
    let (Some(last), Some(token)) = (segments.last(), tree.first()) else {
        return;
    };
    if last != "*" {
        let name = name.unwrap_or_else(|| last.clone());
        // A local declaration in a function does not hide a name of the module.
        if items || !module.imports.contains_key(&name) {
            module.imports.insert(name, segments.clone());
        }
    }
    module.written.push(Written {
        segments,
        line: line(token),
        purpose,
    });
}

/// Takes up the path that begins at `at`, and says where it ends. A single word counts where it can be no variable.
fn path(module: &mut Module, tokens: &[TokenTree], at: usize) -> usize {
    let mut segments: Vec<String> = word(tokens.get(at)).into_iter().collect();
    let mut end = at + 1;
    while is_punct(tokens.get(end), ':') && is_punct(tokens.get(end + 1), ':') {
        let Some(segment) = word(tokens.get(end + 2)) else {
            break;
        };
        segments.push(segment);
        end += 3;
    }
    let called = is_group(tokens.get(end), Delimiter::Parenthesis) || is_punct(tokens.get(end), '!');
    let upper = segments[0].starts_with(|first: char| first.is_ascii_uppercase());
    if segments.len() > 1 || called || upper {
        module.written.push(Written {
            segments,
            line: line(&tokens[at]),
            purpose: Purpose::Use,
        });
    }
    end
}
