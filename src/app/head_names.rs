//! Names of heads: from the literature for GPT-2 small, by their measured roles for other models.

use super::pending_request::PendingRequest;
use crate::analysis::HeadRoles;
use crate::checkpoint::HUB_MODELS;
use crate::error::Error;
use crate::names::{Head, HeadRole};
use crate::quantities::number;
use crate::result::ResultFile;
use crate::worker::ToWorker;

/// Heads of GPT-2 small on the IOI task: Wang et al. 2022, "Interpretability in the Wild" (arXiv 2211.00593).
const LITERATURE: [(&str, &[Head]); 7] = [
    ("name mover", &[Head::new(9, 9), Head::new(10, 0), Head::new(9, 6)]),
    (
        "backup name mover",
        &[
            Head::new(10, 10),
            Head::new(10, 6),
            Head::new(10, 2),
            Head::new(10, 1),
            Head::new(11, 2),
            Head::new(9, 7),
            Head::new(9, 0),
            Head::new(11, 9),
        ],
    ),
    ("negative name mover", &[Head::new(10, 7), Head::new(11, 10)]),
    (
        "S-inhibition",
        &[Head::new(7, 3), Head::new(7, 9), Head::new(8, 6), Head::new(8, 10)],
    ),
    (
        "induction",
        &[Head::new(5, 5), Head::new(5, 8), Head::new(5, 9), Head::new(6, 9)],
    ),
    ("duplicate token", &[Head::new(0, 1), Head::new(0, 10), Head::new(3, 0)]),
    ("previous token", &[Head::new(2, 2), Head::new(4, 11)]),
];

/// Heads with the same name.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadGroup {
    /// The name.
    pub name: String,
    /// The heads, each with the measure of the role, if it was measured.
    pub heads: Vec<(Head, Option<f32>)>,
}

/// The heads known from the literature, if the model of `result` is GPT-2 small.
pub fn from_literature(result: &ResultFile) -> Option<Vec<HeadGroup>> {
    let config = &result.config;
    let shape = (config.n_layer, config.n_head, config.d_model) == (12, 12, 768);
    if !shape || result.model.name != "GPT-2 small" && !is_gpt2_small_at(&result.model.source) {
        return None;
    }
    let named = |(name, heads): (&str, &[Head])| HeadGroup {
        name: name.to_owned(),
        heads: heads.iter().map(|&head| (head, None)).collect(),
    };
    Some(LITERATURE.map(named).into())
}

/// Whether the URL `source` is GPT-2 small.
pub fn is_gpt2_small_at(source: &str) -> bool {
    let known = HUB_MODELS.iter().find(|model| model.name == "gpt2");
    known.is_some_and(|known| source.contains(&format!("{}/", known.path)))
}

/// The source of the names.
pub fn source(measured: bool) -> &'static str {
    if measured {
        "Named by what they do with 32 sequences of 50 random tokens, each twice over: mean attention there, from 0.4 on."
    } else {
        "Named as in Wang et al. 2022 (arXiv:2211.00593), on prompts of the IOI task."
    }
}

/// The label of a head's button: "1.0 (0.98)".
pub fn label((head, value): &(Head, Option<f32>)) -> String {
    match value {
        Some(value) => format!("{head} ({})", number(f64::from(*value), 2)),
        None => head.to_string(),
    }
}

/// Names of a model's heads: request and answer.
#[derive(Debug, Clone, Default)]
pub struct HeadNames {
    /// The pending request, for the model at a URL.
    request: PendingRequest<String>,
    found: Option<(String, HeadRoles)>,
}

impl HeadNames {
    /// The measured names for the model at `url`.
    pub fn of(&self, url: &str) -> Option<Vec<HeadGroup>> {
        let (_, heads) = self.found.as_ref().filter(|(known_url, _)| known_url == url)?;
        let of_role = |role: HeadRole| {
            let value =
                |roles: &[(HeadRole, f32)]| roles.iter().find(|(other, _)| *other == role).map(|(_, value)| *value);
            let heads = heads
                .iter()
                .filter_map(|(head, roles)| Some((*head, Some(value(roles)?))));
            let name = role.to_string();
            let heads: Vec<_> = heads.collect();
            (!heads.is_empty()).then_some(HeadGroup { name, heads })
        };
        Some(HeadRole::ALL.into_iter().filter_map(of_role).collect())
    }

    /// The request.
    pub fn request(&self) -> &PendingRequest<String> {
        &self.request
    }

    pub(super) fn request_mut(&mut self) -> &mut PendingRequest<String> {
        &mut self.request
    }

    pub(super) fn ask(&mut self, id: u32, url: &str) -> ToWorker {
        self.request.start(id, url.to_owned());
        ToWorker::NameHeads {
            id,
            url: url.to_owned(),
        }
    }

    pub(super) fn receive(&mut self, id: u32, heads: HeadRoles) {
        if self.request.is(id)
            && let Some(url) = self.request.finish()
        {
            self.found = Some((url, heads));
        }
    }

    /// Whether the request `id` was this one.
    pub(super) fn failed(&mut self, id: u32, error: &Error) -> bool {
        let ours = self.request.is(id);
        if ours {
            self.request.fail(error.clone());
        }
        ours
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded() -> ResultFile {
        ResultFile::from_json(include_bytes!("../../public/recorded/gpt2-small-10.7.json")).expect("reads")
    }

    #[test]
    fn only_gpt2_small_has_the_names_of_the_literature() {
        let mut result = recorded();
        let named = from_literature(&result).expect("it is GPT-2 small");
        assert!(named[2].heads.contains(&(Head::new(10, 7), None)) && named.len() == 7);
        result.model.name = "607a30d783dfa663caf39e06633721c8d4cfcd7e".into();
        assert_eq!(from_literature(&result), None);
        result.model.source = "https://huggingface.co/openai-community/gpt2/resolve/607a30d7".into();
        assert!(from_literature(&result).is_some());
        result.model.source = "https://huggingface.co/openai-community/gpt2-medium/resolve/main".into();
        assert_eq!(from_literature(&result), None);
    }

    #[test]
    fn names_are_of_one_model_and_give_way_to_questions() {
        let mut head_names = HeadNames::default();
        let ToWorker::NameHeads { id: 7, .. } = head_names.ask(7, "a") else {
            panic!("no message")
        };
        head_names.receive(6, Vec::new());
        assert!(head_names.request().is_active() && head_names.of("a").is_none());
        let heads = vec![(Head::new(1, 0), vec![(HeadRole::Induction, 0.98)])];
        head_names.receive(7, heads);
        let named = head_names.of("a").expect("is known");
        assert_eq!(
            (named[0].name.as_str(), label(&named[0].heads[0]).as_str()),
            ("induction", "1.0 (0.98)")
        );
        assert!(head_names.of("b").is_none() && head_names.request_mut().cancel().is_none());
        head_names.ask(8, "b");
        assert_eq!(head_names.request_mut().cancel(), Some(ToWorker::Cancel { id: 8 }));
        assert!(!head_names.failed(8, &Error::cancelled()) && head_names.of("a").is_some());
    }
}
