//! The fields of `config.json`, read one by one.

use serde_json::{Map, Value};

use crate::error::{Error, ErrorKind, Result};
use crate::model::Activation;

/// Alternative names of fields; the first one present counts. `transformers` reads and writes both.
const OTHER_NAMES: [(&str, &[&str]); 7] = [
    ("n_layer", &["num_hidden_layers"]),
    ("n_head", &["num_attention_heads"]),
    ("n_embd", &["hidden_size"]),
    ("n_inner", &["intermediate_size"]),
    ("n_ctx", &["n_positions", "max_position_embeddings"]),
    ("activation_function", &["hidden_act"]),
    ("layer_norm_epsilon", &["layer_norm_eps"]),
];

/// The fields of `config.json`; null counts as absent.
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self> {
        let value: Value = serde_json::from_slice(bytes).map_err(|cause| {
            error(format!("config.json is not JSON ({cause})")).advice("Check that the file was downloaded whole.")
        })?;
        match value {
            Value::Object(fields) => Ok(Self(fields)),
            _ => Err(error("config.json does not hold a JSON object")),
        }
    }

    /// A field under any of its names.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        let others = OTHER_NAMES.iter().find(|(known, _)| *known == name);
        let others = others.map_or(&[][..], |(_, others)| *others);
        // `n_positions` is the size of the matrix; `n_ctx` is the older name, and may differ.
        let own_last = name == "n_ctx";
        let own = |last: bool| (own_last == last).then_some(name);
        let names = own(false).into_iter().chain(others.iter().copied()).chain(own(true));
        names.filter_map(|name| self.0.get(name)).find(|value| !value.is_null())
    }

    pub(super) fn check_architecture(&self) -> Result<()> {
        let model_type = self.required("model_type", "\"gpt2\"")?;
        if model_type != "gpt2" {
            return Err(error(format!("config.json describes a model of type {model_type}"))
                .expected("model_type \"gpt2\"")
                .advice("Choose a model of the GPT-2 architecture."));
        }
        if self.switch("add_cross_attention", false)? {
            return Err(error("config.json sets add_cross_attention to true")
                .expected("false")
                .advice("A model that attends to another model's output can't be run alone."));
        }
        Ok(())
    }

    /// A boolean field; `default` if it is absent.
    pub(super) fn switch(&self, name: &str, default: bool) -> Result<bool> {
        match self.get(name) {
            None => Ok(default),
            Some(Value::Bool(value)) => Ok(*value),
            Some(value) => Err(error(format!("config.json has {name} {value}")).expected("true or false")),
        }
    }

    pub(super) fn activation(&self) -> Result<Activation> {
        match self.get("activation_function") {
            None => Ok(Activation::default()),
            Some(Value::String(name)) => name.parse(),
            Some(value) => {
                Err(error(format!("config.json has the activation_function {value}")).expected("a name in quotes"))
            }
        }
    }

    pub(super) fn required(&self, name: &str, expected: &str) -> Result<&Value> {
        self.get(name)
            .ok_or_else(|| error(format!("config.json has no field {name}")).expected(expected))
    }

    pub(super) fn size(&self, name: &str, max: u64) -> Result<usize> {
        let expected = format!("a whole number from 1 to {max}");
        let value = self.required(name, &expected)?;
        match value.as_u64() {
            Some(size @ 1..) if size <= max => Ok(size as usize),
            _ => Err(error(format!("config.json has {name} {value}")).expected(expected)),
        }
    }

    pub(super) fn epsilon(&self) -> Result<f64> {
        let Some(value) = self.get("layer_norm_epsilon") else {
            return Ok(1e-5);
        };
        match value.as_f64() {
            Some(epsilon) if epsilon > 0.0 && epsilon < 1.0 => Ok(epsilon),
            _ => Err(error(format!("config.json has layer_norm_epsilon {value}")).expected("a number between 0 and 1")),
        }
    }

    /// The id may be beyond the vocabulary: then it has no effect.
    pub(super) fn bos_token_id(&self) -> Result<Option<u32>> {
        let Some(value) = self.get("bos_token_id") else {
            return Ok(None);
        };
        match value.as_u64().and_then(|id| u32::try_from(id).ok()) {
            Some(id) => Ok(Some(id)),
            None => {
                Err(error(format!("config.json has bos_token_id {value}")).expected("a whole number, an id of a token"))
            }
        }
    }
}

pub(super) fn error(cause: impl Into<String>) -> Error {
    Error::new(ErrorKind::Config, cause)
}
