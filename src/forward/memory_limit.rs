//! Minimum memory of a model, and the error message where there is less.

use crate::checkpoint::{HUB_MODELS, HubModel};
use crate::compute::memory::linear_memory;
use crate::error::{Error, ErrorKind};
use crate::model::{Config, block};
use crate::quantities::size;

/// Bytes used by the worker without a model: static data, tokenizer and activations.
const WITHOUT_MODEL: u64 = 40 << 20;
/// Number of blocks in memory at the peak: one that is computed, one that is packed, and the weights from which it is
/// packed.
const BLOCKS: u64 = 3;

/// Minimum memory of a model of `config`, in bytes.
fn least(config: &Config) -> u64 {
    let positions = 4 * config.n_ctx as u64 * config.d_model as u64;
    WITHOUT_MODEL + BLOCKS * block::size_in_memory(config) + positions
}

/// The same for a published model: heads of width 64, 1,024 positions, MLPs four times as wide as the residual stream.
fn least_of_published(model: &HubModel) -> u64 {
    let width = 64 * model.heads as u64;
    WITHOUT_MODEL + BLOCKS * 4 * (12 * width * width + 14 * width) + 4 * 1024 * width
}

/// Adds the available memory and advice to `error`, an out-of-memory error of a model of `config`. Returns it unchanged
/// where the available memory is unknown.
pub fn not_enough(config: &Config, error: Error) -> Error {
    match linear_memory() {
        Some(there) if error.kind == ErrorKind::Memory => out_of_memory(config, there),
        _ => error,
    }
}

/// The error when a model of `config` does not run in `there` bytes.
fn out_of_memory(config: &Config, there: u64) -> Error {
    let least = least(config);
    let gets = format!("there is not enough memory: this page gets {}", size(there));
    let fitting: Vec<&str> = HUB_MODELS
        .iter()
        .filter(|model| least_of_published(model) <= there)
        .map(|model| model.name)
        .collect();
    let (cause, expected) = match (least <= there, fitting.is_empty()) {
        // The model would fit; the activations do not.
        (true, _) => (gets, "fewer or shorter prompts in a batch".to_owned()),
        (false, true) => (
            format!("{gets}, and a model of this size takes {}", size(least)),
            "a smaller model".to_owned(),
        ),
        (false, false) => (
            format!("{gets}, and a model of this size takes {}", size(least)),
            format!("one that fits: {}, or a smaller one", fitting.join(", ")),
        ),
    };
    Error::new(ErrorKind::Memory, cause)
        .expected(expected)
        .advice("Close other tabs and programs, or use the command line.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_width(width: usize) -> Config {
        Config {
            n_head: width / 64,
            d_model: width,
            d_mlp: 4 * width,
            ..Config::default()
        }
    }

    #[test]
    fn published_models_take_what_their_shapes_say() {
        for (model, width) in HUB_MODELS.iter().zip([768, 768, 1024, 1280, 1600]) {
            let (out_of_memory, least) = (least_of_published(model), least(&of_width(width)));
            assert!(
                out_of_memory.abs_diff(least) < 1 << 20,
                "{}: {out_of_memory} for {least}",
                model.name
            );
        }
    }

    #[test]
    fn what_there_is_and_what_fits_is_said() {
        let error = out_of_memory(&of_width(1600), 210_000_000);
        assert_eq!(error.kind, ErrorKind::Memory);
        assert_eq!(
            error.to_string(),
            "there is not enough memory: this page gets 210.0 MB, and a model of this size takes 417.4 MB; expected one that fits: \
             distilgpt2, gpt2, gpt2-medium, or a smaller one. Close other tabs and programs, or use the command line."
        );
        let error = out_of_memory(&of_width(1600), 50_000_000);
        assert_eq!(error.expected, "a smaller model");
        let error = out_of_memory(&of_width(768), 500_000_000);
        assert!(
            error.cause.ends_with("gets 500.0 MB") && error.expected.contains("prompts in a batch"),
            "{error}"
        );
        // Other errors stay unchanged.
        let other = Error::new(ErrorKind::Memory, "tensor x does not fit");
        assert_eq!(not_enough(&of_width(768), other.clone()), other);
    }
}
