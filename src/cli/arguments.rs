//! What the command line accepts.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::next::NextArguments;
use super::record::RecordArguments;
use super::sentence::PairArguments;
use super::settings::SettingArguments;
use super::sweep::SweepArguments;
use crate::figure::{Shown, View};
use crate::names::SeriesId;
use crate::plot::{SeriesOrder, Theme};

const EXAMPLE: &str = "\
Example:
  keyside analyze --model ./gpt2 --head 10.7 --earlier-head 9.9 --out result.json --svg plots

  The model is a folder with config.json, model.safetensors (or model.safetensors.index.json and the files
  that it names) and tokenizer.json (or vocab.json and merges.txt) of a GPT-2 model, the URL of one,
  owner/model on the hub, or hub:NAME for a published one (hub:gpt2, hub:distilgpt2, hub:gpt2-medium, hub:gpt2-large,
  hub:gpt2-xl; hub:NAME@REVISION for another revision). Of a URL, only the weights that are needed are
  downloaded. The result file opens in the page (\"Open result\").";

const PLOT_EXAMPLE: &str = "\
Examples:
  keyside plot result.json --out plots
  keyside plot result.json --out plots --figure keys_fixed_scores --figure heatmap_key --svg --theme dark
  keyside plot result.json --figure heatmap_key --html heatmap.html

  A figure is a histogram (keys_fixed_scores, keys_fixed_probs, queries_fixed_scores, queries_fixed_probs) or
  a heatmap (heatmap_key, ...). CSV gives a file per table: values, bins, statistics and outliers of a
  histogram, cells and components of a heatmap. The Python script redraws the figure from the result file
  with json and matplotlib.";

/// Which parts of GPT-2 make an attention head look where it looks?
///
/// keyside runs a GPT-2 model on prompts of indirect object identification ("When Mary and John went to the store, John
/// gave a drink to"), and decomposes the score with which a head looks from the last token (END) to the indirect object
/// (IO).
#[derive(Debug, Parser)]
#[command(name = "keyside", version, after_help = EXAMPLE)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Analyze an attention head: scores with substituted vectors, and contributions of components.
    Analyze(AnalyzeArguments),
    /// Make the figures of a result file, as the page exports them: SVG, CSV, Markdown, Python.
    Plot(PlotArguments),
    /// Many heads, models, revisions, seeds and sets of prompts: a row for each, in one file; goes on where it was stopped.
    Sweep(SweepArguments),
    /// One sentence: where every head looks from a position, and what comes next there.
    Attention(PairArguments),
    /// One sentence: what makes the score of a head between two positions, from both sides.
    Pair(PairArguments),
    /// One sentence: what all components add to the logits of two next tokens, and what the head writes.
    Effects(PairArguments),
    /// One sentence: what becomes of it when each component of the query side and of the key side is taken out in turn.
    Causal(PairArguments),
    /// One sentence: which of the head's directions make its score between two positions.
    Directions(PairArguments),
    /// One sentence: the most likely tokens after a position, or what the model goes on with.
    Next(NextArguments),
    /// Write what a model makes of sentences to a small file, which is asked about without the model.
    Record(RecordArguments),
    /// Check result files: against the JSON schema, and whether their parts fit each other.
    Validate(ValidateArguments),
}

/// The options of `keyside analyze`.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLE)]
pub struct AnalyzeArguments {
    /// Folder or http(s) URL of the checkpoint, `owner/model`, or `hub:NAME@REVISION`.
    #[arg(long, value_name = "DIR_OR_URL")]
    pub model: String,
    /// Own prompts in place of drawn ones: a file with a text per line, or CSV (--csv, or a name that ends so); - for standard input.
    /// `When [[Mary]] and John went, John gave it [[to]]` marks source and destination.
    #[arg(long, value_name = "FILE")]
    pub prompts: Option<PathBuf>,
    /// The settings of the run.
    #[command(flatten)]
    pub settings: SettingArguments,
    /// Where to write the result file (JSON).
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Folder to write every plot to, as SVG.
    #[arg(long, value_name = "DIR")]
    pub svg: Option<PathBuf>,
}

/// The options of `keyside validate`.
#[derive(Debug, Clone, Args)]
pub struct ValidateArguments {
    /// A result file; may be given several times.
    #[arg(value_name = "FILE", required_unless_present = "schema")]
    pub files: Vec<PathBuf>,
    /// Print the JSON schema itself instead.
    #[arg(long, conflicts_with = "files")]
    pub schema: bool,
}

/// The options of `keyside plot`.
#[derive(Debug, Clone, Args)]
#[command(after_help = PLOT_EXAMPLE)]
pub struct PlotArguments {
    /// The result file, from --out or the page's "Download result".
    #[arg(value_name = "RESULT")]
    pub result: PathBuf,
    /// Folder to write to.
    #[arg(long, value_name = "DIR", required_unless_present = "html")]
    pub out: Option<PathBuf>,
    /// Write the figures as one web page to this file: it opens without a server and without a network, values on hover, tap and keys.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// A figure, may be given several times [default: all].
    #[arg(long = "figure", value_name = "NAME")]
    pub figures: Vec<String>,
    /// Write pictures as SVG [default: all formats].
    #[arg(long)]
    pub svg: bool,
    /// Write the data as CSV.
    #[arg(long)]
    pub csv: bool,
    /// Write statistics and bins, or cells, as Markdown tables.
    #[arg(long)]
    pub markdown: bool,
    /// Write a Python script that redraws the figure.
    #[arg(long)]
    pub python: bool,
    /// Colors.
    #[arg(long, value_enum, default_value_t = ThemeName::Light)]
    pub theme: ThemeName,
    /// Most bins of a histogram [default: 120 for scores, 100 for probabilities].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub bins: Option<u16>,
    /// Make a histogram's axis of counts logarithmic.
    #[arg(long)]
    pub log: bool,
    /// Range of values that a histogram shows [default: all].
    #[arg(long, value_name = "FROM:TO", value_parser = range, allow_hyphen_values = true)]
    pub zoom: Option<(f64, f64)>,
    /// Order of a histogram's series: mean, median or label.
    #[arg(long, value_parser = order, default_value = "mean")]
    pub order: SeriesOrder,
    /// Show a series that is hidden at first, by label; may be given several times.
    #[arg(long, value_name = "LABEL")]
    pub show: Vec<SeriesId>,
    /// Hide a series, by label; may be given several times.
    #[arg(long, value_name = "LABEL")]
    pub hide: Vec<SeriesId>,
    /// Mark the values of one prompt in histograms, and draw its cells where the result has them; counted from 1.
    #[arg(long, value_name = "N", value_parser = prompt)]
    pub prompt: Option<usize>,
    /// Leave the column b_O out of heatmaps, as in the notebook.
    #[arg(long)]
    pub as_in_notebook: bool,
    /// Width of pictures in pixels [default: 1000, more for large heatmaps].
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u32).range(100..=10_000))]
    pub width: Option<u32>,
    /// Height of pictures in pixels [default: 600, more for large heatmaps].
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u32).range(100..=10_000))]
    pub height: Option<u32>,
}

impl PlotArguments {
    /// How figures are shown.
    pub fn view(&self) -> View {
        Shown {
            bins: self.bins.map(usize::from),
            log: self.log,
            zoom: self.zoom,
            order: self.order,
            show: self.show.clone(),
            hide: self.hide.clone(),
            prompt: self.prompt,
            as_in_notebook: self.as_in_notebook,
        }
        .view()
    }
}

/// Colors of pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ThemeName {
    /// For a white page.
    Light,
    /// For a dark page.
    Dark,
}

impl ThemeName {
    /// The colors themselves.
    pub fn theme(self) -> Theme {
        match self {
            Self::Light => Theme::light(),
            Self::Dark => Theme::dark(),
        }
    }
}

fn range(text: &str) -> Result<(f64, f64), String> {
    let read = |text: &str| text.trim().parse::<f64>().ok().filter(|value| value.is_finite());
    let ends = text
        .split_once(':')
        .and_then(|(from, to)| Some((read(from)?, read(to)?)));
    ends.filter(|(from, to)| from < to)
        .ok_or_else(|| "expected two numbers, the smaller one first, such as -2:4.5".to_owned())
}

fn prompt(text: &str) -> Result<usize, String> {
    let number = text.parse::<usize>().ok().filter(|number| *number > 0);
    number.ok_or_else(|| "expected a number from 1".to_owned())
}

fn order(text: &str) -> Result<SeriesOrder, String> {
    let found = SeriesOrder::ALL.into_iter().find(|order| order.value() == text);
    found.ok_or_else(|| format!("expected {}", SeriesOrder::ALL.map(SeriesOrder::value).join(", ")))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::analysis::Analysis;
    use crate::analysis::settings::{Field, Group, HEAD, INTERVENTION, SETTINGS};
    use crate::names::HistogramId;
    use crate::plot::HistogramView;
    use crate::prompts::PromptSource;
    use crate::prompts::text::TextPrompts;

    fn parse(options: &str) -> AnalyzeArguments {
        let words = ["keyside", "analyze"].into_iter().chain(options.split_whitespace());
        let Command::Analyze(arguments) = Arguments::try_parse_from(words).expect("parses").command else {
            panic!("not analyze")
        };
        arguments
    }

    fn parse_plot(options: &str) -> Result<PlotArguments, clap::Error> {
        let words = ["keyside", "plot"].into_iter().chain(options.split_whitespace());
        let Command::Plot(arguments) = Arguments::try_parse_from(words)?.command else {
            panic!("not plot")
        };
        Ok(arguments)
    }

    #[test]
    fn plot_options_say_how_histograms_are_shown() {
        let plain = parse_plot("r.json --out d").expect("parses");
        assert_eq!(plain.view(), View::default());
        assert_eq!(plain.theme.theme(), Theme::light());
        let options =
            "r.json --out d --bins 30 --log --zoom -2:4.5 --order label --show W_U[S] --hide W_U[IO] --hide W_U[S]";
        let view = parse_plot(options).expect("parses").view();
        let expected = HistogramView {
            toggled: [SeriesId::WuIo, SeriesId::WuS].into(),
            max_bins: Some(30),
            log_counts: true,
            zoom: Some((-2.0, 4.5)),
            order: SeriesOrder::Label,
            split: None,
        };
        assert!(
            HistogramId::ALL
                .into_iter()
                .all(|name| view.histogram(name) == expected)
        );
        for bad in [
            "--bins 0",
            "--zoom 4:1",
            "--zoom 1",
            "--zoom nan:1",
            "--order size",
            "--width 5",
            "--prompt 0",
            "--theme blue",
        ] {
            assert!(parse_plot(&format!("r.json --out d {bad}")).is_err(), "{bad}");
        }
    }

    /// The run that `options` ask for, apart from the source of its prompts.
    fn run(options: &str) -> Analysis {
        let arguments = parse(options);
        let mut run = Analysis::default();
        if arguments.prompts.is_some() {
            run.prompts = PromptSource::Text(TextPrompts::default());
        }
        arguments.settings.put(&mut run).expect("they are set");
        run
    }

    #[test]
    fn options_have_their_defaults() {
        Arguments::command().debug_assert();
        assert_eq!(run("--model gpt2"), Analysis::default());
        assert!(!parse("--model gpt2").settings.has(&HEAD));
        assert!(parse("--model gpt2 --head 1.1").settings.has(&HEAD));
    }

    #[test]
    fn every_option_sets_its_setting() {
        for setting in SETTINGS {
            let (option, text) = match setting.field {
                Field::Switch { .. } if setting.usual == "1" => (format!("--{}", setting.option), "0"),
                Field::Switch { .. } => (format!("--{}", setting.option), "1"),
                Field::Head { .. } => (format!("--{} 3.1", setting.option), "3.1"),
                Field::Whole { .. } | Field::Position { .. } => (format!("--{} 7", setting.option), "7"),
                Field::Engine { .. } => (format!("--{} packed", setting.option), "packed"),
                // Words apart are one argument where they are quoted.
                Field::Intervention { .. } => continue,
            };
            let prompts = if setting.group == Group::Text {
                "--prompts p"
            } else {
                ""
            };
            let run = run(&format!("--model m {prompts} {option}"));
            assert_eq!(setting.text(&run).as_deref(), Some(text), "{option}");
        }
    }

    #[test]
    fn an_intervention_is_an_option_of_several_words() {
        let arguments = |what: &str| {
            let words = ["keyside", "analyze", "--model", "m", "--intervention", what];
            Arguments::try_parse_from(words)
        };
        let Command::Analyze(found) = arguments("query from W_U[IO]").expect("parses").command else {
            panic!("not analyze")
        };
        let mut run = Analysis::default();
        found.settings.put(&mut run).expect("is set");
        assert_eq!(INTERVENTION.text(&run).as_deref(), Some("query from W_U[IO]"));
        let error = arguments("query from W_Q").expect_err("no vector").to_string();
        assert!(error.contains("query without 9.9"), "{error}");
    }

    #[test]
    fn settings_of_other_prompts_are_refused() {
        let words = |options: &'static str| {
            ["keyside", "analyze", "--model", "m"]
                .into_iter()
                .chain(options.split(' '))
        };
        for options in [
            "--prompts p --batches 3",
            "--src 3",
            "--csv",
            "--batches x",
            "--head 10",
        ] {
            assert!(Arguments::try_parse_from(words(options)).is_err(), "{options}");
        }
    }
}
