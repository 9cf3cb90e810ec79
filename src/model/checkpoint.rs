//! An opened checkpoint: the three files of a model's folder, checked against each other.

use crate::checkpoint::{Source, TensorFile, Traffic, read_parsed};
use crate::error::Result;
use crate::model::{Config, ModelCard, Tokenizer, tensors};

/// An opened checkpoint: configuration, tokenizer and the weights' header are read, tensors are read on demand.
pub struct Checkpoint {
    config: Config,
    card: Option<ModelCard>,
    tokenizer: Tokenizer,
    weights: TensorFile,
}

impl Checkpoint {
    /// Reads `config.json`, `tokenizer.json` and the header of `model.safetensors`, and checks that
    /// they belong together: vocabulary, names, shapes and dtypes.
    ///
    /// # Errors
    /// One clear error for a file that is missing, truncated, or not what it should be.
    pub async fn open(source: Box<dyn Source>) -> Result<Self> {
        let (config, card) = Self::describe(source.as_ref()).await?;
        let read = |bytes: &[u8]| Tokenizer::from_json(bytes, &config);
        let tokenizer = read_parsed(source.as_ref(), "tokenizer.json", read).await?;
        let weights = TensorFile::open(source, &tensors::expected(&config)).await?;
        Ok(Self {
            config,
            card,
            tokenizer,
            weights,
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

    /// The dtype of the weights in the file, as that of the embedding: "F32", "F16", "BF16".
    pub fn dtype(&self) -> Option<String> {
        self.weights.dtype(tensors::WTE.name())
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
