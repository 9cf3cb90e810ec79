//! An opened checkpoint: the three files of a model's folder, checked against each other.

use crate::checkpoint::{Source, TensorFile, Traffic, read_parsed};
use crate::error::Result;
use crate::model::tensors::{LM_HEAD, TensorRow, WTE};
use crate::model::{Config, ModelCard, Tokenizer, tensors};

/// An opened checkpoint: configuration, tokenizer and the weights' header are read, tensors are read on demand.
pub struct Checkpoint {
    config: Config,
    card: Option<ModelCard>,
    tokenizer: Tokenizer,
    weights: TensorFile,
    unembedding: TensorRow,
    notes: Vec<String>,
}

impl Checkpoint {
    /// Reads `config.json`, `tokenizer.json` and the header of `model.safetensors`, and checks that
    /// they belong together: vocabulary, names, shapes and dtypes. Where they say different things and the model can be run,
    /// [`Checkpoint::notes`] has what was done.
    ///
    /// # Errors
    /// One clear error for a file that is missing, truncated, or not what it should be.
    pub async fn open(source: Box<dyn Source>) -> Result<Self> {
        let (mut config, card) = Self::describe(source.as_ref()).await?;
        let read = |bytes: &[u8]| Tokenizer::from_json(bytes, &config);
        let tokenizer = read_parsed(source.as_ref(), "tokenizer.json", read).await?;
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

    /// Reads `config.json` alone: the model's shape, and its card where it has one.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Source`] when the file can't be read, [`crate::ErrorKind::Config`] when it can't be used.
    pub async fn describe(source: &dyn Source) -> Result<(Config, Option<ModelCard>)> {
        let describe = |bytes: &[u8]| {
            let config = Config::from_json(bytes)?;
            let card = ModelCard::from_config_json(bytes, &config)?;
            Ok((config, card))
        };
        read_parsed(source, "config.json", describe).await
    }

    /// The model's shape.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What the checkpoint says of itself, where it does.
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

    /// The matrix whose rows are the columns of W_U: `wte`, or `lm_head` of a model that has another.
    pub(crate) fn unembedding(&self) -> TensorRow {
        self.unembedding
    }

    /// Where its files say different things, or lack something: what was done. Sentences.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The file of weights.
    pub fn weights(&self) -> &TensorFile {
        &self.weights
    }

    /// The folder or URL that it was opened from.
    pub fn location(&self) -> String {
        self.weights.location()
    }

    /// A new run begins, some time after what was read before: see [`Source::recheck`].
    pub fn recheck(&self) {
        self.weights.recheck();
    }

    /// What has come from where so far.
    pub fn traffic(&self) -> Traffic {
        self.weights.traffic()
    }
}

/// What is said of biases that the file lacks.
fn missing_biases(config: &Config, weights: &TensorFile) -> Result<Option<String>> {
    let missing = tensors::missing_biases(config, |name| weights.has(name))?;
    Ok((!missing.is_empty()).then(|| {
        let names = missing.join(", ");
        format!("model.safetensors has no {names} in any block: these biases are taken to be 0.")
    }))
}

/// Which matrix W_U is read from, and what is said where the configuration says otherwise.
async fn unembedding(config: &Config, weights: &TensorFile) -> Result<(TensorRow, Option<String>)> {
    let (head, embedding) = (LM_HEAD.name(), WTE.name());
    match (weights.has(head), config.tie_word_embeddings) {
        (true, false) => Ok((LM_HEAD, None)),
        (false, true) => Ok((WTE, None)),
        (false, false) => {
            let note = format!(
                "config.json says that the embeddings are not tied, but model.safetensors has no {head}: {embedding} is used \
                 for W_U, too."
            );
            Ok((WTE, Some(note)))
        }
        // Files often hold the tied matrix a second time.
        (true, true) if weights.look_the_same(embedding, head).await? => Ok((WTE, None)),
        (true, true) => {
            let note = format!(
                "config.json says that the embeddings are tied, but model.safetensors has a {head} with other values: it is \
                 used for W_U."
            );
            Ok((LM_HEAD, Some(note)))
        }
    }
}

/// What is said of a BOS that is not the one of `config.json`.
fn other_bos(named: Option<u32>, bos: Option<u32>) -> Option<String> {
    let named = named.filter(|named| Some(*named) != bos)?;
    let instead = match bos {
        Some(bos) => format!("token {bos} is BOS instead"),
        None => "prompts can't begin with BOS".to_owned(),
    };
    Some(format!(
        "config.json names token {named} as BOS, which tokenizer.json does not have (padding of the vocabulary): {instead}."
    ))
}
