//! What the command line accepts.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::gpt2::{Head, Processing};

const EXAMPLE: &str = "\
Example:
  keyside analyze --model ./gpt2 --head 10.7 --earlier-head 9.9 --out result.json --svg plots

  The model is a folder with config.json, model.safetensors and tokenizer.json of a GPT-2 model, the URL
  of one, or hub:NAME for a published one (hub:gpt2, hub:distilgpt2, hub:gpt2-medium, hub:gpt2-large,
  hub:gpt2-xl; hub:NAME@REVISION for another revision). Of a URL, only the weights that are needed are
  downloaded. The result file opens in the page (\"Open result\").";

/// Which parts of GPT-2 make an attention head look where it looks?
///
/// keyside runs a GPT-2 model on prompts of indirect object identification ("When Mary and John went to the
/// store, John gave a drink to"), and takes apart the score with which a head looks from the last token (END)
/// to the indirect object (IO).
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
    /// Analyse an attention head: scores with substituted vectors, and contributions of components.
    Analyze(AnalyzeArguments),
}

/// The options of `keyside analyze`.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLE)]
pub struct AnalyzeArguments {
    /// Folder or http(s) URL of the checkpoint, or `hub:NAME@REVISION`.
    #[arg(long, value_name = "DIR_OR_URL")]
    pub model: String,
    /// The head to analyse, layer.head [default: the one that the model's config.json names, if any].
    #[arg(long, value_name = "L.H")]
    pub head: Option<Head>,
    /// An earlier head, whose output is one of the substituted vectors [default: as for --head].
    #[arg(long, value_name = "L.H")]
    pub earlier_head: Option<Head>,
    /// Number of batches; batch i has the seed SEED + i.
    #[arg(long, value_name = "N", default_value_t = 30)]
    pub batches: usize,
    /// Prompts per batch.
    #[arg(long, value_name = "N", default_value_t = 40)]
    pub batch_size: usize,
    /// Seed of the first batch.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Begin every prompt with the BOS token.
    #[arg(long)]
    pub bos: bool,
    /// Leave LayerNorm weights and biases where they are.
    #[arg(long)]
    pub no_fold_ln: bool,
    /// Leave maps that write to the residual stream as they are.
    #[arg(long)]
    pub no_center_writing_weights: bool,
    /// Leave W_U as it is.
    #[arg(long)]
    pub no_center_unembed: bool,
    /// Leave b_V where it is.
    #[arg(long)]
    pub no_fold_value_biases: bool,
    /// Where to write the result file (JSON).
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Folder to write every plot to, as SVG.
    #[arg(long, value_name = "DIR")]
    pub svg: Option<PathBuf>,
}

impl AnalyzeArguments {
    /// The weight processing that was asked for: all of it but what was switched off.
    pub fn processing(&self) -> Processing {
        Processing {
            fold_ln: !self.no_fold_ln,
            center_writing_weights: !self.no_center_writing_weights,
            center_unembed: !self.no_center_unembed,
            fold_value_biases: !self.no_fold_value_biases,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parse(options: &str) -> AnalyzeArguments {
        let words = ["keyside", "analyze"].into_iter().chain(options.split_whitespace());
        let Command::Analyze(arguments) = Arguments::try_parse_from(words).expect("parses").command;
        arguments
    }

    #[test]
    fn options_have_their_defaults() {
        Arguments::command().debug_assert();
        let arguments = parse("--model gpt2");
        assert_eq!((arguments.batches, arguments.batch_size, arguments.seed), (30, 40, 0));
        assert_eq!(
            (arguments.head, arguments.earlier_head, arguments.bos),
            (None, None, false)
        );
        assert_eq!(arguments.processing(), Processing::default());
    }

    #[test]
    fn every_processing_switch_switches_its_own_field() {
        let on = Processing::default();
        for (option, expected) in [
            ("--no-fold-ln", Processing { fold_ln: false, ..on }),
            (
                "--no-center-writing-weights",
                Processing {
                    center_writing_weights: false,
                    ..on
                },
            ),
            (
                "--no-center-unembed",
                Processing {
                    center_unembed: false,
                    ..on
                },
            ),
            (
                "--no-fold-value-biases",
                Processing {
                    fold_value_biases: false,
                    ..on
                },
            ),
        ] {
            assert_eq!(parse(&format!("--model m {option}")).processing(), expected);
        }
    }
}
