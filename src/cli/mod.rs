//! The command line: `keyside analyze`, `keyside plot`, `keyside sweep`, and one sentence: `keyside attention`, `keyside pair`, `keyside effects`,
//! `keyside causal`, `keyside directions`, `keyside next`, `keyside record`; and `keyside validate`.

mod arguments;
mod causal;
mod directions;
mod earlier;
mod effects;
mod files;
mod interventions;
mod listing;
mod next;
mod plot;
mod progress;
mod record;
mod record_effects;
mod sentence;
mod settings;
mod summary;
mod sweep;
mod validate;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use futures::executor::block_on;

pub use arguments::{AnalyzeArguments, Arguments, Command, PlotArguments, ThemeName, ValidateArguments};
pub use causal::run_causal;
pub use directions::run_directions;
pub use effects::run_effects;
pub use next::{NextArguments, run_next};
pub use plot::run_plot;
pub use record::{RecordArguments, run_record};
pub use sentence::{PairArguments, SentenceArguments, run_attention, run_pair};
pub use settings::SettingArguments;
pub use summary::summary;
pub use sweep::{SweepArguments, run_sweep};
pub use validate::{SCHEMA, faults, run_validate};

use self::files::{cannot_write, check_writable, model_source, read_at_most, read_most_of};
use crate::analysis::settings::{EARLIER_HEAD, HEAD, Setting, put_heads_of_card};
use crate::analysis::{Analysis, analyze};
use crate::checkpoint::Source;
use crate::error::{Error, ErrorKind, Result};
use crate::figure::{Figure, View};
use crate::forward::{Model, native_engine};
use crate::model::Checkpoint;
use crate::plot::{Theme, plot_svg};
use crate::prompts::PromptSource;
use crate::prompts::text::{Format, MAX_BYTES, TextPrompts};
use crate::result::ResultFile;

/// Runs the command line with the program's arguments.
///
/// Exit status 0; 1 after one line on stderr that says what went wrong; or clap's 2 for usage errors.
pub fn main() -> ExitCode {
    let out = &mut std::io::stdout();
    let done = match Arguments::parse().command {
        Command::Analyze(arguments) => block_on(run_analyze(&arguments, out)),
        Command::Plot(arguments) => run_plot(&arguments, out),
        Command::Sweep(arguments) => block_on(run_sweep(&arguments, out)),
        Command::Attention(arguments) => block_on(run_attention(&arguments, out)),
        Command::Pair(arguments) => block_on(run_pair(&arguments, out)),
        Command::Effects(arguments) => block_on(run_effects(&arguments, out)),
        Command::Causal(arguments) => block_on(run_causal(&arguments, out)),
        Command::Directions(arguments) => block_on(run_directions(&arguments, out)),
        Command::Next(arguments) => block_on(run_next(&arguments, out)),
        Command::Record(arguments) => block_on(run_record(&arguments, out)),
        Command::Validate(arguments) => run_validate(&arguments, out),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // A closed stderr cannot be reported anywhere.
            let _ = writeln!(std::io::stderr(), "keyside: {error}");
            ExitCode::FAILURE
        }
    }
}

/// `keyside analyze`: runs an analysis, writes the requested files, and prints a summary to `out`.
///
/// # Errors
/// Those of [`Model::open`] and [`analyze`], and of writing files.
pub async fn run_analyze(arguments: &AnalyzeArguments, out: &mut dyn Write) -> Result<()> {
    // Checked before the run, so that minutes of computing are not lost to a typo.
    if let Some(file) = &arguments.out {
        check_writable(file)?;
    }
    if let Some(folder) = &arguments.svg {
        std::fs::create_dir_all(folder).map_err(|cause| cannot_write(folder, &cause))?;
    }
    let source = model_source(&arguments.model)?;
    let analysis = analysis(arguments, source.as_ref()).await?;
    let mut model = Model::open(source, analysis.processing).await?;
    model.set_engine(native_engine(analysis.engine).await?);
    let result = {
        let bar = progress::Bar::new();
        let found = analyze(&mut model, &analysis, &bar).await?;
        if let Some(error) = model.take_engine_failure() {
            // Nothing can be done where stderr is closed.
            let _ = writeln!(
                std::io::stderr(),
                "keyside: the engine {} has gone on: {}",
                model.engine(),
                error.cause
            );
        }
        ResultFile::new(&model, &analysis, found)
    };
    let written = write_files(arguments, &result)?;
    // A closed pipe, as with `head`, is no failure of the run.
    let _ = write!(out, "{}{written}", summary(&result));
    Ok(())
}

/// The requested analysis; heads that are not given come from the model's card.
async fn analysis(arguments: &AnalyzeArguments, source: &dyn Source) -> Result<Analysis> {
    let settings = &arguments.settings;
    let card = if settings.has(&HEAD) && settings.has(&EARLIER_HEAD) {
        None
    } else {
        Checkpoint::describe(source).await?.1
    };
    let mut analysis = Analysis {
        prompts: match &arguments.prompts {
            Some(file) => PromptSource::Text(own_prompts(file)?),
            None => PromptSource::default(),
        },
        ..Analysis::default()
    };
    let called = |setting: &Setting| format!("--{}", setting.option);
    put_heads_of_card(&mut analysis, card.as_ref(), |setting| settings.has(setting), called)?;
    settings.put(&mut analysis)?;
    Ok(analysis)
}

/// The prompts in `file`, or in standard input where it is `-`.
fn own_prompts(file: &Path) -> Result<TextPrompts> {
    let from_stdin = file.as_os_str() == "-";
    let read = match from_stdin {
        // One byte more than allowed shows that the input is too large.
        true => read_most_of(std::io::stdin(), MAX_BYTES as u64 + 1),
        false => read_at_most(file, MAX_BYTES as u64 + 1),
    };
    let bytes = read.map_err(|cause| {
        Error::new(
            ErrorKind::Prompt,
            format!("the prompts {} can't be read ({cause})", file.display()),
        )
        .expected("a file of prompts, a line each or CSV, or - for standard input")
    })?;
    let is_csv = file
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
    Ok(TextPrompts {
        text: TextPrompts::text_of(&bytes)?.to_owned(),
        format: if is_csv { Format::Csv } else { Format::Lines },
        ..TextPrompts::default()
    })
}

/// Writes the result file and the plots; returns lines of text about them.
fn write_files(arguments: &AnalyzeArguments, result: &ResultFile) -> Result<String> {
    let mut written = String::new();
    if let Some(file) = &arguments.out {
        std::fs::write(file, result.to_json()?).map_err(|cause| cannot_write(file, &cause))?;
        written.push_str(&format!("result file: {}\n", file.display()));
    }
    if let Some(folder) = &arguments.svg {
        let figures = Figure::all(result, &View::default());
        for figure in &figures {
            let plot = figure.plot(result)?;
            let file = folder.join(format!("{}.svg", figure.stem()));
            let svg = plot_svg(&plot, plot.picture_size(), &Theme::light())?;
            std::fs::write(&file, svg).map_err(|cause| cannot_write(&file, &cause))?;
        }
        written.push_str(&format!("{} plots: {}\n", figures.len(), folder.display()));
    }
    Ok(written)
}
