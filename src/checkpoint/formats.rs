//! Recognizes weights in other formats by their file names, and says how to convert them to safetensors.

use super::header::{FILE, is_weights};
use super::shards::INDEX;
use super::source::Source;
use crate::error::{Error, ErrorKind};

/// File names to probe for, where a source cannot list its files.
const LIKELY: [&str; 6] = [
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
    "adapter_model.safetensors",
    "tf_model.h5",
    "flax_model.msgpack",
    "model.onnx",
];

/// Files that training leaves beside the weights, with the same file extensions as weights.
const NO_WEIGHTS: [&str; 5] = ["training_args.bin", "optimizer.", "scheduler.", "rng_state", "scaler."];

const TORCH: &str = "Convert them: `AutoModelForCausalLM.from_pretrained(FOLDER).save_pretrained(NEW_FOLDER)` in transformers writes \
                     model.safetensors.";
const TENSORFLOW: &str = "Convert them: `GPT2LMHeadModel.from_pretrained(FOLDER, from_tf=True).save_pretrained(NEW_FOLDER)` in transformers writes \
     model.safetensors.";
const FLAX: &str = "Convert them: `GPT2LMHeadModel.from_pretrained(FOLDER, from_flax=True).save_pretrained(NEW_FOLDER)` in transformers writes \
     model.safetensors.";
const ORIGINAL: &str = "Use the model.safetensors of the model that it was made from.";
const ADAPTER: &str = "Merge it into its base model: `model.merge_and_unload().save_pretrained(NEW_FOLDER)` in peft.";

/// File extensions, what such files are, and how to convert them.
const ENDINGS: [(&str, &str, &str); 15] = [
    (
        "adapter_model.safetensors",
        "an adapter, which changes another model's weights",
        ADAPTER,
    ),
    (
        "adapter_model.bin",
        "an adapter, which changes another model's weights",
        ADAPTER,
    ),
    (".bin", "weights in PyTorch's format", TORCH),
    (".bin.index.json", "an index of weights in PyTorch's format", TORCH),
    (".pt", "weights in PyTorch's format", TORCH),
    (".pth", "weights in PyTorch's format", TORCH),
    (".ckpt", "weights in PyTorch's or TensorFlow's format", TORCH),
    (".h5", "weights in TensorFlow's format", TENSORFLOW),
    (".ckpt.index", "weights in TensorFlow's format", TENSORFLOW),
    (".msgpack", "weights in Flax's format", FLAX),
    (".gguf", "a model for llama.cpp, mostly quantized", ORIGINAL),
    (".ggml", "a model for llama.cpp, mostly quantized", ORIGINAL),
    (".onnx", "a graph of operations in the ONNX format", ORIGINAL),
    (".tflite", "a graph of operations for TensorFlow Lite", ORIGINAL),
    (".npz", "arrays of NumPy", ORIGINAL),
];

/// The error to show instead of "no weights" when the files `names` at `location` include weights in another format.
/// None when none is recognized.
pub fn other_weights(names: &[String], location: &str) -> Option<Error> {
    let error =
        |cause: String| Error::new(ErrorKind::Missing, cause).expected(format!("{FILE}, or {INDEX} and what it names"));
    let is_file = |name: &&String| {
        !NO_WEIGHTS
            .iter()
            .any(|other| name.to_ascii_lowercase().starts_with(other))
    };
    for (ending, what, advice) in ENDINGS {
        let found = names
            .iter()
            .filter(is_file)
            .find(|name| name.to_ascii_lowercase().ends_with(ending));
        if let Some(name) = found {
            let cause = format!("there is no {FILE} in {location}, but {name}: {what}, which is not read");
            return Some(error(cause).advice(advice));
        }
    }
    let shard = names.iter().find(|name| is_weights(name) && name.contains("-of-"));
    if let Some(name) = shard {
        let cause = format!("there is {name} in {location}, but no {INDEX}, which says what is in which file");
        return Some(error(cause).advice("Download it, too."));
    }
    let other = names.iter().find(|name| is_weights(name))?;
    let cause = format!("there is no {FILE} in {location}, but {other}");
    Some(error(cause).advice(format!("Where these are the model's weights, call the file {FILE}.")))
}

/// Replaces `missing` (the error that `source` has no weights) by a more specific error, where the source has weights
/// in another format.
pub(super) async fn explained(source: &dyn Source, missing: Error) -> Error {
    let names = match source.listing().await {
        Some(names) => names,
        None => {
            let mut names = Vec::new();
            for name in LIKELY {
                if source.has(name).await {
                    names.push(name.to_owned());
                    break;
                }
            }
            names
        }
    };
    other_weights(&names, &source.location()).unwrap_or(missing)
}

/// Replaces `missing` (the error that a file is not in `source`) by a more specific error, where the listing of the
/// source shows another format. Sends no requests.
pub async fn explain_missing(source: &dyn Source, missing: Error) -> Error {
    match source.listing().await {
        Some(names) if !names.iter().any(|name| name == FILE || name == INDEX) => {
            other_weights(&names, &source.location()).unwrap_or(missing)
        }
        _ => missing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_formats_are_named_with_the_way_out() {
        let told = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            other_weights(&names, "folder")
        };
        for (names, cause, advice) in [
            (
                &["config.json", "pytorch_model.bin"][..],
                "but pytorch_model.bin: weights in PyTorch's",
                "save_pretrained",
            ),
            (
                &["training_args.bin", "tf_model.h5"],
                "but tf_model.h5: weights in TensorFlow's",
                "from_tf",
            ),
            (&["flax_model.msgpack"], "Flax", "from_flax"),
            (&["gpt2.Q4_K_M.gguf"], "llama.cpp", "made from"),
            (&["model.onnx"], "ONNX", "made from"),
            (
                &["adapter_config.json", "adapter_model.safetensors"],
                "an adapter",
                "peft",
            ),
            (
                &["pytorch_model.bin.index.json"],
                "an index of weights in PyTorch's",
                "save_pretrained",
            ),
            (
                &["model-00001-of-00002.safetensors"],
                "but no model.safetensors.index.json",
                "too",
            ),
            (
                &["gpt2.safetensors"],
                "but gpt2.safetensors",
                "call the file model.safetensors",
            ),
        ] {
            let error = told(names).expect("is known");
            assert!(error.cause.contains(cause) && error.advice.contains(advice), "{error}");
            assert_eq!(error.kind, ErrorKind::Missing);
        }
        assert_eq!(told(&["config.json", "training_args.bin", "optimizer.pt"]), None);
        assert_eq!(told(&[]), None);
    }
}
