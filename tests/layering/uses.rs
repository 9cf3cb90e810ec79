//! Dependencies between files from the paths in their source, and cycles among them.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{ModulePath, Modules, Purpose, Written};

/// One use of a file by another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    /// The file that uses, from the root of sources.
    pub from: String,
    /// The line.
    pub line: usize,
    /// The path as it is written.
    pub path: String,
    /// The file that has what the path names.
    pub to: String,
}

/// Every use of a file of the library by another file.
///
/// A path counts for the file that defines what it names. A module that passes on what a module in it defines is neither
/// used by that nor uses it; what is passed on from elsewhere counts for both.
pub fn uses(modules: &Modules) -> Vec<Use> {
    let mut uses = BTreeSet::new();
    for (path, module) in &modules.by_path {
        for Written {
            segments,
            line,
            purpose,
        } in &module.written
        {
            for target in modules.targets(path, segments) {
                let to = &modules.by_path[&target].file;
                let passes_on = *purpose == Purpose::PassOn && target.starts_with(path);
                if *to != module.file && !passes_on {
                    uses.insert(Use {
                        from: module.file.clone(),
                        line: *line,
                        path: segments.join("::"),
                        to: to.clone(),
                    });
                }
            }
        }
    }
    uses.into_iter().collect()
}

impl Modules {
    /// The modules that the path `segments` in module `from` needs; none where it leads out of the library.
    pub fn targets(&self, from: &ModulePath, segments: &[String]) -> BTreeSet<ModulePath> {
        let mut targets = BTreeSet::new();
        self.follow(from, segments, 0, &mut targets);
        targets
    }

    /// Puts what `segments` needs into `targets`; false where it leads out of the library.
    fn follow(&self, from: &ModulePath, segments: &[String], depth: usize, targets: &mut BTreeSet<ModulePath>) -> bool {
        let mut at = from.clone();
        let mut rest = segments;
        match segments.first().map(String::as_str) {
            // Programs say `keyside`.
            Some("crate" | "keyside") => (at, rest) = (vec![], &rest[1..]),
            Some("self") => rest = &rest[1..],
            Some("super") => {}
            Some(name) if self.has(from, name) => {}
            _ => return false,
        }
        while rest.first().is_some_and(|segment| segment == "super") {
            at.pop();
            rest = &rest[1..];
        }
        self.walk(&at, rest, depth, targets);
        true
    }

    /// Whether `name` is something in the module `path`.
    fn has(&self, path: &ModulePath, name: &str) -> bool {
        self.names(path, name)
            || self.by_path[path]
                .globs
                .iter()
                .any(|glob| self.glob_has(path, glob, name))
    }

    /// Whether the module `path` has `name` without a glob.
    fn names(&self, path: &ModulePath, name: &str) -> bool {
        let module = &self.by_path[path];
        module.imports.contains_key(name) || module.defined.contains(name)
    }

    /// Whether `glob`, in the module `path`, takes in `name`. A glob does not reach through the globs of others.
    fn glob_has(&self, path: &ModulePath, glob: &[String], name: &str) -> bool {
        let own = ["crate", "keyside", "self", "super"].contains(&glob[0].as_str()) || self.names(path, &glob[0]);
        own && self
            .targets(path, glob)
            .iter()
            .any(|target| target != path && self.names(target, name))
    }

    /// Goes down from module `at` along `rest`.
    fn walk(&self, at: &ModulePath, rest: &[String], depth: usize, targets: &mut BTreeSet<ModulePath>) {
        assert!(depth < 32, "{at:?} and {rest:?}: imports form a cycle");
        let Some((name, after)) = rest.split_first() else {
            targets.insert(at.clone());
            return;
        };
        let module = &self.by_path[at];
        let below = [at.clone(), vec![name.clone()]].concat();
        let is_module = self.by_path.contains_key(&below);
        if is_module {
            self.walk(&below, after, depth, targets);
        }
        // A name may stand for a module and for a function.
        if !is_module || after.is_empty() {
            let import = match module.imports.get(name) {
                Some(import) => Some(import.clone()),
                None if module.defined.contains(name) => None,
                None => {
                    let glob = module.globs.iter().find(|glob| self.glob_has(at, glob, name));
                    glob.map(|glob| [glob.as_slice(), std::slice::from_ref(name)].concat())
                }
            };
            match import {
                Some(import) => {
                    let mut found = BTreeSet::new();
                    self.follow(at, &[import.as_slice(), after].concat(), depth + 1, &mut found);
                    // Passed on from elsewhere, or from another library.
                    if !found.iter().all(|target| target.starts_with(at)) || found.is_empty() {
                        targets.insert(at.clone());
                    }
                    targets.extend(found);
                }
                None if !is_module => {
                    targets.insert(at.clone());
                }
                None => {}
            }
        }
    }
}

/// The module of a file: the first part of its path, and `programs` for what has a `main`.
pub fn top_module(file: &str) -> &str {
    match file {
        "lib.rs" => "lib",
        file if super::source::is_program(file) => "programs",
        file => file.split('/').next().unwrap_or(file).trim_end_matches(".rs"),
    }
}

/// Files of the module `inside` that use each other in a cycle, each set with one use for each pair of them.
pub fn cycles(uses: &[Use], inside: &str) -> Vec<(BTreeSet<String>, Vec<Use>)> {
    let uses: Vec<&Use> = uses
        .iter()
        .filter(|u| top_module(&u.from) == inside && top_module(&u.to) == inside)
        .collect();
    let mut next: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for u in &uses {
        next.entry(&u.from).or_default().insert(&u.to);
    }
    let reached: BTreeMap<&str, BTreeSet<&str>> = next.keys().map(|&file| (file, reached(&next, file))).collect();
    let goes = |from: &str, to: &str| reached.get(from).is_some_and(|reached| reached.contains(to));
    let mut cycles: Vec<(BTreeSet<String>, Vec<Use>)> = vec![];
    for &file in next.keys() {
        if goes(file, file) && !cycles.iter().any(|(cycle, _)| cycle.contains(file)) {
            let cycle: BTreeSet<String> = next
                .keys()
                .filter(|other| goes(file, other) && goes(other, file))
                .map(|&other| other.to_owned())
                .collect();
            let mut pairs = BTreeSet::new();
            let closing = uses.iter().filter(|u| cycle.contains(&u.from) && cycle.contains(&u.to));
            let closing = closing
                .filter(|u| pairs.insert((&u.from, &u.to)))
                .map(|&u| u.clone())
                .collect();
            cycles.push((cycle, closing));
        }
    }
    cycles
}

/// Every file that is reached from `start`.
fn reached<'a>(next: &BTreeMap<&'a str, BTreeSet<&'a str>>, start: &str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&str> = next.get(start).into_iter().flatten().copied().collect();
    while let Some(file) = open.pop() {
        if found.insert(file) {
            open.extend(next.get(file).into_iter().flatten());
        }
    }
    found
}
