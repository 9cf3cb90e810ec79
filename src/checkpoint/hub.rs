//! The published GPT-2 checkpoints, and the URLs of their files on the Hugging Face hub.

use crate::error::{Error, ErrorKind, Result};

/// Base URL of the hub. A model's name, `/resolve/`, a revision and a file name follow.
const HUB: &str = "https://huggingface.co";

/// A published checkpoint, pinned to a commit unless the user asks for another revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HubModel {
    /// The short name: "gpt2-medium".
    pub name: &'static str,
    /// The name on the hub: "openai-community/gpt2-medium".
    pub path: &'static str,
    /// The pinned commit. The hub never changes the files of a commit.
    pub commit: &'static str,
    /// Number of layers.
    pub layers: usize,
    /// Heads per layer.
    pub heads: usize,
    /// Approximate size of the weights file in megabytes. Not all of it is downloaded.
    pub megabytes: u32,
    /// Megabytes that a question about a sentence downloads: all weights, without the mask buffers.
    pub sentence_megabytes: u32,
}

/// The published GPT-2 checkpoints, from small to large.
pub const HUB_MODELS: [HubModel; 5] = [
    HubModel {
        name: "distilgpt2",
        path: "distilbert/distilgpt2",
        commit: "2290a62682d06624634c1f46a6ad5be0f47f38aa",
        layers: 6,
        heads: 12,
        megabytes: 353,
        sentence_megabytes: 328,
    },
    HubModel {
        name: "gpt2",
        path: "openai-community/gpt2",
        commit: "607a30d783dfa663caf39e06633721c8d4cfcd7e",
        layers: 12,
        heads: 12,
        megabytes: 548,
        sentence_megabytes: 498,
    },
    HubModel {
        name: "gpt2-medium",
        path: "openai-community/gpt2-medium",
        commit: "6dcaa7a952f72f9298047fd5137cd6e4f05f41da",
        layers: 24,
        heads: 16,
        megabytes: 1520,
        sentence_megabytes: 1419,
    },
    HubModel {
        name: "gpt2-large",
        path: "openai-community/gpt2-large",
        commit: "32b71b12589c2f8d625668d2335a01cac3249519",
        layers: 36,
        heads: 20,
        megabytes: 3247,
        sentence_megabytes: 3096,
    },
    HubModel {
        name: "gpt2-xl",
        path: "openai-community/gpt2-xl",
        commit: "15ea56dee5df4983c59b2538573817e1667135e2",
        layers: 48,
        heads: 25,
        megabytes: 6431,
        sentence_megabytes: 6230,
    },
];

/// The URL of the folder of model `name` (a short name, or a name on the hub) at `revision` (a branch, tag or commit).
/// With an empty revision it is the pinned commit of published GPT-2 checkpoints, and `main` of other models
/// ("owner/model").
///
/// ```
/// use keyside::checkpoint::{hub_name, hub_url};
///
/// let url = hub_url("someone/own-gpt2", "v2")?;
/// assert!(url.ends_with("/someone/own-gpt2/resolve/v2"));
/// assert_eq!(hub_name(&url).as_deref(), Some("someone/own-gpt2@v2"));
/// # Ok::<(), keyside::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Request`] where it is no name of a model or of a revision.
pub fn hub_url(name: &str, revision: &str) -> Result<String> {
    let (name, revision) = (name.trim(), revision.trim());
    let known = HUB_MODELS
        .iter()
        .find(|model| model.name == name || model.path.eq_ignore_ascii_case(name));
    let plain = |text: &str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        !text.is_empty()
            && text
                .split('/')
                .all(|part| !part.is_empty() && !part.starts_with('.') && part.chars().all(allowed))
    };
    let path = match known {
        Some(model) => model.path,
        None if plain(name) && name.matches('/').count() == 1 => name,
        None => {
            let names: Vec<&str> = HUB_MODELS.iter().map(|model| model.name).collect();
            return Err(Error::new(
                ErrorKind::Request,
                format!("\"{name}\" is not the name of a model on the hub"),
            )
            .expected(format!("one of {}, or owner/model", names.join(", "))));
        }
    };
    let revision = match revision {
        "" => known.map_or("main", |model| model.commit),
        typed => typed,
    };
    if !plain(revision) {
        return Err(Error::new(
            ErrorKind::Request,
            format!("\"{revision}\" is not the name of a revision"),
        )
        .expected("a branch, a tag or a commit, such as main"));
    }
    Ok(format!("{HUB}/{path}/resolve/{revision}"))
}

/// The name that a hub URL stands for, with the revision unless it is the pinned commit: "gpt2-medium",
/// "owner/model@main". None for other URLs.
pub fn hub_name(url: &str) -> Option<String> {
    let (path, revision) = url
        .trim_end_matches('/')
        .strip_prefix(HUB)?
        .strip_prefix('/')?
        .split_once("/resolve/")?;
    let known = HUB_MODELS.iter().find(|model| model.path == path);
    let name = known.map_or(path, |model| model.name);
    Some(if known.is_some_and(|model| model.commit == revision) {
        name.to_owned()
    } else {
        format!("{name}@{revision}")
    })
}

/// Whether `url` is on the Hugging Face hub.
pub fn is_on_hub(url: &str) -> bool {
    let rest = url.strip_prefix(HUB);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_about_a_sentence_reads_all_weights() {
        let widths_and_layers = [(768, 6), (768, 12), (1024, 24), (1280, 36), (1600, 48)];
        for (model, (width, layers)) in HUB_MODELS.iter().zip(widths_and_layers) {
            let block = 12 * width * width + 13 * width;
            let weights: u64 = (50257 + 1024 + 2) * width + layers * block;
            assert_eq!(
                u64::from(model.sentence_megabytes),
                (4 * weights + 500_000) / 1_000_000,
                "{}",
                model.name
            );
        }
    }

    #[test]
    fn names_become_urls_and_urls_names() {
        for model in HUB_MODELS {
            let url = hub_url(model.name, "").expect("a known name");
            assert_eq!(
                url,
                format!("https://huggingface.co/{}/resolve/{}", model.path, model.commit)
            );
            assert_eq!(hub_url(model.path, " ").expect("the hub's name"), url);
            assert_eq!(hub_name(&url).as_deref(), Some(model.name));
            assert!(model.commit.len() == 40 && model.commit.bytes().all(|byte| byte.is_ascii_hexdigit()));
        }
        let main = hub_url("gpt2", "main").expect("a revision");
        assert_eq!(main, "https://huggingface.co/openai-community/gpt2/resolve/main");
        assert_eq!(hub_name(&main).as_deref(), Some("gpt2@main"));
        let other = hub_url("someone/own-gpt2", "").expect("another model");
        assert_eq!(other, "https://huggingface.co/someone/own-gpt2/resolve/main");
        assert_eq!(hub_name(&other).as_deref(), Some("someone/own-gpt2@main"));
        assert_eq!(hub_name("https://example.org/gpt2"), None);
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for (name, revision) in [
            ("", ""),
            ("gpt3", ""),
            ("a/b/c", ""),
            ("../x", ""),
            ("a/<b>", ""),
            ("gpt2", "a b"),
            ("gpt2", ".."),
        ] {
            assert!(hub_url(name, revision).is_err(), "{name} {revision}");
        }
    }
}
