//! `keyside attention` and `keyside pair`: analysis of one sentence.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::earlier;
use super::files::{cannot_write, check_writable, model_source};
use super::listing::{LINES, largest, largest_sizes, line};
use crate::analysis::Array;
use crate::analysis::pair::{self, Attention, Pair, ScoreDecomposition};
use crate::error::{Error, ErrorKind, Result};
use crate::forward::{Model, NoMonitor};
use crate::model::{Processing, Tokenizer};
use crate::names::{Component, Head, PositionName, Relative, Side};
use crate::prompts::text::Place;

/// Number of most likely next tokens that are listed.
pub(super) const NEXT: usize = 20;

/// The options of the commands about one sentence.
#[derive(Debug, Clone, Args)]
pub struct SentenceArguments {
    /// Folder or http(s) URL of the checkpoint, or `hub:NAME@REVISION`.
    #[arg(long, value_name = "DIR_OR_URL")]
    pub model: String,
    /// The sentence.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub text: String,
    /// Begin the sentence with the BOS token.
    #[arg(long)]
    pub bos: bool,
    /// Position that is looked from, counted from 0; from the end where it is negative; or the word that stands there [default: the last
    /// token].
    #[arg(
        long,
        value_name = "N",
        allow_hyphen_values = true,
        default_value = "-1",
        hide_default_value = true
    )]
    pub dest: Place,
    /// Write everything as JSON to this file; - for standard output.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// The options of those about a head and a pair of positions.
#[derive(Debug, Clone, Args)]
pub struct PairArguments {
    /// The sentence.
    #[command(flatten)]
    pub sentence: SentenceArguments,
    /// The head, layer.head.
    #[arg(long, value_name = "L.H")]
    pub head: Head,
    /// Position that is looked to, counted as --dest.
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub src: Place,
    /// Position whose key is subtracted in one of the tables, counted as --dest.
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub minus: Option<Place>,
    /// A second sentence of as many tokens, from which activations of the head are taken (effects only).
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub second: Option<String>,
    /// A head of an earlier layer, whose part is opened into source tokens, and its layer's MLP into neurons (pair), or which is taken out
    /// (effects).
    #[arg(long, value_name = "L.H")]
    pub earlier: Option<Head>,
    /// The next token of most interest, an id or a text that is one token (effects and causal) [default: the most
    /// likely].
    #[arg(long, value_name = "TOKEN", allow_hyphen_values = true)]
    pub a: Option<String>,
    /// The next token that it is compared with (effects and causal) [default: the most likely other].
    #[arg(long, value_name = "TOKEN", allow_hyphen_values = true)]
    pub b: Option<String>,
    /// Put vectors that stand in place of the query's or the key's stream through LayerNorm, not over their standard deviation (effects
    /// only).
    #[arg(long)]
    pub exact_ln: bool,
}

/// The JSON output.
#[derive(Serialize)]
pub(super) struct Written {
    /// The sentence's tokens.
    tokens: Vec<u32>,
    /// Components before the head's layer.
    components: Vec<String>,
    /// Components of all layers.
    all_components: Vec<String>,
    arrays: BTreeMap<String, Array>,
}

/// A sentence that has gone through the model.
pub(super) struct Sentence {
    pub(super) model: Model,
    pub(super) tokens: Vec<u32>,
    pub(super) dest: usize,
}

impl Sentence {
    pub(super) async fn read(arguments: &SentenceArguments) -> Result<Self> {
        if let Some(file) = arguments.json.as_deref().filter(|file| !is_stdout(file)) {
            check_writable(file)?;
        }
        let model = Model::open(model_source(&arguments.model)?, Processing::default()).await?;
        let mut tokens = model.tokenizer().encode(&arguments.text)?;
        if arguments.bos {
            tokens.insert(0, model.tokenizer().bos_token()?);
        }
        if tokens.is_empty() {
            return Err(Error::new(ErrorKind::Prompt, "the sentence is empty").expected("a text with a token at least"));
        }
        let dest = place(PositionName::Dest.as_str(), &arguments.dest, arguments, &model)?;
        Ok(Self { model, tokens, dest })
    }

    /// The position `given` for the option `name`, if there is one.
    pub(super) fn position(
        &self,
        name: &str,
        given: Option<&Place>,
        arguments: &SentenceArguments,
    ) -> Result<Option<usize>> {
        given
            .map(|given| place(name, given, arguments, &self.model))
            .transpose()
    }

    pub(super) fn pair(&self, arguments: &PairArguments) -> Result<Pair> {
        Ok(Pair {
            tokens: self.tokens.clone(),
            dest: self.dest,
            src: place(
                PositionName::Src.as_str(),
                &arguments.src,
                &arguments.sentence,
                &self.model,
            )?,
            head: arguments.head,
        })
    }

    /// The arrays with the sentence and the names of its components.
    pub(super) fn written(&self, head: Head, arrays: impl IntoIterator<Item = (impl Into<String>, Array)>) -> Written {
        let n_head = self.model.config().n_head;
        let names = |layers| {
            Component::before(layers, n_head)
                .map(|component| component.label())
                .collect()
        };
        Written {
            tokens: self.tokens.clone(),
            components: names(head.layer),
            all_components: names(self.model.config().n_layer),
            arrays: arrays.into_iter().map(|(name, array)| (name.into(), array)).collect(),
        }
    }

    pub(super) fn token(&self, position: usize) -> String {
        self.text(self.tokens[position])
    }

    /// The text of `token`.
    pub(super) fn text(&self, token: u32) -> String {
        shown(self.model.tokenizer(), token)
    }
}

/// The position that `given` means in the sentence of `arguments`; `name` is the option.
fn place(name: &str, given: &Place, arguments: &SentenceArguments, model: &Model) -> Result<usize> {
    let found = given.find(name, &arguments.text, model.tokenizer(), arguments.bos);
    // The error names the option.
    found.map_err(|error| Error {
        cause: format!("--{}", error.cause),
        ..error
    })
}

/// `keyside attention`: the attention of every head from one position.
///
/// # Errors
/// Those of [`pair::attention`], and of writing.
pub async fn run_attention(arguments: &PairArguments, out: &mut dyn Write) -> Result<()> {
    let mut sentence = Sentence::read(&arguments.sentence).await?;
    let pair = sentence.pair(arguments)?;
    let read = pair::Sentence::read(&mut sentence.model, &pair.tokens, None, &NoMonitor).await?;
    let found = pair::attention(&sentence.model, &read, &pair)?;
    let log_probs = read.log_probs(&sentence.model, pair.dest, &NoMonitor).await?;
    let (layers, heads) = (sentence.model.config().n_layer, sentence.model.config().n_head);
    let count = pair.tokens.len();
    let to_src: Vec<f32> = found
        .pattern
        .data()
        .iter()
        .skip(pair.src)
        .step_by(count)
        .copied()
        .collect();
    let description = describe_attention(&sentence, &pair, &found, &to_src);
    let top = pair::likeliest(&log_probs, NEXT)
        .into_iter()
        .map(|(_, logprob)| logprob)
        .collect();
    let arrays = [
        ("scores_all_heads_at_dest", found.scores),
        ("pattern", found.of_head),
        ("pattern_to_src_all_heads", Array::new(vec![layers, heads], to_src)?),
        ("entropy_at_dest_all_heads", found.entropy),
        ("top_logprobs_at_dest", Array::vector(top)),
    ];
    let written = sentence.written(pair.head, arrays);
    write(arguments.sentence.json.as_deref(), &written, &description, out)
}

/// The head's attention from the destination, and the heads with the most attention to the source.
fn describe_attention(sentence: &Sentence, pair: &Pair, found: &Attention, to_src: &[f32]) -> String {
    let n_head = sentence.model.config().n_head;
    let mut description = format!(
        "Head {} at {:?} (position {}) looks to:\n",
        pair.head,
        sentence.token(pair.dest),
        pair.dest
    );
    let row = found.of_head.row(pair.dest).unwrap_or_default();
    for position in largest(row).take(LINES) {
        let mark = if position == pair.src {
            format!("  <- {}", PositionName::Src)
        } else {
            String::new()
        };
        line(
            &mut description,
            format_args!(
                "{:>6.1} %  {position:>4}  {:?}{mark}",
                100.0 * row[position],
                sentence.token(position)
            ),
        );
    }
    line(
        &mut description,
        format_args!(
            "Heads that look most to {:?} (position {}):",
            sentence.token(pair.src),
            pair.src
        ),
    );
    for index in largest(to_src).take(LINES) {
        let head = Head::new(index / n_head, index % n_head);
        line(
            &mut description,
            format_args!("{:>6.1} %  {head}", 100.0 * to_src[index]),
        );
    }
    description
}

/// `keyside pair`: decomposes the score of a head between two positions on both sides.
///
/// # Errors
/// Those of [`pair::decomposition`], and of writing.
pub async fn run_pair(arguments: &PairArguments, out: &mut dyn Write) -> Result<()> {
    let mut sentence = Sentence::read(&arguments.sentence).await?;
    let pair = sentence.pair(arguments)?;
    let minus = sentence.position("minus", arguments.minus.as_ref(), &arguments.sentence)?;
    let decomposition = pair::decomposition(&mut sentence.model, &pair, &NoMonitor).await?;
    let table = decomposition.table();
    let mut description = describe_decomposition(&sentence, &pair, &decomposition, &table);
    let mut arrays: BTreeMap<&'static str, Array> = [
        ("table_key_side", Array::vector(pair::key_side(&table))),
        ("table_query_side", Array::vector(pair::query_side(&table))),
        ("table_minus_mean", decomposition.relative(Relative::Mean)?),
        ("table_minus_attention", decomposition.relative(Relative::Attention)?),
        ("table", table),
    ]
    .into();
    if let Some(minus) = minus {
        arrays.insert(
            "table_minus_position",
            decomposition.relative(Relative::Position(minus))?,
        );
    }
    if let Some(earlier) = arguments.earlier {
        let found = earlier::open(&mut sentence.model, &pair, earlier).await?;
        description.push_str(&found.description(&pair, |position| sentence.token(position)));
        arrays.extend(found.arrays());
    }
    let written = sentence.written(pair.head, arrays);
    write(arguments.sentence.json.as_deref(), &written, &description, out)
}

/// The score, the components that contribute most on both sides, and the largest pairs of them.
fn describe_decomposition(
    sentence: &Sentence,
    pair: &Pair,
    decomposition: &ScoreDecomposition,
    table: &Array,
) -> String {
    let sum: f64 = table.data().iter().map(|&v| f64::from(v)).sum();
    let (dest, src) = (sentence.token(pair.dest), sentence.token(pair.src));
    let mut description = format!(
        "Head {}: the score from {dest:?} (position {}) to {src:?} (position {}) is {:.4}; {} cells add up to {sum:.4}.\n",
        pair.head,
        pair.dest,
        pair.src,
        decomposition.score,
        table.data().len(),
    );
    let name = |index: usize, bias: &str| match decomposition.components.get(index) {
        Some(Component::QueryBias) | None => bias.to_owned(),
        Some(component) => component.name(),
    };
    for (sums, bias, side, token) in [
        (pair::key_side(table), "the bias of the key", Side::Key, &src),
        (pair::query_side(table), "the bias of the query", Side::Query, &dest),
    ] {
        line(
            &mut description,
            format_args!("What was written at {token:?} adds to the {side} side:"),
        );
        for index in largest_sizes(&sums).take(LINES) {
            line(
                &mut description,
                format_args!("{:>+9.4}  {}", sums[index], name(index, bias)),
            );
        }
    }
    line(&mut description, format_args!("Largest pairs:"));
    let width = decomposition.components.len();
    for index in largest_sizes(table.data()).take(LINES) {
        let (row, column) = (index / width, index % width);
        let (query, key) = (name(row, "the bias of the query"), name(column, "the bias of the key"));
        line(
            &mut description,
            format_args!(
                "{:>+9.4}  {query} at {dest:?} meets {key} at {src:?}",
                table.data()[index]
            ),
        );
    }
    description
}

/// Writes `all` as JSON if requested, otherwise `description` to `out`.
pub(super) fn write(json: Option<&Path>, all: &impl Serialize, description: &str, out: &mut dyn Write) -> Result<()> {
    let Some(file) = json else {
        // A closed pipe is no failure.
        let _ = write!(out, "{description}");
        return Ok(());
    };
    let text = serde_json::to_string(all)
        .map_err(|cause| Error::new(ErrorKind::Internal, format!("the arrays can't be written ({cause})")))?;
    if is_stdout(file) {
        let _ = writeln!(out, "{text}");
        return Ok(());
    }
    std::fs::write(file, text).map_err(|cause| cannot_write(file, &cause))
}

fn is_stdout(file: &Path) -> bool {
    file.as_os_str() == "-"
}

pub(super) fn shown(tokenizer: &Tokenizer, token: u32) -> String {
    tokenizer.token_text(token).unwrap_or_default()
}
