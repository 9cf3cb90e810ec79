//! `config.json`: the shape of a model.

use serde::{Deserialize, Serialize};

use super::config_fields::{Fields, error};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Activation;
use crate::names::Head;

/// Upper limits, far above every published model, so that a corrupt file cannot ask for absurd sizes.
const MAX_LAYERS: u64 = 1 << 10;
const MAX_WIDTH: u64 = 1 << 16;
const MAX_MLP: u64 = 1 << 18;
const MAX_VOCAB: u64 = 1 << 24;
const MAX_CONTEXT: u64 = 1 << 20;

/// The shape of a GPT-2 model, under the names of TransformerLens.
///
/// In `config.json` the fields are `n_layer`, `n_head`, `n_embd`, `n_inner` (absent or null: 4 x `n_embd`), `vocab_size`,
/// `n_positions` (or `n_ctx`), `layer_norm_epsilon` (absent: 1e-5) and those whose names are the same here. The names that
/// other architectures have for the same (`hidden_size`, `num_hidden_layers`, ...) are read, too.
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
    /// Token that marks the beginning of a text. None where neither `config.json` nor the tokenizer defines one.
    pub bos_token_id: Option<u32>,
    /// The activation function of the MLPs.
    #[serde(default, skip_serializing_if = "is_default")]
    pub activation_function: Activation,
    /// Whether scores are divided by `sqrt(d_head)`.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub scale_attn_weights: bool,
    /// Whether scores of layer L are divided by L + 1.
    #[serde(default, skip_serializing_if = "is_default")]
    pub scale_attn_by_inverse_layer_idx: bool,
    /// Whether W_U is the transpose of W_E according to `config.json`. The weights file takes precedence.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub tie_word_embeddings: bool,
}

const fn yes() -> bool {
    true
}

/// Whether a field has GPT-2's own value.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_true(value: &bool) -> bool {
    *value
}

impl Default for Config {
    /// The configuration of GPT-2 small.
    fn default() -> Self {
        Self {
            n_layer: 12,
            n_head: 12,
            d_model: 768,
            d_mlp: 3072,
            d_vocab: 50257,
            n_ctx: 1024,
            layer_norm_epsilon: 1e-5,
            bos_token_id: Some(50256),
            activation_function: Activation::GeluNew,
            scale_attn_weights: true,
            scale_attn_by_inverse_layer_idx: false,
            tie_word_embeddings: true,
        }
    }
}

impl Config {
    /// Width of one head, `d_model / n_head`.
    pub fn d_head(&self) -> usize {
        self.d_model / self.n_head
    }

    /// Divisor of the product of query and key in `layer`: `sqrt(d_head)` in GPT-2 itself.
    pub fn score_divisor(&self, layer: usize) -> f64 {
        let of_width = if self.scale_attn_weights {
            (self.d_head() as f64).sqrt()
        } else {
            1.0
        };
        if self.scale_attn_by_inverse_layer_idx {
            of_width * (layer as f64 + 1.0)
        } else {
            of_width
        }
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
    /// another architecture (`model_type`, an `activation_function` that is not known, cross-attention).
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
        Ok(Self {
            n_layer,
            n_head,
            d_model,
            d_mlp,
            d_vocab,
            n_ctx: fields.size("n_ctx", MAX_CONTEXT)?,
            layer_norm_epsilon: fields.epsilon()?,
            bos_token_id: fields.bos_token_id()?,
            activation_function: fields.activation()?,
            // `reorder_and_upcast_attn` only changes the order of operations in half precision.
            scale_attn_weights: fields.switch("scale_attn_weights", true)?,
            scale_attn_by_inverse_layer_idx: fields.switch("scale_attn_by_inverse_layer_idx", false)?,
            tie_word_embeddings: fields.switch("tie_word_embeddings", true)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
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
            bos_token_id: None,
            activation_function: Activation::GeluNew,
            scale_attn_weights: true,
            scale_attn_by_inverse_layer_idx: false,
            tie_word_embeddings: true,
        };
        assert_eq!(config, expected);
        let written = serde_json::to_value(&config).expect("is written");
        assert!(written.get("tie_word_embeddings").is_none() && written.get("activation_function").is_none());
        assert_eq!(serde_json::from_value::<Config>(written).expect("is read"), config);
        assert_eq!(config.d_head(), 8);
        assert_eq!(with("n_positions", json!(64)).expect("valid").n_ctx, 64);
        assert_eq!(with("n_inner", json!(96)).expect("valid").d_mlp, 96);
        assert_eq!(with("bos_token_id", json!(0)).expect("valid").bos_token_id, Some(0));
    }

    #[test]
    fn what_changes_numbers_is_kept() {
        let untied = with("tie_word_embeddings", json!(false)).expect("valid");
        assert!(!untied.tie_word_embeddings);
        let silu = with("activation_function", json!("swish")).expect("valid");
        assert_eq!(silu.activation_function, Activation::Silu);
        let unscaled = with("scale_attn_weights", json!(false)).expect("valid");
        assert_eq!((unscaled.score_divisor(0), unscaled.score_divisor(2)), (1.0, 1.0));
        let by_layer = with("scale_attn_by_inverse_layer_idx", json!(true)).expect("valid");
        let root = 8f64.sqrt();
        assert_eq!(
            (by_layer.score_divisor(0), by_layer.score_divisor(2)),
            (root, 3.0 * root)
        );
        let upcast = with("reorder_and_upcast_attn", json!(true)).expect("valid");
        assert_eq!(upcast, with("reorder_and_upcast_attn", json!(false)).expect("valid"));
        for config in [untied, silu, unscaled, by_layer] {
            let written = serde_json::to_string(&config).expect("is written");
            assert_eq!(serde_json::from_str::<Config>(&written).expect("is read"), config);
        }
    }

    #[test]
    fn fields_have_other_names() {
        let other = json!({
            "model_type": "gpt2", "num_hidden_layers": 3, "num_attention_heads": 4, "hidden_size": 32, "vocab_size": 989,
            "max_position_embeddings": 128, "intermediate_size": 96, "hidden_act": "relu", "dtype": "float32",
        });
        let config = Config::from_json(other.to_string().as_bytes()).expect("valid");
        assert_eq!(
            (config.n_layer, config.n_head, config.d_model, config.n_ctx),
            (3, 4, 32, 128)
        );
        assert_eq!((config.d_mlp, config.activation_function), (96, Activation::Relu));
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
            ("bos_token_id", json!(-1), "bos_token_id -1; expected a whole number"),
            ("layer_norm_epsilon", json!(0), "layer_norm_epsilon 0"),
            (
                "model_type",
                json!("llama"),
                "a model of type \"llama\"; expected model_type \"gpt2\"",
            ),
            (
                "activation_function",
                json!("quick_gelu"),
                "activation_function \"quick_gelu\"; expected one of gelu_new",
            ),
            ("activation_function", json!(1), "the activation_function 1"),
            (
                "scale_attn_weights",
                json!("no"),
                "scale_attn_weights \"no\"; expected true or false",
            ),
            (
                "add_cross_attention",
                json!(true),
                "add_cross_attention to true; expected false",
            ),
        ];
        for (name, value, part) in cases {
            let error = with(name, value).expect_err(name);
            assert_eq!(error.kind, ErrorKind::Config);
            assert!(error.to_string().contains(part), "{error}");
        }
    }
}
