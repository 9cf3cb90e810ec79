//! An opened checkpoint.

use candle_core::{Device, Tensor};

use super::card::ModelCard;
use super::decode::Decoder;
use super::header::{self, FILE, Header};
use super::source::{Source, too_large};
use crate::error::{Error, ErrorKind, Result};
use crate::gpt2::{Config, Tokenizer};

/// Largest `config.json`, in bytes.
const MAX_CONFIG: u64 = 1 << 20;

/// An opened checkpoint: configuration, tokenizer and header are read, tensors are read on demand.
pub struct Checkpoint {
    source: Box<dyn Source>,
    config: Config,
    card: Option<ModelCard>,
    tokenizer: Tokenizer,
    header: Header,
}

impl Checkpoint {
    /// Reads `config.json`, `tokenizer.json` and the header of `model.safetensors`, and checks that
    /// they belong together: vocabulary, names, shapes and dtypes.
    ///
    /// # Errors
    /// One clear error for a file that is missing, truncated, or not what it should be.
    pub async fn open(source: Box<dyn Source>) -> Result<Self> {
        let (config, card) = Self::describe(source.as_ref()).await?;
        let tokenizer = Tokenizer::from_json(&source.read("tokenizer.json", None).await?, &config)?;
        let header = read_header(source.as_ref()).await?;
        header.check_model(&config)?;
        Ok(Self {
            source,
            config,
            card,
            tokenizer,
            header,
        })
    }

    /// Reads `config.json` alone: the model's shape, and its card where it has one.
    ///
    /// # Errors
    /// [`ErrorKind::Source`] when the file can't be read, [`ErrorKind::Config`] when it can't be used.
    pub async fn describe(source: &dyn Source) -> Result<(Config, Option<ModelCard>)> {
        let bytes = source.read("config.json", None).await?;
        if bytes.len() as u64 > MAX_CONFIG {
            return Err(too_large("config.json", MAX_CONFIG));
        }
        let config = Config::from_json(&bytes)?;
        let card = ModelCard::from_config_json(&bytes, &config)?;
        Ok((config, card))
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

    /// The source's folder or URL.
    pub fn location(&self) -> String {
        self.source.location()
    }

    /// Whether there is a tensor `name`, without the prefix `transformer.` ("h.0.ln_1.weight").
    pub fn has(&self, name: &str) -> bool {
        self.header.tensors.contains_key(name)
    }

    /// Size in the file of tensor `name`, in bytes; 0 where it does not exist.
    pub fn size_in_bytes(&self, name: &str) -> u64 {
        let entry = self.header.tensors.get(name);
        entry.map_or(0, |entry| entry.bytes.end - entry.bytes.start)
    }

    /// Reads tensor `name` as f32, whatever its dtype in the file (F32, F16, BF16).
    ///
    /// # Errors
    /// [`crate::ErrorKind::Checkpoint`] when it does not exist or has another shape than `shape`;
    /// [`crate::ErrorKind::Source`] when the file can't be read, or ends before the tensor does.
    pub async fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor> {
        let Some(entry) = self.header.tensors.get(name) else {
            return Err(Error::new(
                ErrorKind::Checkpoint,
                format!("{FILE} has no tensor {name}"),
            ));
        };
        entry.check_shape(name, shape)?;
        let dtype = entry.weight_dtype(name)?;
        let too_large = || {
            Error::new(
                ErrorKind::Checkpoint,
                format!("tensor {name} of {FILE} with shape {shape:?} does not fit into memory"),
            )
            .advice("Choose a smaller model, or check config.json.")
        };
        let count = shape
            .iter()
            .try_fold(1usize, |product, size| product.checked_mul(*size));
        let count = count.ok_or_else(too_large)?;
        let mut decoder = Decoder::new(dtype, count).map_err(|_| too_large())?;
        let mut sink = |piece: &[u8]| {
            decoder.push(piece);
            Ok(())
        };
        self.source.stream(FILE, entry.bytes.clone(), &mut sink).await?;
        let values = decoder.into_values();
        if values.len() != count {
            return Err(Error::new(
                ErrorKind::Source,
                format!("tensor {name} of {FILE} was read as {} values", values.len()),
            )
            .expected(format!("{count}")));
        }
        Ok(Tensor::from_vec(values, shape, &Device::Cpu)?)
    }
}

async fn read_header(source: &dyn Source) -> Result<Header> {
    let first = source.read(FILE, Some(0..8)).await?;
    // After the first read, because some sources learn the length from it.
    let length = source.length(FILE).await?;
    let range = header::header_range(&first, length)?;
    let json = source.read(FILE, Some(range)).await?;
    Header::parse(&json, length)
}
