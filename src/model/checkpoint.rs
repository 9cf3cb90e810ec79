//! An opened checkpoint: the files of a model's folder, checked for consistency.

use crate::checkpoint::{
    INDEX, Source, TensorFile, Traffic, WEIGHTS, explain_missing, is_kept_instead, other_weights, read_parsed,
};
use crate::error::{Error, ErrorKind, Result};
use crate::model::tensors::{LM_HEAD, TensorRow, WTE};
use crate::model::tokenizer_file::{ADDED, MERGES, TOKENIZER, VOCABULARY};
use crate::model::{Config, ModelCard, Tokenizer, TokenizerParts, tensors};

/// An opened checkpoint. Configuration, tokenizer and the weights' header are read on opening, tensors on demand.
pub struct Checkpoint {
    config: Config,
    card: Option<ModelCard>,
    tokenizer: Tokenizer,
    weights: TensorFile,
    unembedding: TensorRow,
    notes: Vec<String>,
}

impl Checkpoint {
    /// Reads `config.json`, `tokenizer.json` (or `vocab.json` and `merges.txt`) and the header of `model.safetensors`
    /// (or of the files that `model.safetensors.index.json` names), and checks that they fit each other: vocabulary,
    /// names, shapes and dtypes. Inconsistencies that can be resolved are described by [`Checkpoint::notes`].
    ///
    /// # Errors
    /// One clear error for a file that is missing, truncated, or invalid.
    pub async fn open(source: Box<dyn Source>) -> Result<Self> {
        let (mut config, card) = Self::describe(source.as_ref()).await?;
        let tokenizer = tokenizer(source.as_ref(), &config).await?;
        let weights = TensorFile::open(source, &tensors::expected(&config)).await?;
        let mut notes = Vec::new();
        notes.extend(missing_biases(&config, &weights)?);
        let (unembedding, note) = unembedding(&config, &weights).await?;
        notes.extend(note);
        let bos = tokenizer.bos_token().ok();
        notes.extend(other_bos(config.bos_token_id, bos));
        config.bos_token_id = bos;
        Ok(Self {
            config,
            card,
            tokenizer,
            weights,
            unembedding,
            notes,
        })
    }

    /// Checks that the files `names` at `location` include those that a model needs.
    ///
    /// # Errors
    /// How many files it lacks, and [`ErrorKind::Missing`] naming them, or what is there in place of weights.
    pub fn check_listing(names: &[String], location: &str) -> std::result::Result<(), (usize, Error)> {
        let has = |name: &str| names.iter().any(|known| known == name);
        let has_tokenizer = has(TOKENIZER) || has(VOCABULARY) && has(MERGES);
        let parts = [
            ("config.json", has("config.json")),
            (WEIGHTS, has(WEIGHTS) || has(INDEX)),
            (TOKENIZER, has_tokenizer),
        ];
        let lacking: Vec<&str> = parts
            .into_iter()
            .filter(|(_, has)| !has)
            .map(|(name, _)| name)
            .collect();
        if lacking.is_empty() {
            return Ok(());
        }
        let other = (!has(WEIGHTS) && !has(INDEX))
            .then(|| other_weights(names, location))
            .flatten();
        let error = other.unwrap_or_else(|| {
            let cause = format!("{} is missing in {location}", lacking.join(" and "));
            Error::new(ErrorKind::Missing, cause)
                .expected("config.json, model.safetensors and tokenizer.json of one model")
                .advice("Pick the files together, or their folder.")
        });
        Err((lacking.len(), error))
    }

    /// Reads only `config.json`: the model's shape and its card, if it has one.
    ///
    /// # Errors
    /// [`ErrorKind::Missing`] and [`ErrorKind::Source`] when the file can't be read, [`ErrorKind::Config`] when it can't be used.
    pub async fn describe(source: &dyn Source) -> Result<(Config, Option<ModelCard>)> {
        let describe = |bytes: &[u8]| {
            let config = Config::from_json(bytes)?;
            let card = ModelCard::from_config_json(bytes, &config)?;
            Ok((config, card))
        };
        match read_parsed(source, "config.json", describe).await {
            Err(error) if error.kind == ErrorKind::Missing => Err(explain_missing(source, error).await),
            described => described,
        }
    }

    /// The model's shape.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The model card, if there is one.
    pub fn card(&self) -> Option<&ModelCard> {
        self.card.as_ref()
    }

    /// The model's tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// The dtype of the weights in the file, as that of the embedding: "F64", "F32", "F16", "BF16".
    pub fn dtype(&self) -> Option<String> {
        self.weights.dtype(WTE.name())
    }

    /// The matrix whose rows are the columns of W_U: `wte`, or `lm_head` if the embeddings are not tied.
    pub(crate) fn unembedding(&self) -> TensorRow {
        self.unembedding
    }

    /// Inconsistencies in its files, and how they were resolved. Sentences.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The weights.
    pub fn weights(&self) -> &TensorFile {
        &self.weights
    }

    /// The folder or URL that it was opened from.
    pub fn location(&self) -> String {
        self.weights.location()
    }

    /// Marks what was read so far as possibly outdated, at the beginning of a run: see [`Source::mark_stale`].
    pub fn mark_stale(&self) {
        self.weights.mark_stale();
    }

    /// How many bytes came from where so far.
    pub fn traffic(&self) -> Traffic {
        self.weights.traffic()
    }
}

/// The tokenizer of the model in `source`.
async fn tokenizer(source: &dyn Source, config: &Config) -> Result<Tokenizer> {
    let missing = if is_kept_instead(source, VOCABULARY, TOKENIZER).await {
        None
    } else {
        match read_parsed(source, TOKENIZER, |bytes| Tokenizer::from_json(bytes, config)).await {
            Err(error) if error.kind == ErrorKind::Missing => Some(error),
            read => return read,
        }
    };
    let is_missing = |error: &Error| error.kind == ErrorKind::Missing;
    let merges = match (read_parsed(source, MERGES, TokenizerParts::read_merges).await, missing) {
        (Err(error), Some(missing)) if is_missing(&error) => {
            return Err(missing.expected(format!("{TOKENIZER}, or {VOCABULARY} and {MERGES}")));
        }
        (read, _) => read?,
    };
    // If a vocabulary is stored, the store also tells whether the model has added tokens.
    let known_not_to_be = source.keeps(VOCABULARY).await && !source.keeps(ADDED).await;
    let added = if known_not_to_be {
        None
    } else {
        match read_parsed(source, ADDED, TokenizerParts::read_vocabulary).await {
            Err(error) if is_missing(&error) => None,
            read => Some(read?),
        }
    };
    let vocabulary = read_parsed(source, VOCABULARY, TokenizerParts::read_vocabulary).await;
    let vocabulary = vocabulary.map_err(|error| {
        if is_missing(&error) {
            error.expected(format!("{TOKENIZER}, or {VOCABULARY} beside {MERGES}"))
        } else {
            error
        }
    })?;
    let parts = TokenizerParts {
        vocabulary,
        merges,
        added: added.unwrap_or_default(),
    };
    Tokenizer::from_parts(parts, config)
}

/// The remark on biases that the file lacks.
fn missing_biases(config: &Config, weights: &TensorFile) -> Result<Option<String>> {
    let file = weights.name();
    let missing = tensors::missing_biases(config, file, |name| weights.has(name))?;
    Ok((!missing.is_empty()).then(|| {
        let names = missing.join(", ");
        format!("{file} has no {names} in any block: these biases are taken to be 0.")
    }))
}

/// The matrix that W_U is read from, and a remark if the configuration contradicts it.
async fn unembedding(config: &Config, weights: &TensorFile) -> Result<(TensorRow, Option<String>)> {
    let (head, embedding, file) = (LM_HEAD.name(), WTE.name(), weights.name());
    match (weights.has(head), config.tie_word_embeddings) {
        (true, false) => Ok((LM_HEAD, None)),
        (false, true) => Ok((WTE, None)),
        (false, false) => {
            let note = format!(
                "config.json says that the embeddings are not tied, but {file} has no {head}: {embedding} is used \
                 for W_U, too."
            );
            Ok((WTE, Some(note)))
        }
        // Files often contain the tied matrix a second time.
        (true, true) if weights.look_the_same(embedding, head).await? => Ok((WTE, None)),
        (true, true) => {
            let note = format!(
                "config.json says that the embeddings are tied, but {file} has a {head} with other values: it is \
                 used for W_U."
            );
            Ok((LM_HEAD, Some(note)))
        }
    }
}

/// The remark if BOS is not the one of `config.json`.
fn other_bos(named: Option<u32>, bos: Option<u32>) -> Option<String> {
    let named = named.filter(|named| Some(*named) != bos)?;
    let instead = match bos {
        Some(bos) => format!("token {bos} is BOS instead"),
        None => "prompts can't begin with BOS".to_owned(),
    };
    Some(format!(
        "config.json names token {named} as BOS, which is no token of this model: {instead}."
    ))
}
