//! Which tensors a GPT-2 checkpoint has, in the names and shapes of Hugging Face.

use crate::model::Config;

/// The prefix that names have in checkpoints of a model with a language-modelling head.
pub(crate) const PREFIX: &str = "transformer.";

/// `name` without [`PREFIX`].
pub(crate) fn strip_prefix(name: &str) -> &str {
    name.strip_prefix(PREFIX).unwrap_or(name)
}

/// Whether `name` (without prefix) is a buffer with the causal mask: `h.N.attn.bias` or `h.N.attn.masked_bias`.
///
/// `h.N.attn.c_attn.bias` is not one, though it ends in the same letters.
pub(crate) fn is_mask_buffer(name: &str) -> bool {
    let mut parts = name.split('.');
    parts.next() == Some("h")
        && parts.next().is_some_and(|layer| layer.parse::<usize>().is_ok())
        && parts.next() == Some("attn")
        && matches!(parts.next(), Some("bias" | "masked_bias"))
        && parts.next().is_none()
}

/// Every tensor that a model of `config` must have, with its shape. Linear maps are `[in, out]`.
pub(crate) fn required(config: &Config) -> Vec<(String, Vec<usize>)> {
    let (d, d_mlp) = (config.d_model, config.d_mlp);
    let mut tensors = vec![
        ("wte.weight".to_owned(), vec![config.d_vocab, d]),
        ("wpe.weight".to_owned(), vec![config.n_ctx, d]),
    ];
    for layer in 0..config.n_layer {
        let block = [
            ("ln_1.weight", vec![d]),
            ("ln_1.bias", vec![d]),
            ("attn.c_attn.weight", vec![d, 3 * d]),
            ("attn.c_attn.bias", vec![3 * d]),
            ("attn.c_proj.weight", vec![d, d]),
            ("attn.c_proj.bias", vec![d]),
            ("ln_2.weight", vec![d]),
            ("ln_2.bias", vec![d]),
            ("mlp.c_fc.weight", vec![d, d_mlp]),
            ("mlp.c_fc.bias", vec![d_mlp]),
            ("mlp.c_proj.weight", vec![d_mlp, d]),
            ("mlp.c_proj.bias", vec![d]),
        ];
        tensors.extend(block.map(|(name, shape)| (format!("h.{layer}.{name}"), shape)));
    }
    tensors.push(("ln_f.weight".to_owned(), vec![d]));
    tensors.push(("ln_f.bias".to_owned(), vec![d]));
    tensors
}

/// The output embedding where it is not tied, and its shape.
pub(crate) fn lm_head(config: &Config) -> (&'static str, Vec<usize>) {
    ("lm_head.weight", vec![config.d_vocab, config.d_model])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mask_buffers_are_told_from_biases() {
        for name in ["h.0.attn.bias", "h.11.attn.masked_bias"] {
            assert!(is_mask_buffer(name), "{name}");
        }
        for name in [
            "h.0.attn.c_attn.bias",
            "h.0.attn.c_proj.bias",
            "h.x.attn.bias",
            "attn.bias",
            "h.0.attn.bias.x",
        ] {
            assert!(!is_mask_buffer(name), "{name}");
        }
        assert_eq!(strip_prefix("transformer.h.0.attn.bias"), "h.0.attn.bias");
        assert_eq!(strip_prefix("h.0.attn.bias"), "h.0.attn.bias");
    }
}
