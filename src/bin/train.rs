//! Trains the bundled model from scratch and writes its folder.
//!
//! `cargo run --release --bin train -- --out public/models/stand-in`

use std::path::{Path, PathBuf};
use std::time::Instant;

use candle_nn::{AdamW, Optimizer, ParamsAdamW};
use clap::Parser;
use keyside::checkpoint::FileSource;
use keyside::forward::Model;
use keyside::model::ModelCard;
use keyside::model::{Activation, Config, Processing, Tokenizer};
use keyside::prompts::ioi::Dataset;
use keyside::prompts::ioi::random::PythonRandom;
use keyside::training::{
    Accuracy, Attention, Pairs, Sample, Split, Templates, Transformer, accuracy, cut_tokenizer, measure, texts_of,
};
use keyside::{Error, ErrorKind, Result};
use serde_json::json;

/// Steps over which the learning rate rises to its peak.
const WARM_UP: usize = 100;

/// Prompts of each measurement of the finished model.
const MEASURED: usize = 1000;

/// Seeds of the prompts that the finished model is measured on.
const PAIRS_SEED: u64 = 1001;
const TEMPLATES_SEED: u64 = 1002;

/// Trains keyside's bundled model, a small GPT-2 that only knows IOI prompts, and writes its checkpoint.
#[derive(Parser)]
#[command(name = "train")]
struct Options {
    /// Folder to write config.json, model.safetensors, tokenizer.json and README.md to.
    #[arg(long)]
    out: PathBuf,
    /// GPT-2's tokenizer.json, from which the model's tokenizer is cut.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/gpt2-tokenizer.json"))]
    gpt2_tokenizer: PathBuf,
    /// Optimizer steps.
    #[arg(long, default_value_t = 2000)]
    steps: usize,
    /// Prompts per step.
    #[arg(long, default_value_t = 48)]
    batch_size: usize,
    /// Peak learning rate.
    #[arg(long, default_value_t = 2e-3)]
    learning_rate: f64,
    /// Weight of the mean loss of all tokens before the final name; the final name's is 1.
    #[arg(long, default_value_t = 0.5)]
    text_weight: f32,
    /// Seed of the initial weights and of the training prompts.
    #[arg(long, default_value_t = 0)]
    seed: u32,
    /// Train nothing: measure the checkpoint that is in the folder.
    #[arg(long)]
    measure: bool,
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
    let started = Instant::now();
    let dataset = Dataset::bundled()?;
    if options.measure {
        return measure_folder(&options.out, &Split::new(dataset));
    }
    let tokenizer_json = cut_tokenizer(&read(&options.gpt2_tokenizer)?, &texts_of(&dataset))?;
    let config = model_config(&tokenizer_json)?;
    let tokenizer = Tokenizer::from_json(&tokenizer_json, &config)?;
    let split = Split::new(dataset);

    let model = Transformer::new(config, options.seed)?;
    println!(
        "{} parameters, vocabulary of {}, {} pairs of names held out",
        model.parameters(),
        model.config().d_vocab,
        split.held_out_pairs()
    );
    train(&model, &tokenizer, &split, options, started)?;
    model.round_to_f16()?;

    let card = choose_heads(&model, &tokenizer, &split)?;
    write_folder(&options.out, &model, &tokenizer_json, &card)?;
    println!("trained and written in {} s", started.elapsed().as_secs());
    measure_folder(&options.out, &split)
}

/// The shape of the bundled model, for the vocabulary of `tokenizer_json`.
fn model_config(tokenizer_json: &[u8]) -> Result<Config> {
    let tokenizer: serde_json::Value = serde_json::from_slice(tokenizer_json)
        .map_err(|error| Error::new(ErrorKind::Tokenizer, format!("tokenizer.json is not JSON: {error}")))?;
    let d_vocab = tokenizer["model"]["vocab"].as_object().map_or(0, serde_json::Map::len);
    Ok(Config {
        n_layer: 4,
        n_head: 8,
        d_model: 128,
        d_mlp: 512,
        d_vocab,
        n_ctx: 64,
        layer_norm_epsilon: 1e-5,
        bos_token_id: Some(d_vocab.saturating_sub(1) as u32),
        activation_function: Activation::GeluNew,
        scale_attn_weights: true,
        scale_attn_by_inverse_layer_idx: false,
        tie_word_embeddings: true,
    })
}

/// Linear warm-up, then half a cosine down to a twentieth of the peak.
fn learning_rate(step: usize, options: &Options) -> f64 {
    if step < WARM_UP {
        return options.learning_rate * (step + 1) as f64 / WARM_UP as f64;
    }
    let done = (step - WARM_UP) as f64 / options.steps.saturating_sub(WARM_UP).max(1) as f64;
    options.learning_rate * (0.05 + 0.95 * 0.5 * (1.0 + (std::f64::consts::PI * done).cos()))
}

fn train(model: &Transformer, tokenizer: &Tokenizer, split: &Split, options: &Options, started: Instant) -> Result<()> {
    let mut python = PythonRandom::new(u64::from(options.seed));
    let parameters = ParamsAdamW {
        lr: options.learning_rate,
        beta2: 0.98,
        weight_decay: 0.01,
        ..ParamsAdamW::default()
    };
    let mut optimizer = AdamW::new(model.vars(), parameters)?;
    let progress = split.samples(
        tokenizer,
        &mut PythonRandom::new(1),
        (Pairs::HeldOut, Templates::Training),
        200,
    )?;
    for step in 0..options.steps {
        let kind = (Pairs::Training, Templates::Training);
        let samples = split.samples(tokenizer, &mut python, kind, options.batch_size)?;
        let loss = model.loss(&samples, options.text_weight)?;
        optimizer.set_learning_rate(learning_rate(step, options));
        optimizer.backward_step(&loss)?;
        if step % 100 == 99 || step == 9 {
            let accuracy = current_accuracy(model, &progress)?;
            println!(
                "step {:5}  {:4} s  loss {:.3}  held-out pairs: P(IO) > P(S) {:.1} %, IO top-1 {:.1} %",
                step + 1,
                started.elapsed().as_secs(),
                loss.to_scalar::<f32>()?,
                100.0 * accuracy.io_over_s,
                100.0 * accuracy.io_top_1
            );
        }
    }
    Ok(())
}

/// The accuracy of the weights in memory, in their own forward pass.
fn current_accuracy(model: &Transformer, samples: &[Sample]) -> Result<Accuracy> {
    let mut after_end = Vec::with_capacity(samples.len());
    for samples in samples.chunks(100) {
        let forward = model.forward(samples)?;
        for (index, sample) in samples.iter().enumerate() {
            let logits = forward.logits.get(index * forward.positions + sample.positions.end)?;
            after_end.push(logits.to_vec1::<f32>()?);
        }
    }
    Ok(measure(samples, after_end.iter().map(Vec::as_slice)))
}

/// Chooses the heads to start with by their mean attention from END to the indirect object, and prints it.
fn choose_heads(model: &Transformer, tokenizer: &Tokenizer, split: &Split) -> Result<ModelCard> {
    let kind = (Pairs::HeldOut, Templates::Training);
    let samples = split.samples(tokenizer, &mut PythonRandom::new(PAIRS_SEED), kind, MEASURED)?;
    let attention = Attention::of(model, &samples)?;
    for (layer, means) in attention.means.iter().enumerate() {
        let means: Vec<String> = means.iter().map(|mean| format!("{mean:.3}")).collect();
        println!("mean attention END -> IO, layer {layer}: {}", means.join(" "));
    }
    let (head, earlier_head) = attention.heads()?;
    println!("head {head}, earlier head {earlier_head}");
    Ok(ModelCard {
        name: format!("Stand-in ({:.2}M parameters)", model.parameters() as f64 / 1e6),
        note: "A small stand-in of GPT-2's architecture, trained on IOI prompts only; it is not GPT-2.".to_owned(),
        head,
        earlier_head,
    })
}

/// Measures the written files through the library's own reader and forward pass.
fn measure_folder(folder: &Path, split: &Split) -> Result<()> {
    let source = Box::new(FileSource::new(folder));
    let mut model = futures::executor::block_on(Model::open(source, Processing::default()))?;
    let kinds = [
        ("pairs", PAIRS_SEED, (Pairs::HeldOut, Templates::Training)),
        ("templates", TEMPLATES_SEED, (Pairs::Any, Templates::HeldOut)),
    ];
    for (label, seed, kind) in kinds {
        let samples = split.samples(model.tokenizer(), &mut PythonRandom::new(seed), kind, MEASURED)?;
        let measured = accuracy(&mut model, &samples)?;
        println!(
            "{} prompts of held-out {label}: P(IO) > P(S) {:.1} %, IO top-1 {:.1} %",
            measured.prompts,
            100.0 * measured.io_over_s,
            100.0 * measured.io_top_1
        );
    }
    Ok(())
}

fn write_folder(folder: &Path, model: &Transformer, tokenizer_json: &[u8], card: &ModelCard) -> Result<()> {
    let config = model.config();
    let config_json = json!({
        "activation_function": "gelu_new", "architectures": ["GPT2LMHeadModel"], "model_type": "gpt2",
        "n_layer": config.n_layer, "n_head": config.n_head, "n_embd": config.d_model,
        "n_positions": config.n_ctx, "n_ctx": config.n_ctx, "vocab_size": config.d_vocab,
        "layer_norm_epsilon": config.layer_norm_epsilon,
        "bos_token_id": config.bos_token_id, "eos_token_id": config.bos_token_id,
        "torch_dtype": "float16", "tie_word_embeddings": true,
        "keyside": card,
    });
    std::fs::create_dir_all(folder).map_err(|error| cannot("create", folder, &error))?;
    write(&folder.join("config.json"), format!("{config_json:#}\n").as_bytes())?;
    write(&folder.join("tokenizer.json"), tokenizer_json)?;
    write(&folder.join("model.safetensors"), &model.to_safetensors()?)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| cannot("read", path, &error))
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    std::fs::write(path, bytes).map_err(|error| cannot("write", path, &error))
}

fn cannot(what: &str, path: &Path, error: &std::io::Error) -> Error {
    Error::new(ErrorKind::Source, format!("can't {what} {}: {error}", path.display()))
}
