//! Measures the engine on a GPU, see benches/README.md.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use clap::Parser;
use futures::executor::block_on;
use keyside::forward::{GpuBenchmark, GpuDevice, MeasureLimits};
use keyside::model::Config;
use keyside::names::EngineName;
use keyside::{Error, ErrorKind, Result};
use serde_json::{Value, json};

/// Measures products, blocks and the notebook's run on this machine's GPU, beside the gemm crate and, where it is installed,
/// PyTorch in f32. Prints a table; everything is in a JSON file.
#[derive(Parser)]
#[command(name = "bench_gpu")]
struct Options {
    /// A checkpoint of GPT-2 small's size, for the notebook's run.
    checkpoint: Option<PathBuf>,
    /// Where the JSON goes.
    #[arg(long, default_value = "target/bench/gpu.json")]
    out: PathBuf,
    /// Rows of the large products.
    #[arg(long, default_value_t = 4096)]
    rows: usize,
    /// Rounds of each measurement, of which the best counts.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds after which no further round begins.
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// Products that a GPU is given at once.
    #[arg(long, default_value_t = 20)]
    times: usize,
    /// Batches of 40 prompts of the notebook's run.
    #[arg(long, default_value_t = 30)]
    batches: usize,
    /// The Python that has torch, if any has.
    #[arg(long, default_value = "python3")]
    python: String,
    /// What measures PyTorch.
    #[arg(long, default_value = "benches/peers/gpu.py")]
    peer: PathBuf,
}

/// Rows of the thin products: a sentence, some variants of one, a batch of the notebook's run.
const THIN: [usize; 3] = [20, 128, 540];
/// Rows of blocks, in sequences of 20: a sentence, and a batch of the notebook's run.
const BLOCKS: [usize; 2] = [20, 540];
const LENGTH: usize = 20;
/// Blocks that rows go through at once, beside one.
const SEVERAL: usize = 5;

fn main() -> std::process::ExitCode {
    match block_on(run(&Options::parse())) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            std::process::ExitCode::FAILURE
        }
    }
}

async fn run(options: &Options) -> Result<()> {
    let gpu = GpuDevice::tested(true, None).await?;
    let name = gpu.as_ref().map(|gpu| gpu.info().to_string()).unwrap_or_default();
    println!("adapter: {name}");
    let peer = torch(options);
    let meters = [GpuBenchmark::new(gpu), GpuBenchmark::new(None)];
    let config = Config::default();
    let limits = MeasureLimits {
        rounds: options.rounds,
        seconds: options.seconds,
    };
    let mut report = json!({
        "adapter": name,
        "cores": std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        "torch": peer.as_ref().map(|peer| &peer["device"]),
    });

    let mut products = Vec::new();
    for [rows, inner, outer] in shapes(options, &config) {
        let flop = 2.0 * (rows * inner * outer) as f64;
        let name = product_name([rows, inner, outer]);
        let mut rates = Vec::new();
        for meter in &meters {
            let seconds = meter.product([rows, inner, outer], options.times, limits).await?;
            rates.push(flop / seconds / 1e9);
        }
        let torch = peer.as_ref().and_then(|peer| peer["products"][&name].as_f64());
        products.push(line(&name, &rates, torch.map(|seconds| flop / seconds / 1e9)));
    }
    report["products_gflops"] = table("Products, GFLOP/s", products);

    let mut blocks = Vec::new();
    for rows in BLOCKS {
        for count in [1, SEVERAL] {
            let name = block_name(rows, count);
            let mut times = Vec::new();
            for meter in &meters {
                times.push(1e3 * meter.blocks(&config, (rows, LENGTH), count, limits).await?);
            }
            let torch = peer.as_ref().and_then(|peer| peer["blocks"][&name].as_f64());
            blocks.push(line(&name, &times, torch.map(|seconds| 1e3 * seconds)));
        }
    }
    report["blocks_ms"] = table("Blocks of GPT-2 small, there and back, ms", blocks);

    if let Some(checkpoint) = &options.checkpoint {
        let mut runs = Vec::new();
        for engine in [EngineName::Gpu, EngineName::Gemm] {
            runs.push(notebook(options, checkpoint, engine)?);
        }
        let values_of = |field: &str| {
            runs.iter()
                .map(|run| run[field].as_f64().unwrap_or(f64::NAN))
                .collect::<Vec<_>>()
        };
        let torch = peer.as_ref().and_then(|peer| peer["forward"].as_f64());
        let lines = vec![
            line("whole program, s", &values_of("whole"), None),
            line("run, s", &values_of("seconds"), None),
            line("reading weights, s", &values_of("loading_seconds"), None),
            line("blocks, GFLOP/s", &values_of("gflop_per_second"), None),
            line("blocks alone, s", &[f64::NAN; 2], torch),
        ];
        let title = format!("The notebook's run of {} prompts, head 10.7", 40 * options.batches);
        report["notebook"] = table(&title, lines);
        report["timing"] = Value::Array(runs);
    }
    write(&options.out, &report)?;
    println!("\nadapter: {name}; everything is in {}", options.out.display());
    Ok(())
}

/// The products that are measured.
fn shapes(options: &Options, config: &Config) -> Vec<[usize; 3]> {
    let (d, d_mlp) = (config.d_model, config.d_mlp);
    let thin = THIN.into_iter().flat_map(|rows| [[rows, d, d_mlp], [rows, d_mlp, d]]);
    [[options.rows, d, d_mlp], [options.rows, d_mlp, d], [options.rows, d, d]]
        .into_iter()
        .chain(thin)
        .collect()
}

fn product_name([rows, inner, outer]: [usize; 3]) -> String {
    format!("[{rows},{inner}]x[{inner},{outer}]")
}

fn block_name(rows: usize, count: usize) -> String {
    format!("{rows} rows, {count} at once")
}

/// One line of a table: what, by GPU, CPU, and PyTorch.
fn line(what: &str, times: &[f64], torch: Option<f64>) -> (String, [Option<f64>; 3]) {
    let known = |at: usize| times.get(at).copied().filter(|value: &f64| value.is_finite());
    (what.to_owned(), [known(0), known(1), torch])
}

/// Prints a table, and gives it as JSON.
fn table(title: &str, lines: Vec<(String, [Option<f64>; 3])>) -> Value {
    println!("\n{title:<44} {:>10} {:>10} {:>10}", "gpu", "gemm", "PyTorch");
    let mut all = serde_json::Map::new();
    for (what, values) in lines {
        let cells = values.map(|value| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.2}")));
        println!("{what:<44} {:>10} {:>10} {:>10}", cells[0], cells[1], cells[2]);
        let [gpu, gemm, torch] = values;
        all.insert(what, json!({ "gpu": gpu, "gemm": gemm, "torch": torch }));
    }
    Value::Object(all)
}

/// The notebook's run on the command line: its timing, and how long the whole program took.
fn notebook(options: &Options, checkpoint: &Path, engine: EngineName) -> Result<Value> {
    let out = options.out.with_extension(format!("{engine}.json"));
    let program = std::env::current_exe().map(|own| own.with_file_name("keyside"));
    let program = program.map_err(|cause| failed("the command line", &cause))?;
    let mut command = Command::new(&program);
    command.args(["analyze", "--head", "10.7", "--earlier-head", "9.9"]);
    command.arg("--model").arg(checkpoint).arg("--out").arg(&out);
    command.args(["--engine", engine.as_str(), "--batches", &options.batches.to_string()]);
    make_folder(&out)?;
    let begun = Instant::now();
    let done = command.output().map_err(|cause| failed("the command line", &cause))?;
    let whole = begun.elapsed().as_secs_f64();
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        return Err(failed("the notebook's run", &said));
    }
    let text = std::fs::read(&out).map_err(|cause| failed("the result file", &cause))?;
    let result: Value = serde_json::from_slice(&text).map_err(|cause| failed("the result file", &cause))?;
    let mut timing = result["timing"].clone();
    // What went on where the GPU was lost is no measurement of it.
    if timing["engine"] != engine.as_str() {
        return Err(failed(
            "the notebook's run",
            &format!("{} computed it", timing["engine"]),
        ));
    }
    timing["whole"] = json!(whole);
    Ok(timing)
}

/// What PyTorch takes for the same; None where it is not there.
fn torch(options: &Options) -> Option<Value> {
    let config = Config::default();
    let products: Vec<(String, [usize; 3])> = shapes(options, &config)
        .into_iter()
        .map(|shape| (product_name(shape), shape))
        .collect();
    let blocks: Vec<(String, [usize; 3])> = BLOCKS
        .into_iter()
        .flat_map(|rows| [1, SEVERAL].map(|count| (block_name(rows, count), [rows / LENGTH, LENGTH, count])))
        .collect();
    let asked = json!({
        "products": products,
        "blocks": blocks,
        // Batches one after the other: 27 sequences of 20, as many rows as a batch has without shared prefixes.
        "forward": [options.batches, 27, LENGTH, 10],
        "rounds": options.rounds,
        "seconds": options.seconds,
        "times": options.times,
        "d_model": config.d_model,
        "n_head": config.n_head,
    });
    let done = Command::new(&options.python)
        .arg(&options.peer)
        .arg(asked.to_string())
        .output();
    let found: std::result::Result<Value, String> = match done {
        Ok(done) if done.status.success() => serde_json::from_slice(&done.stdout).map_err(|cause| cause.to_string()),
        Ok(done) => Err(String::from_utf8_lossy(&done.stderr)
            .lines()
            .last()
            .unwrap_or_default()
            .to_owned()),
        Err(cause) => Err(cause.to_string()),
    };
    match found {
        Ok(found) => {
            println!("PyTorch on {}", found["device"]);
            Some(found)
        }
        Err(cause) => {
            println!("PyTorch is not measured: {cause}");
            None
        }
    }
}

fn make_folder(file: &Path) -> Result<()> {
    match file.parent() {
        Some(folder) => std::fs::create_dir_all(folder).map_err(|cause| failed("the folder of the report", &cause)),
        None => Ok(()),
    }
}

fn write(file: &Path, report: &Value) -> Result<()> {
    make_folder(file)?;
    std::fs::write(file, format!("{report:#}\n")).map_err(|cause| failed("the report", &cause))
}

fn failed(what: &str, cause: &dyn std::fmt::Display) -> Error {
    Error::new(ErrorKind::Source, format!("{what} failed: {cause}"))
}
