//! A model: an opened checkpoint whose weights are read when they are first needed.

mod vectors;

use std::collections::BTreeSet;
use std::rc::Rc;

use futures::future::LocalBoxFuture;

use crate::checkpoint::{Source, TensorSpec};
use crate::compute::cpu::{Cpu, Gemm};
use crate::compute::engine::{Block, Engine};
use crate::error::{Error, ErrorKind, Result};
use crate::forward::blocks::Parts;
use crate::forward::embedding::{self, Embedding};
use crate::forward::loader::Loader;
use crate::forward::{Monitor, Pass, PrefixTree, Request};
use crate::math;
use crate::model::tensors::{TensorGroup, of_layer};
use crate::model::{Checkpoint, Config, Processing, Tokenizer};

/// Limit of the bytes of blocks that a model holds in memory.
///
/// A block of GPT-2 small takes 28 MB; in a browser, all twelve fit, so that a question about a sentence reads each
/// only once. Blocks of larger models are dropped and read again: see [`Model::advance`].
pub const BLOCK_BUDGET: u64 = if cfg!(target_arch = "wasm32") {
    340 << 20
} else {
    1 << 30
};

/// Number of token sequences whose log-probabilities are computed at a time.
const SEQUENCES_AT_A_TIME: usize = 64;

/// The effective embedding of tokens: their W_E rows after layer 0, each token attending only to itself.
///
/// Attention is the linear part: `ln1(x) W_V W_O` summed over heads, without biases. The MLP has its biases.
#[derive(Debug, Clone, Default)]
pub struct EffectiveEmbedding {
    /// `x + attention + mlp_out`, `[tokens, d_model]`: W_EE.
    pub resid_post: Vec<f32>,
    /// Output of the MLP, `[tokens, d_model]`: W_EE_subE.
    pub mlp_out: Vec<f32>,
}

/// A model of the GPT-2 architecture.
pub struct Model {
    pub(crate) checkpoint: Checkpoint,
    pub(crate) processing: Processing,
    pub(super) block_budget: u64,
    /// b_O of the blocks read so far. It is small, and it is needed when the block itself may have been dropped.
    b_o: Vec<Option<Vec<f32>>>,
    embedding: Option<Embedding>,
    pub(super) engine: Rc<dyn Engine>,
    /// The engine to use if the current one fails.
    pub(super) fallback: Option<Rc<dyn Engine>>,
    pub(super) engine_failure: Option<Error>,
    pub(crate) blocks: Vec<Option<Box<dyn Block>>>,
}

impl Model {
    /// Opens the checkpoint in `source`; its weights will be processed as `processing` says.
    ///
    /// ```
    /// use futures::executor::block_on;
    /// use keyside::checkpoint::FileSource;
    /// use keyside::forward::{Model, NoMonitor};
    /// use keyside::model::Processing;
    ///
    /// let source = Box::new(FileSource::new("tests/fixtures/tiny"));
    /// let mut model = block_on(Model::open(source, Processing::default()))?;
    /// let tokens = model.tokenizer().encode("The keys to the cabinet")?;
    /// let log_probs = block_on(model.log_probs(&[&tokens], &NoMonitor))?;
    /// assert_eq!(log_probs[0].len(), model.config().d_vocab);
    /// # Ok::<(), keyside::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`Checkpoint::open`]. Tensors are read later, when they are needed.
    pub fn open(source: Box<dyn Source>, processing: Processing) -> LocalBoxFuture<'static, Result<Self>> {
        Box::pin(Self::opened(source, processing))
    }

    async fn opened(source: Box<dyn Source>, processing: Processing) -> Result<Self> {
        let checkpoint = Checkpoint::open(source).await?;
        let n_layer = checkpoint.config().n_layer;
        let blocks = (0..n_layer).map(|_| None).collect();
        Ok(Self {
            b_o: vec![None; n_layer],
            checkpoint,
            processing,
            block_budget: BLOCK_BUDGET,
            embedding: None,
            engine: Rc::new(Cpu::new(Gemm)),
            fallback: None,
            engine_failure: None,
            blocks,
        })
    }

    /// The model's shape.
    pub fn config(&self) -> &Config {
        self.checkpoint.config()
    }

    /// The model's tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        self.checkpoint.tokenizer()
    }

    /// The checkpoint that it was opened from.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// How weights are processed.
    pub fn processing(&self) -> Processing {
        self.processing
    }

    /// Changes how weights are processed; blocks that were read are dropped where it differs.
    pub fn set_processing(&mut self, processing: Processing) {
        if processing != self.processing {
            self.drop_blocks();
            self.b_o.iter_mut().for_each(|b_o| *b_o = None);
            self.processing = processing;
            if let Some(embedding) = &mut self.embedding {
                embedding.set_processing(processing);
            }
        }
    }

    /// Bytes of weights that remain to be read to take `passes` through `layers` whole blocks and, with `head_layer`,
    /// for the queries and keys of that layer.
    pub fn bytes_to_read(&self, passes: &[Pass], layers: usize, head_layer: Option<usize>) -> u64 {
        let size = |name: &str| self.checkpoint.weights().size_in_bytes(name);
        let sum = |tensors: Vec<TensorSpec>| tensors.iter().map(|(name, _)| size(name)).sum::<u64>();
        let embedding_bytes = match &self.embedding {
            Some(embedding) => embedding.bytes_to_read(&self.checkpoint, &tokens_of(passes)),
            None => embedding::tensors(&self.checkpoint)
                .iter()
                .map(|tensor| size(tensor.name()))
                .sum(),
        };
        let input = |layer: usize| match self.blocks.get(layer) {
            Some(None) => sum(of_layer(self.config(), layer, TensorGroup::AttentionInput)),
            _ => 0,
        };
        let rest = |layer: usize| {
            if self.is_whole(layer) {
                0
            } else {
                sum(of_layer(self.config(), layer, TensorGroup::BlockRest))
            }
        };
        let head_layer = head_layer.filter(|&layer| layer >= layers);
        let first = passes.iter().map(|pass| pass.first_layer(layers)).min().unwrap_or(0);
        embedding_bytes
            + (first..layers).map(|layer| input(layer) + rest(layer)).sum::<u64>()
            + head_layer.map_or(0, input)
    }

    /// Whether all of block `layer` is in memory.
    pub(crate) fn is_whole(&self, layer: usize) -> bool {
        let block = self.blocks.get(layer).and_then(Option::as_ref);
        block.is_some_and(|block| block.rest().is_some())
    }

    /// Takes `passes` through the first `layers` blocks.
    ///
    /// Afterwards each pass holds `resid_pre` of layer `layers` and the activations that it requested. Weights are read
    /// as needed.
    ///
    /// # Errors
    /// [`ErrorKind::Cancelled`] from `monitor`, read errors. The model stays usable.
    pub async fn run(&mut self, passes: &mut [Pass], layers: usize, monitor: &dyn Monitor) -> Result<()> {
        let mut schedule = self.begin(passes, layers, monitor).await?;
        while self.advance(&mut schedule, passes, monitor).await?.is_some() {}
        Ok(())
    }

    /// Log-probabilities over the vocabulary after the last token of each of `sequences`, `[d_vocab]` each.
    ///
    /// # Errors
    /// [`ErrorKind::Prompt`] for an empty sequence or one longer than the context, read errors.
    pub fn log_probs<'a>(
        &'a mut self,
        sequences: &'a [&'a [u32]],
        monitor: &'a dyn Monitor,
    ) -> LocalBoxFuture<'a, Result<Vec<Vec<f32>>>> {
        Box::pin(async move {
            let mut log_probs = Vec::with_capacity(sequences.len());
            for sequences in sequences.chunks(SEQUENCES_AT_A_TIME) {
                sequences
                    .iter()
                    .try_for_each(|sequence| self.check_sequence(sequence))?;
                let mut pass = Pass::new(PrefixTree::new(sequences.iter().copied()), Request::default());
                self.run(std::slice::from_mut(&mut pass), self.config().n_layer, monitor)
                    .await?;
                let last_row = |index| pass.tree.path(index).last().copied();
                let rows: Vec<usize> = (0..sequences.len()).filter_map(last_row).collect();
                let logits = self.logits(&pass, &rows, monitor).await?;
                log_probs.extend(logits.iter().map(|logits| math::log_softmax(logits)));
            }
            Ok(log_probs)
        })
    }

    /// Logits over the vocabulary at `rows` of `pass`, `[d_vocab]` each. The pass must have gone through all layers.
    /// Streams W_U: ask for all rows in one call.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for a row that does not exist and a pass that has not gone through all layers, read
    /// errors.
    pub fn logits<'a>(
        &'a self,
        pass: &'a Pass,
        rows: &'a [usize],
        monitor: &'a dyn Monitor,
    ) -> LocalBoxFuture<'a, Result<Vec<Vec<f32>>>> {
        Box::pin(async move {
            let config = self.config();
            if pass.progress.layers != config.n_layer || !pass.progress.begun {
                return Err(Error::new(ErrorKind::Request, "logits need a pass through all layers"));
            }
            if let Some(row) = rows.iter().find(|row| **row >= pass.tree.len()) {
                return Err(Error::new(ErrorKind::Request, format!("the pass has no row {row}"))
                    .expected(format!("one of {}, counted from 0", pass.tree.len())));
            }
            if let Some(row) = rows.iter().find(|row| !pass.is_read(**row)) {
                return Err(Error::new(ErrorKind::Request, format!("row {row} has no logits"))
                    .expected("the last position of a variant that reads no other"));
            }
            let mut logits = Vec::with_capacity(rows.len());
            for rows in rows.chunks(SEQUENCES_AT_A_TIME) {
                let resid: Vec<f32> = rows.iter().flat_map(|&row| pass.resid_at(row)).copied().collect();
                let scales = pass.final_scales(rows, config);
                let loader = self.loader(monitor);
                let of_rows = self.embedding()?.logits(loader, &resid, Some(&scales)).await?;
                logits.extend(of_rows.chunks_exact(config.d_vocab).map(<[f32]>::to_vec));
            }
            Ok(logits)
        })
    }

    /// Log-probabilities over the vocabulary at `rows` of `pass`; see [`Model::logits`].
    ///
    /// # Errors
    /// As [`Model::logits`].
    pub async fn log_probs_at(&self, pass: &Pass, rows: &[usize], monitor: &dyn Monitor) -> Result<Vec<Vec<f32>>> {
        let logits = self.logits(pass, rows, monitor).await?;
        Ok(logits.iter().map(|logits| math::log_softmax(logits)).collect())
    }

    /// `resid_pre` of `layer` at every position of `tokens`, `[pos, d_model]`. `layer` may be `n_layer`: the input of
    /// ln_f.
    ///
    /// # Errors
    /// As [`Model::log_probs`].
    pub fn resid_pre<'a>(
        &'a mut self,
        tokens: &'a [u32],
        layer: usize,
        monitor: &'a dyn Monitor,
    ) -> LocalBoxFuture<'a, Result<Vec<f32>>> {
        Box::pin(async move {
            self.check_sequence(tokens)?;
            let mut pass = Pass::new(PrefixTree::new([tokens]), Request::default());
            self.run(
                std::slice::from_mut(&mut pass),
                layer.min(self.config().n_layer),
                monitor,
            )
            .await?;
            Ok(pass.resid)
        })
    }

    /// Checks that the model accepts `tokens`.
    ///
    /// # Errors
    /// [`ErrorKind::Prompt`] where it is empty or longer than the context.
    pub fn check_sequence(&self, tokens: &[u32]) -> Result<()> {
        let n_ctx = self.config().n_ctx;
        if (1..=n_ctx).contains(&tokens.len()) {
            return Ok(());
        }
        let cause = format!("a prompt has {} tokens", tokens.len());
        Err(Error::new(ErrorKind::Prompt, cause).expected(format!("from 1 to {n_ctx}, the model's context")))
    }

    /// Reads embedding and unembedding with the rows of `tokens`, unless they are in memory.
    ///
    /// # Errors
    /// Read errors.
    pub fn load_embedding<'a>(
        &'a mut self,
        tokens: &'a BTreeSet<u32>,
        monitor: &'a dyn Monitor,
    ) -> LocalBoxFuture<'a, Result<()>> {
        Box::pin(async move {
            monitor.waiting();
            let loader = Loader::new(&self.checkpoint, monitor);
            match &mut self.embedding {
                Some(embedding) => embedding.add(loader, tokens).await,
                None => {
                    self.embedding = Some(Embedding::load(loader, self.processing, tokens).await?);
                    Ok(())
                }
            }
        })
    }

    /// Stores the weights read of block `layer`.
    ///
    /// # Errors
    /// Those of the engine that takes it over.
    pub(crate) fn install(&mut self, layer: usize, parts: Parts) -> Result<()> {
        parts.install(self.engine.as_ref(), &mut self.blocks[layer])?;
        let rest = self.blocks[layer].as_ref().and_then(|block| block.rest());
        if let Some(rest) = rest {
            self.b_o[layer] = Some(rest.b_o.clone());
        }
        Ok(())
    }

    pub(crate) fn loader<'a>(&'a self, monitor: &'a dyn Monitor) -> Loader<'a> {
        Loader::new(&self.checkpoint, monitor)
    }

    pub(crate) fn embedding(&self) -> Result<&Embedding> {
        self.embedding.as_ref().ok_or_else(|| not_loaded("the embedding"))
    }
}

pub(crate) fn not_loaded(what: &str) -> Error {
    Error::new(ErrorKind::Internal, format!("{what} was used before it was read"))
}

/// All tokens whose embeddings `passes` need.
pub(crate) fn tokens_of(passes: &[Pass]) -> BTreeSet<u32> {
    passes.iter().flat_map(Pass::tokens).collect()
}
