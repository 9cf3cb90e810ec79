//! Turns what people enter as a model (path, URL, name on the hub) into the URL of the model's folder.

use super::header::is_weights;
use super::hub::{HUB_MODELS, hub_name, hub_url};
use crate::error::{Error, ErrorKind, Result};

/// Host names of the Hugging Face hub and its mirrors.
const HUB_HOSTS: [&str; 4] = ["huggingface.co", "www.huggingface.co", "hf.co", "www.hf.co"];

/// First path segments of hub URLs that are not owners of models.
const NO_OWNERS: [&str; 14] = [
    "datasets",
    "spaces",
    "docs",
    "blog",
    "papers",
    "collections",
    "models",
    "organizations",
    "settings",
    "join",
    "login",
    "tasks",
    "learn",
    "posts",
];

/// Path segments between a model's name and a revision in hub URLs.
const BEFORE_REVISION: [&str; 8] = ["tree", "blob", "resolve", "raw", "commit", "commits", "blame", "edit"];

/// Endings of the file names in a model's folder.
const FILE_ENDINGS: [&str; 11] = [
    ".json",
    ".safetensors",
    ".txt",
    ".bin",
    ".h5",
    ".msgpack",
    ".onnx",
    ".gguf",
    ".md",
    ".gitattributes",
    ".ot",
];

/// The URL of the folder of the model that `text` means, if it is on a server: `text` may be a URL (with or without
/// `https://`; of a page of the hub, or of a single file), or a name on the hub (`owner/model`, `gpt2`,
/// `hub:NAME@REVISION`). None for everything else, such as a path.
///
/// ```
/// use keyside::checkpoint::model_url;
///
/// let url = model_url("HF.co/someone/own-gpt2/blob/v2/model.safetensors?download=true")?;
/// assert_eq!(url.as_deref(), Some("https://huggingface.co/someone/own-gpt2/resolve/v2"));
/// assert_eq!(model_url("./models/own")?, None);
/// # Ok::<(), keyside::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Request`] where it is a page of the hub that is not of a model.
pub fn model_url(text: &str) -> Result<Option<String>> {
    let text = text.trim();
    for scheme in ["hub:", "hf://", "hf:"] {
        if let Some(name) = text
            .get(..scheme.len())
            .filter(|start| start.eq_ignore_ascii_case(scheme))
        {
            return named(&text[name.len()..]).map(Some);
        }
    }
    let lower = text.to_ascii_lowercase();
    let (scheme, rest) = match (lower.starts_with("https://"), lower.starts_with("http://")) {
        (true, _) => (Some("https"), &text["https://".len()..]),
        (_, true) => (Some("http"), &text["http://".len()..]),
        _ => (None, text),
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    let host = host.to_ascii_lowercase();
    if HUB_HOSTS.contains(&host.as_str()) {
        return on_hub(path).map(Some);
    }
    let is_path = text.starts_with(['.', '/', '~', '\\']) || text.contains(char::is_whitespace) || text.contains('\\');
    match scheme {
        Some(_) if text.contains(char::is_whitespace) => Ok(None),
        Some(scheme) => Ok(Some(elsewhere(scheme, &host, path))),
        None if is_path || text.contains("://") => Ok(None),
        None if is_this_machine(&host) => Ok(Some(elsewhere("http", &host, path))),
        None if is_domain(&host) && !path.is_empty() => Ok(Some(elsewhere("https", &host, path))),
        None => Ok(named(text).ok()),
    }
}

/// What a text means that was tried as a path first.
#[cfg(all(feature = "cli", not(target_arch = "wasm32")))]
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ModelPlace {
    /// A local folder.
    Folder,
    /// A URL.
    Address(String),
    /// A name on the hub, with the URL of its folder. It could also have been a path.
    Name(String),
}

/// What `text` means when no local folder has that path. A name with a dot in it is taken for a folder, not for a
/// server. For `a/b`, `is_folder` is asked whether a folder `a` exists: if so, a path is meant, not a name on the hub.
///
/// # Errors
/// Those of [`model_url`]; [`ErrorKind::Source`] where it is such a path.
#[cfg(all(feature = "cli", not(target_arch = "wasm32")))]
pub(super) fn model_place(text: &str, is_folder: impl Fn(&str) -> bool) -> Result<ModelPlace> {
    let Some(url) = model_url_unless_path(text)? else {
        return Ok(ModelPlace::Folder);
    };
    let name = text.trim();
    if named(name).as_ref() != Ok(&url) {
        return Ok(ModelPlace::Address(url));
    }
    match name.split_once('/') {
        Some((first, _)) if is_folder(first) || NO_OWNERS.contains(&first) => {
            Err(Error::new(ErrorKind::Source, format!("there is no folder {name}"))
                .expected("a folder with config.json, model.safetensors and tokenizer.json")
                .advice(format!(
                    "Check the path. A model of that name on the hub is hub:{name}."
                )))
        }
        _ => Ok(ModelPlace::Name(url)),
    }
}

#[cfg(all(feature = "cli", not(target_arch = "wasm32")))]
fn model_url_unless_path(text: &str) -> Result<Option<String>> {
    let host = text
        .split(['/', '?', '#'])
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    if is_domain(&host) && !HUB_HOSTS.contains(&host.as_str()) && !text.contains("://") {
        Ok(None)
    } else {
        model_url(text)
    }
}

/// The URL of a hub model by its name, with or without `@revision`.
fn named(name: &str) -> Result<String> {
    let (name, revision) = name.split_once('@').unwrap_or((name, ""));
    hub_url(name, revision)
}

/// The folder's URL for a hub URL with the path `path`.
fn on_hub(path: &str) -> Result<String> {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let parts: Vec<String> = path
        .split('/')
        .filter(|part| !part.is_empty())
        .map(|part| part.replace("%2F", "/").replace("%2f", "/"))
        .collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let parts = parts.strip_prefix(&["api", "models"]).unwrap_or(&parts);
    let wrong = || {
        Error::new(
            ErrorKind::Request,
            format!("\"huggingface.co{path}\" is not the address of a model"),
        )
        .expected("one such as huggingface.co/owner/model")
    };
    match parts {
        [] => Err(wrong()),
        [first, ..] if NO_OWNERS.contains(first) => Err(wrong()),
        [name] => {
            if HUB_MODELS.iter().any(|model| model.name == *name) {
                hub_url(name, "")
            } else {
                Err(wrong())
            }
        }
        [owner, model, kind, revision, rest @ ..] if BEFORE_REVISION.contains(kind) => {
            let mut url = hub_url(&format!("{owner}/{model}"), revision)?;
            let folders = match rest {
                [folders @ .., file] if is_file(file) => folders,
                folders => folders,
            };
            for folder in folders {
                url.push('/');
                url.push_str(folder);
            }
            Ok(url)
        }
        [owner, model, ..] => hub_url(&format!("{owner}/{model}"), ""),
    }
}

/// The URL of a folder at `host`, given the URL of the folder or of a file in it.
fn elsewhere(scheme: &str, host: &str, path: &str) -> String {
    let (path, query) = match path.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (path, None),
    };
    let (folder, file) = path.rsplit_once('/').unwrap_or((path, ""));
    let of_model = is_weights(file)
        || matches!(
            file,
            "config.json" | "tokenizer.json" | "vocab.json" | "merges.txt" | "model.safetensors.index.json"
        );
    let folder = if of_model { folder } else { path }.trim_end_matches('/');
    // Other queries are kept: they may hold a token that is needed to read the file.
    match query {
        Some(query) if query != "download=true" && query != "raw=true" => format!("{scheme}://{host}{path}?{query}"),
        _ => format!("{scheme}://{host}{folder}"),
    }
}

fn is_file(name: &str) -> bool {
    FILE_ENDINGS
        .iter()
        .any(|ending| name.to_ascii_lowercase().ends_with(ending))
}

fn is_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.chars().all(|c| c.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

/// Whether `host` looks like a server name: parts separated by dots, the last one of letters.
fn is_domain(host: &str) -> bool {
    let name = host.split(':').next().unwrap_or_default();
    let plain = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let last = name.rsplit('.').next().unwrap_or_default();
    name.contains('.') && name.split('.').all(plain) && last.len() >= 2 && last.chars().all(|c| c.is_ascii_alphabetic())
}

/// The display name of the model at `location`, a folder or a URL: its name on the hub (or on a server with hub-like
/// URLs), or the last path segment.
///
/// ```
/// use keyside::checkpoint::model_name;
///
/// assert_eq!(model_name("https://huggingface.co/someone/own-gpt2/resolve/main"), "someone/own-gpt2");
/// assert_eq!(model_name("models/own"), "own");
/// ```
pub fn model_name(location: &str) -> String {
    if let Some(name) = hub_name(location) {
        return name.strip_suffix("@main").map_or(name.clone(), str::to_owned);
    }
    let location = location.trim_end_matches(['/', '\\']);
    if let Some((before, revision)) = location.split_once("/resolve/") {
        let mut parts = before.rsplit('/');
        if let (Some(model), Some(owner)) = (parts.next(), parts.next()) {
            let name = format!("{owner}/{model}");
            return if revision == "main" {
                name
            } else {
                format!("{name}@{revision}")
            };
        }
    }
    // The cache layout of the Hugging Face libraries.
    let kept = location
        .split(['/', '\\'])
        .find_map(|part| part.strip_prefix("models--"));
    if let Some(kept) = kept.filter(|_| location.contains("snapshots")) {
        return kept.replacen("--", "/", 1);
    }
    let last = location.rsplit(['/', '\\']).next().unwrap_or_default();
    last.to_owned()
}

#[cfg(test)]
#[path = "locate_tests.rs"]
mod tests;
