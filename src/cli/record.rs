//! `keyside record`: what a model makes of sentences, as a small file that is asked about without the model.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

use super::files::{cannot_write, check_writable};
use super::record_effects::{EffectsAsked, record_effects};
use super::sentence::{NEXT, position};
use crate::analysis::pair::{self, NextToken, Pair, PairSection, Question, Sentence};
use crate::checkpoint::source_for;
use crate::error::{Error, ErrorKind, Result};
use crate::forward::{Model, Unwatched};
use crate::model::Processing;
use crate::names::Head;
use crate::result::{ModelInfo, RECORDING_FORMAT, RecordedSentence, Recording, Rows};

/// The options of `keyside record`.
#[derive(Debug, Clone, Args)]
pub struct RecordArguments {
    /// Folder or http(s) URL of the checkpoint, or `hub:NAME@REVISION`.
    #[arg(long, value_name = "DIR_OR_URL")]
    pub model: String,
    /// A sentence, may be given several times.
    #[arg(
        long = "text",
        value_name = "TEXT",
        required_unless_present = "effects",
        allow_hyphen_values = true
    )]
    pub texts: Vec<String>,
    /// What the heads do for two tokens in place of sentences: a JSON list of prompts, {"text", "answer", "other"} each, two and two with
    /// exchanged tokens; BOS is put before them. Writes a result file with the section head_effects.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["texts", "bos", "pairs", "every_next", "begin"]
    )]
    pub effects: Option<PathBuf>,
    /// With --effects: the head that is taken out at the last token.
    #[arg(long, value_name = "L.H", requires = "effects", conflicts_with = "texts")]
    pub without: Option<Head>,
    /// Begin the sentences with the BOS token.
    #[arg(long)]
    pub bos: bool,
    /// A score that is taken apart, in every sentence: head, position that it looks from, position that it looks to, counted from 0,
    /// from the end where they are negative, such as 10.7:-1:1; may be given several times.
    #[arg(long = "pair", value_name = "HEAD:FROM:TO")]
    pub pairs: Vec<PairAsked>,
    /// Record what comes next after every position [default: after the last one].
    #[arg(long)]
    pub every_next: bool,
    /// The head to begin with [default: the one that looks most at a single token].
    #[arg(long, value_name = "L.H")]
    pub begin: Option<Head>,
    /// Where the numbers come from, for readers of the file [default: this program and the model's address].
    #[arg(long, value_name = "TEXT")]
    pub source: Option<String>,
    /// File to write to.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// A head and two positions, counted from the end where they are negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PairAsked {
    /// The head.
    pub head: Head,
    /// The position that it looks from.
    pub dest: i64,
    /// The position that it looks to.
    pub src: i64,
}

impl FromStr for PairAsked {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let mut parts = text.split(':');
        let read = |part: Option<&str>| part?.trim().parse::<i64>().ok();
        let head = parts.next().and_then(|head| head.parse().ok());
        let (dest, src) = (read(parts.next()), read(parts.next()));
        match (head, dest, src, parts.next()) {
            (Some(head), Some(dest), Some(src), None) => Ok(Self { head, dest, src }),
            _ => Err("expected a head and two positions, such as 10.7:-1:1".to_owned()),
        }
    }
}

/// `keyside record`: writes what a model makes of sentences, and says so to `out`.
///
/// # Errors
/// Those of reading the model, of sentences that it can't take and positions that they have not, and of writing.
pub async fn run_record(arguments: &RecordArguments, out: &mut dyn Write) -> Result<()> {
    match &arguments.effects {
        Some(prompts) => {
            let asked = EffectsAsked {
                model: &arguments.model,
                prompts,
                without: arguments.without,
                source: arguments.source.as_deref(),
                file: &arguments.out,
            };
            record_effects(&asked, out).await
        }
        None => record_sentences(arguments, out).await,
    }
}

async fn record_sentences(arguments: &RecordArguments, out: &mut dyn Write) -> Result<()> {
    check_writable(&arguments.out)?;
    let mut model = Model::open(source_for(&arguments.model)?, Processing::default()).await?;
    if let Some(head) = arguments.begin {
        model.config().check_head(head)?;
    }
    let mut sentences = Vec::new();
    for text in &arguments.texts {
        sentences.push(record(&mut model, text, arguments).await?);
    }
    let info = ModelInfo::of(&model);
    let recording = Recording {
        format: RECORDING_FORMAT.to_owned(),
        config: model.config().clone(),
        processing: model.processing(),
        source: arguments.source.clone().unwrap_or_else(|| {
            let version = env!("CARGO_PKG_VERSION");
            format!("Written by keyside {version} from {}", info.source)
        }),
        model: info,
        sentences,
    };
    let text = recording.to_json()?;
    std::fs::write(&arguments.out, &text).map_err(|cause| cannot_write(&arguments.out, &cause))?;
    // A reader that closes its end is no failure.
    let _ = writeln!(
        out,
        "{} of {}: {} bytes, {}",
        crate::quantities::counted(recording.sentences.len(), "sentence", "sentences"),
        recording.model.name,
        text.len(),
        arguments.out.display()
    );
    Ok(())
}

/// Everything that is recorded of the sentence `text`.
async fn record(model: &mut Model, text: &str, arguments: &RecordArguments) -> Result<RecordedSentence> {
    let question = Question {
        text: text.to_owned(),
        prepend_bos: arguments.bos,
        ..Question::default()
    };
    let tokens = question.prompt(model)?.tokens;
    let sentence = Sentence::read(model, &tokens, None, &Unwatched).await?;
    let (layers, in_layer) = (model.config().n_layer, model.config().n_head);
    let mut heads = BTreeMap::new();
    for head in (0..layers).flat_map(|layer| (0..in_layer).map(move |head| Head::new(layer, head))) {
        let mut rows = Vec::with_capacity(tokens.len() * (tokens.len() + 1) / 2);
        for dest in 0..tokens.len() {
            rows.extend(sentence.scores(model, head, dest)?);
        }
        heads.insert(head, rows);
    }
    let first = if arguments.every_next { 0 } else { tokens.len() - 1 };
    let mut next = BTreeMap::new();
    for dest in first..tokens.len() {
        let log_probs = sentence.log_probs(model, dest, &Unwatched).await?;
        let likely = pair::likeliest(&log_probs, NEXT).into_iter();
        let named = likely.map(|(token, logprob)| NextToken {
            token,
            text: model.tokenizer().label(token),
            logprob,
        });
        next.insert(dest, named.collect());
    }
    let mut pairs: Vec<PairSection> = Vec::new();
    for asked in &arguments.pairs {
        let pair = Pair {
            tokens: tokens.clone(),
            dest: position("pair", asked.dest, tokens.len())?,
            src: position("pair", asked.src, tokens.len())?,
            head: asked.head,
        };
        let account = pair::account(model, &pair, &Unwatched).await?;
        pairs.push(PairSection::new(&pair, &account, None)?);
    }
    if let Some(head) = heads
        .iter()
        .find(|(_, rows)| rows.iter().any(|value| !value.is_finite()))
    {
        let cause = format!("a score of head {} is not finite", head.0);
        return Err(Error::new(ErrorKind::Checkpoint, cause).advice("Check the model's weights."));
    }
    Ok(RecordedSentence {
        text: text.to_owned(),
        prepend_bos: arguments.bos,
        texts: tokens.iter().map(|&token| model.tokenizer().label(token)).collect(),
        tokens,
        rows: Rows::Scores,
        heads,
        next,
        pairs,
        begin: arguments.begin,
        note: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_a_head_and_two_positions() {
        let pair = PairAsked {
            head: Head::new(10, 7),
            dest: -1,
            src: 1,
        };
        assert_eq!("10.7:-1:1".parse(), Ok(pair));
        for text in ["", "10.7", "10.7:1", "10:1:1", "10.7:1:1:1", "10.7:a:1"] {
            assert!(text.parse::<PairAsked>().is_err(), "{text}");
        }
    }
}
