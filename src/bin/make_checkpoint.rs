//! Writes a synthetic checkpoint of GPT-2's full size, for tests at scale.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use clap::Parser;
use keyside::training::Synthetic;
use keyside::{Error, ErrorKind, Result};

/// Writes a synthetic GPT-2 checkpoint (config.json, model.safetensors, tokenizer.json), the same on every
/// machine. Its weights are random: it is for tests of size and speed, not for analysis.
#[derive(Parser)]
#[command(name = "make_checkpoint")]
struct Options {
    /// Folder to write to; made if need be.
    out: PathBuf,
    /// The published model whose shape it has.
    #[arg(default_value = "gpt2", value_parser = ["gpt2", "gpt2-medium", "gpt2-xl", "distilgpt2"])]
    size: String,
    /// The tokenizer.json to copy: GPT-2's.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/gpt2-tokenizer.json"))]
    tokenizer: PathBuf,
}

fn main() -> std::process::ExitCode {
    match run(&Options::parse()) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            std::process::ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    let size = Synthetic::named(&options.size)?;
    std::fs::create_dir_all(&options.out).map_err(|error| cannot("create", &options.out, &error))?;
    let config = options.out.join("config.json");
    std::fs::write(&config, size.config_json()).map_err(|error| cannot("write", &config, &error))?;
    let tokenizer = options.out.join("tokenizer.json");
    std::fs::copy(&options.tokenizer, &tokenizer).map_err(|error| cannot("copy", &options.tokenizer, &error))?;
    let weights = options.out.join("model.safetensors");
    let file = File::create(&weights).map_err(|error| cannot("create", &weights, &error))?;
    size.write_safetensors(BufWriter::with_capacity(1 << 20, file))
}

fn cannot(what: &str, path: &Path, error: &std::io::Error) -> Error {
    Error::new(ErrorKind::Source, format!("can't {what} {}: {error}", path.display()))
}
