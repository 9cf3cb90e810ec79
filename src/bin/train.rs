//! Trains the bundled model from scratch and writes its folder.
//!
//! `RAYON_NUM_THREADS=1 cargo run --release --bin train -- --out public/models/tiny-ioi`: a step uses two threads of
//! its own; more threads of candle would only wait.

use std::path::{Path, PathBuf};
use std::time::Instant;

use candle_nn::{AdamW, Optimizer, ParamsAdamW};
use clap::Parser;
use keyside::checkpoint::FileSource;
use keyside::forward::Model;
use keyside::model::ModelCard;
use keyside::model::{Config, Processing, Tokenizer};
use keyside::names::Head;
use keyside::prompts::ioi::Dataset;
use keyside::prompts::ioi::random::PythonRandom;
use keyside::training::{
    CARD_PROMPTS, CONTENT_HEAD, Curriculum, EXAMPLES, FIRST_MERGES, HeadTable, Pairs, Repeats, Split, Templates,
    Transformer, accuracy, columns, cut_tokenizer, label, lists_accuracy, repeats_accuracy, texts_of,
};
use keyside::{Error, ErrorKind, Result};
use serde_json::json;

/// Steps over which the learning rate rises to its peak.
const WARM_UP: usize = 100;

/// Prompts of each measurement of the finished model.
const MEASURED: usize = 1000;

/// Steps between two lines of progress.
const REPORTED: usize = 50;

/// Seeds of the prompts that the finished model is measured on.
const PAIRS_SEED: u64 = 1001;
const TEMPLATES_SEED: u64 = 1002;
const LISTS_SEED: u64 = 1003;
const REPEATS_SEED: u64 = 1004;

/// Lengths of the repeated segments that the finished model is measured on, in tokens.
const SEGMENTS: [usize; 2] = [24, 100];

/// Trains keyside's bundled model, a small GPT-2 that knows IOI prompts, lists and repetition, and writes its checkpoint.
#[derive(Parser)]
#[command(name = "train")]
struct Options {
    /// Folder to write config.json, model.safetensors and tokenizer.json to.
    #[arg(long)]
    out: PathBuf,
    /// GPT-2's tokenizer.json, from which the model's tokenizer is cut.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/gpt2-tokenizer.json"))]
    gpt2_tokenizer: PathBuf,
    /// Optimizer steps.
    #[arg(long, default_value_t = 1500)]
    steps: usize,
    /// IOI prompts per step.
    #[arg(long, default_value_t = 16)]
    ioi: usize,
    /// Lists per step.
    #[arg(long, default_value_t = 16)]
    lists: usize,
    /// Sequences of repeated random tokens per step.
    #[arg(long, default_value_t = 20)]
    repeats: usize,
    /// Length of these, in tokens.
    #[arg(long, default_value_t = 48)]
    repeats_length: usize,
    /// Peak learning rate.
    #[arg(long, default_value_t = 1.5e-3)]
    learning_rate: f64,
    /// Weight of the mean loss of some tokens before the final name; the final name's is 1.
    #[arg(long, default_value_t = 0.3)]
    text_weight: f32,
    /// Share of the steps in which heads are guided, less and less.
    #[arg(long, default_value_t = 0.5)]
    guided: f64,
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
        return measure_folder(&options.out, &Split::new(dataset)).map(drop);
    }
    let mut texts = texts_of(&dataset);
    texts.extend(EXAMPLES.map(str::to_owned));
    let tokenizer_json = cut_tokenizer(&read(&options.gpt2_tokenizer)?, &texts, FIRST_MERGES)?;
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

    write_folder(
        &options.out,
        &model,
        &tokenizer_json,
        &card(&model, CONTENT_HEAD, Head::new(0, 0)),
    )?;
    let table = measure_folder(&options.out, &split)?;
    let (head, earlier_head) = choose_heads(&table)?;
    println!("head {head}, earlier head {earlier_head}");
    write_folder(&options.out, &model, &tokenizer_json, &card(&model, head, earlier_head))?;
    println!("trained, measured and written in {} s", started.elapsed().as_secs());
    Ok(())
}

/// The shape of the bundled model, for the vocabulary of `tokenizer_json`.
fn model_config(tokenizer_json: &[u8]) -> Result<Config> {
    let tokenizer: serde_json::Value = serde_json::from_slice(tokenizer_json)
        .map_err(|error| Error::new(ErrorKind::Tokenizer, format!("tokenizer.json is not JSON: {error}")))?;
    let d_vocab = tokenizer["model"]["vocab"].as_object().map_or(0, serde_json::Map::len);
    Ok(Config {
        n_layer: 3,
        n_head: 4,
        d_model: 160,
        d_mlp: 640,
        d_vocab,
        n_ctx: 256,
        bos_token_id: Some(d_vocab.saturating_sub(1) as u32),
        ..Config::default()
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

/// Weight of the guidance: falls from 1 to 0 in the first part of the training.
fn guidance(step: usize, options: &Options) -> f32 {
    let guided = options.guided * options.steps as f64;
    (1.0 - step as f64 / guided.max(1.0)).max(0.0) as f32
}

fn train(model: &Transformer, tokenizer: &Tokenizer, split: &Split, options: &Options, started: Instant) -> Result<()> {
    let mut python = PythonRandom::new(u64::from(options.seed));
    let curriculum = Curriculum {
        ioi: options.ioi,
        lists: options.lists,
        repeats: options.repeats,
        repeats_length: options.repeats_length,
        // <|endoftext|>, the last token of the vocabulary, is in no text.
        d_vocab: model.config().d_vocab.saturating_sub(1),
        n_ctx: model.config().n_ctx,
        text_weight: options.text_weight,
    };
    let parameters = ParamsAdamW {
        lr: options.learning_rate,
        beta2: 0.98,
        weight_decay: 0.01,
        ..ParamsAdamW::default()
    };
    let mut optimizer = AdamW::new(model.vars(), parameters)?;
    let mut losses = [0f32; 2];
    for step in 0..options.steps {
        let prompts = curriculum.prompts(split, tokenizer, &mut python)?;
        let repeats = curriculum.repeats(&mut python);
        let (gradients, [of_prompts, of_repeats]) = model.gradients([&prompts, &repeats], guidance(step, options))?;
        optimizer.set_learning_rate(learning_rate(step, options));
        optimizer.step(&gradients)?;
        losses[0] += of_prompts;
        losses[1] += of_repeats;
        if step % REPORTED == REPORTED - 1 {
            let [prompts, repeats] = losses.map(|loss| loss / REPORTED as f32);
            let seconds = started.elapsed().as_secs();
            println!(
                "step {:5}  {seconds:4} s  loss: prompts {prompts:.3}, repeats {repeats:.3}",
                step + 1
            );
            losses = [0.0; 2];
        }
    }
    Ok(())
}

/// Chooses the initial heads: the one with the most attention from END to the indirect object in both orders of the
/// names, and the earlier one with the most attention from END to the subject's last occurrence.
fn choose_heads(table: &HeadTable) -> Result<(Head, Head)> {
    let in_both_orders = |head: &Head| {
        let mean = |label| table.attention_of(label, *head).mean;
        mean(label::ABBA_IO).min(mean(label::BABA_IO))
    };
    let later = table.heads().into_iter().filter(|head| head.layer > 0);
    let head = later.max_by(|a, b| in_both_orders(a).total_cmp(&in_both_orders(b)));
    let earlier = head.and_then(|head| table.largest(label::ABBA_S2, |earlier| earlier.layer < head.layer));
    head.zip(earlier)
        .ok_or_else(|| Error::new(ErrorKind::Internal, "a model of one layer has no earlier head"))
}

/// The card in `config.json`.
fn card(model: &Transformer, head: Head, earlier_head: Head) -> ModelCard {
    ModelCard {
        name: format!("Tiny IOI ({:.2}M parameters)", model.parameters() as f64 / 1e6),
        note:
            "A tiny model of GPT-2's architecture, trained on IOI prompts, lists and repeated random words only; it is \
               not GPT-2."
                .to_owned(),
        head,
        earlier_head,
    }
}

/// Measures the written files through the library's own reader and forward pass, and prints the tables of the model's
/// README.
fn measure_folder(folder: &Path, split: &Split) -> Result<HeadTable> {
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
    let lists = split.lists(
        model.tokenizer(),
        &mut PythonRandom::new(LISTS_SEED),
        Pairs::HeldOut,
        MEASURED,
    )?;
    println!(
        "{MEASURED} lists: answer top-1 {:.1} %",
        100.0 * lists_accuracy(&mut model, &lists)?
    );
    for segment in SEGMENTS {
        let python = &mut PythonRandom::new(REPEATS_SEED);
        let words = model.config().d_vocab.saturating_sub(1);
        let repeats: Vec<Repeats> = (0..MEASURED / segment)
            .map(|_| Repeats::draw(python, words, segment, 2 * segment))
            .collect();
        let right = repeats_accuracy(&mut model, &repeats)?;
        println!(
            "{segment} random tokens repeated: next token top-1 {:.1} %",
            100.0 * right
        );
    }
    let columns = columns(&model, split, CARD_PROMPTS)?;
    let table = HeadTable::measure(&mut model, &columns)?;
    println!("{}", table.markdown());
    for label in [label::ABBA_IO, label::BABA_IO, label::ANSWER] {
        let shares = table
            .heads()
            .into_iter()
            .map(|head| (head, table.attention_of(label, head).largest));
        let shares = shares.filter(|(_, share)| *share > 0.5);
        let shares: Vec<String> = shares
            .map(|(head, share)| format!("{head} {:.1} %", 100.0 * share))
            .collect();
        println!("{label} is the largest attention of END: {}", shares.join(", "));
    }
    Ok(table)
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
