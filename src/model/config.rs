//! `config.json`: the shape of a model.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::{Error, ErrorKind, Result};
use crate::names::Head;

/// Upper limits, far above every published model, so that a corrupt file cannot ask for absurd sizes.
const MAX_LAYERS: u64 = 1 << 10;
const MAX_WIDTH: u64 = 1 << 16;
const MAX_MLP: u64 = 1 << 18;
const MAX_VOCAB: u64 = 1 << 24;
const MAX_CONTEXT: u64 = 1 << 20;

/// The shape of a GPT-2 model, under the names of TransformerLens.
///
/// In `config.json` the fields are `n_layer`, `n_head`, `n_embd`, `n_inner` (absent or null: 4 x
/// `n_embd`), `vocab_size`, `n_positions` (or `n_ctx`), `layer_norm_epsilon` (absent: 1e-5) and
/// `bos_token_id` (absent or null: the last of the vocabulary).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// Number of blocks.
    pub n_layer: usize,
    /// Attention heads per block.
    pub n_head: usize,
    /// Width of the residual stream.
    pub d_model: usize,
    /// Width of the MLP's hidden layer.
    pub d_mlp: usize,
    /// Entries of the vocabulary.
    pub d_vocab: usize,
    /// Longest prompt, in tokens.
    pub n_ctx: usize,
    /// `eps` of every LayerNorm.
    pub layer_norm_epsilon: f64,
    /// Token that stands for the beginning of a text.
    pub bos_token_id: u32,
}

impl Config {
    /// Width of one head, `d_model / n_head`.
    pub fn d_head(&self) -> usize {
        self.d_model / self.n_head
    }

    /// Checks that the model has `head`.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] naming the head and the ranges that exist.
    pub fn check_head(&self, head: Head) -> Result<()> {
        if head.layer < self.n_layer && head.head < self.n_head {
            return Ok(());
        }
        Err(
            Error::new(ErrorKind::Request, format!("head {head} does not exist in this model")).expected(format!(
                "a layer from 0 to {} and a head from 0 to {}",
                self.n_layer.saturating_sub(1),
                self.n_head.saturating_sub(1)
            )),
        )
    }

    /// Reads `config.json`.
    ///
    /// ```
    /// use keyside::model::Config;
    ///
    /// let json = r#"{"model_type": "gpt2", "n_layer": 12, "n_head": 12, "n_embd": 768, "vocab_size": 50257, "n_ctx": 1024}"#;
    /// assert_eq!(Config::from_json(json.as_bytes())?.d_head(), 64);
    /// let error = Config::from_json(b"{}").unwrap_err();
    /// assert_eq!(error.to_string(), "config.json has no field model_type; expected \"gpt2\".");
    /// # Ok::<(), keyside::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::ErrorKind::Config`] for text that is not JSON, a missing or impossible field, or
    /// another architecture (`model_type`, `activation_function`, attention scaling variants).
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        let fields = Fields::parse(bytes)?;
        fields.check_architecture()?;
        let n_layer = fields.size("n_layer", MAX_LAYERS)?;
        let n_head = fields.size("n_head", MAX_WIDTH)?;
        let d_model = fields.size("n_embd", MAX_WIDTH)?;
        if d_model % n_head != 0 {
            return Err(error(format!("config.json has n_embd {d_model} and n_head {n_head}"))
                .expected("n_embd divisible by n_head"));
        }
        let d_mlp = match fields.get("n_inner") {
            Some(_) => fields.size("n_inner", MAX_MLP)?,
            None => 4 * d_model,
        };
        let d_vocab = fields.size("vocab_size", MAX_VOCAB)?;
        let context = if fields.get("n_positions").is_some() {
            "n_positions"
        } else {
            "n_ctx"
        };
        Ok(Self {
            n_layer,
            n_head,
            d_model,
            d_mlp,
            d_vocab,
            n_ctx: fields.size(context, MAX_CONTEXT)?,
            layer_norm_epsilon: fields.epsilon()?,
            bos_token_id: fields.bos_token_id(d_vocab)?,
        })
    }
}

/// The fields of `config.json`; null counts as absent.
struct Fields(Map<String, Value>);

impl Fields {
    fn parse(bytes: &[u8]) -> Result<Self> {
        let value: Value = serde_json::from_slice(bytes).map_err(|cause| {
            error(format!("config.json is not JSON ({cause})")).advice("Check that the file was downloaded whole.")
        })?;
        match value {
            Value::Object(fields) => Ok(Self(fields)),
            _ => Err(error("config.json does not hold a JSON object")),
        }
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn check_architecture(&self) -> Result<()> {
        let model_type = self.required("model_type", "\"gpt2\"")?;
        if model_type != "gpt2" {
            return Err(error(format!("config.json describes a model of type {model_type}"))
                .expected("model_type \"gpt2\"")
                .advice("Choose a model of the GPT-2 architecture."));
        }
        if let Some(activation) = self.get("activation_function")
            && activation != "gelu_new"
        {
            return Err(error(format!("config.json has the activation_function {activation}")).expected("\"gelu_new\""));
        }
        self.check_switch("scale_attn_weights", true)?;
        self.check_switch("scale_attn_by_inverse_layer_idx", false)?;
        self.check_switch("reorder_and_upcast_attn", false)?;
        self.check_switch("add_cross_attention", false)
    }

    fn check_switch(&self, name: &str, supported: bool) -> Result<()> {
        match self.get(name) {
            Some(value) if *value != supported => Err(error(format!("config.json sets {name} to {value}"))
                .expected(supported.to_string())
                .advice("This variant of the attention is not supported.")),
            _ => Ok(()),
        }
    }

    fn required(&self, name: &str, expected: &str) -> Result<&Value> {
        self.get(name)
            .ok_or_else(|| error(format!("config.json has no field {name}")).expected(expected))
    }

    fn size(&self, name: &str, max: u64) -> Result<usize> {
        let expected = format!("a whole number from 1 to {max}");
        let value = self.required(name, &expected)?;
        match value.as_u64() {
            Some(size @ 1..) if size <= max => Ok(size as usize),
            _ => Err(error(format!("config.json has {name} {value}")).expected(expected)),
        }
    }

    fn epsilon(&self) -> Result<f64> {
        let Some(value) = self.get("layer_norm_epsilon") else {
            return Ok(1e-5);
        };
        match value.as_f64() {
            Some(epsilon) if epsilon > 0.0 && epsilon < 1.0 => Ok(epsilon),
            _ => Err(error(format!("config.json has layer_norm_epsilon {value}")).expected("a number between 0 and 1")),
        }
    }

    fn bos_token_id(&self, d_vocab: usize) -> Result<u32> {
        let last = d_vocab as u64 - 1;
        let Some(value) = self.get("bos_token_id") else {
            return Ok(last as u32);
        };
        match value.as_u64() {
            Some(id) if id <= last => Ok(id as u32),
            _ => {
                Err(error(format!("config.json has bos_token_id {value}"))
                    .expected(format!("a token from 0 to {last}")))
            }
        }
    }
}

fn error(cause: impl Into<String>) -> Error {
    Error::new(ErrorKind::Config, cause)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn tiny() -> Value {
        json!({"model_type": "gpt2", "n_layer": 3, "n_head": 4, "n_embd": 32, "vocab_size": 989, "n_ctx": 128})
    }

    fn with(name: &str, value: Value) -> Result<Config> {
        let mut config = tiny();
        config[name] = value;
        Config::from_json(config.to_string().as_bytes())
    }

    #[test]
    fn defaults_fill_what_is_absent() {
        let config = with("n_inner", Value::Null).expect("valid");
        let expected = Config {
            n_layer: 3,
            n_head: 4,
            d_model: 32,
            d_mlp: 128,
            d_vocab: 989,
            n_ctx: 128,
            layer_norm_epsilon: 1e-5,
            bos_token_id: 988,
        };
        assert_eq!(config, expected);
        assert_eq!(config.d_head(), 8);
        assert_eq!(with("n_positions", json!(64)).expect("valid").n_ctx, 64);
        assert_eq!(with("n_inner", json!(96)).expect("valid").d_mlp, 96);
        assert_eq!(with("bos_token_id", json!(0)).expect("valid").bos_token_id, 0);
        assert!(with("tie_word_embeddings", json!(false)).is_ok());
        assert!(with("activation_function", json!("gelu_new")).is_ok());
        assert!(with("scale_attn_weights", json!(true)).is_ok());
    }

    #[test]
    fn every_impossible_field_is_named() {
        let cases = [
            (
                "n_head",
                json!(5),
                "n_embd 32 and n_head 5; expected n_embd divisible by n_head",
            ),
            ("n_layer", json!(0), "n_layer 0; expected a whole number from 1 to 1024"),
            ("n_embd", json!(-32), "n_embd -32"),
            ("n_embd", json!("32"), "n_embd \"32\""),
            ("vocab_size", json!(1u64 << 40), "vocab_size 1099511627776"),
            ("n_ctx", Value::Null, "no field n_ctx"),
            (
                "bos_token_id",
                json!(989),
                "bos_token_id 989; expected a token from 0 to 988",
            ),
            ("layer_norm_epsilon", json!(0), "layer_norm_epsilon 0"),
            (
                "model_type",
                json!("llama"),
                "a model of type \"llama\"; expected model_type \"gpt2\"",
            ),
            (
                "activation_function",
                json!("relu"),
                "activation_function \"relu\"; expected \"gelu_new\"",
            ),
            (
                "scale_attn_weights",
                json!(false),
                "scale_attn_weights to false; expected true",
            ),
            (
                "scale_attn_by_inverse_layer_idx",
                json!(true),
                "scale_attn_by_inverse_layer_idx to true; expected false",
            ),
            (
                "reorder_and_upcast_attn",
                json!(true),
                "reorder_and_upcast_attn to true; expected false",
            ),
        ];
        for (name, value, part) in cases {
            let error = with(name, value).expect_err(name);
            assert_eq!(error.kind, ErrorKind::Config);
            assert!(error.to_string().contains(part), "{error}");
        }
    }
}
