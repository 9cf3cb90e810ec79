//! A model: an opened checkpoint whose weights are read when they are first needed.

use crate::checkpoint::{Checkpoint, Source};
use crate::error::{Error, ErrorKind, Result};
use crate::gpt2::block::{self, AttentionInput, Block, BlockRest};
use crate::gpt2::embedding::{self, Embedding};
use crate::gpt2::forward::Step;
use crate::gpt2::loader::Loader;
use crate::gpt2::{Config, Head, HeadWeights, Pass, PrefixTree, Processing, Request, Tokenizer, Watcher, vector};

/// Bytes of blocks that a model keeps in memory between passes.
///
/// The blocks of GPT-2 small take 340 MB. A model whose blocks take more is walked through layer by
/// layer with all passes at once, so that a block is read once and dropped after use.
pub const BLOCK_BUDGET: u64 = 1 << 30;

/// Token sequences whose log-probabilities are computed at a time.
const SEQUENCES_AT_A_TIME: usize = 64;

/// A model of the GPT-2 architecture.
pub struct Model {
    checkpoint: Checkpoint,
    processing: Processing,
    block_budget: u64,
    embedding: Option<Embedding>,
    blocks: Vec<Option<Block>>,
}

impl Model {
    /// Opens the checkpoint in `source`; its weights will be processed as `processing` says.
    ///
    /// # Errors
    /// Those of [`Checkpoint::open`]. Tensors are read later, when they are needed.
    pub async fn open(source: Box<dyn Source>, processing: Processing) -> Result<Self> {
        let checkpoint = Checkpoint::open(source).await?;
        let blocks = (0..checkpoint.config().n_layer).map(|_| None).collect();
        Ok(Self {
            checkpoint,
            processing,
            block_budget: BLOCK_BUDGET,
            embedding: None,
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
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] if a tensor operation fails.
    pub fn set_processing(&mut self, processing: Processing) -> Result<()> {
        if processing != self.processing {
            self.blocks.iter_mut().for_each(|block| *block = None);
            self.processing = processing;
            if let Some(embedding) = &mut self.embedding {
                embedding.set_processing(processing)?;
            }
        }
        Ok(())
    }

    /// Sets the bytes of blocks to keep in memory, [`BLOCK_BUDGET`] at first.
    pub fn set_block_budget(&mut self, bytes: u64) {
        self.block_budget = bytes;
        let keeps = self.blocks_kept();
        self.blocks.iter_mut().skip(keeps).for_each(|block| *block = None);
    }

    /// How many blocks, from the first, stay in memory.
    fn blocks_kept(&self) -> usize {
        usize::try_from(self.block_budget / block::size_in_memory(self.config())).unwrap_or(usize::MAX)
    }

    /// Whether all of the first `layers` blocks stay in memory, so that passes can go one by one.
    pub fn keeps_blocks(&self, layers: usize) -> bool {
        layers <= self.blocks_kept()
    }

    /// Bytes that remain to be read for a run through `layers` whole blocks and, with `head_layer`,
    /// the queries and keys of that layer.
    pub fn bytes_to_read(&self, layers: usize, head_layer: Option<usize>) -> u64 {
        let size = |names: &[String]| {
            names
                .iter()
                .map(|name| self.checkpoint.size_in_bytes(name))
                .sum::<u64>()
        };
        let ends = match self.embedding {
            Some(_) => 0,
            None => embedding::NAMES
                .iter()
                .map(|name| self.checkpoint.size_in_bytes(name))
                .sum(),
        };
        let input = |layer: usize| match self.blocks.get(layer) {
            Some(None) => size(&block::input_names(layer)),
            _ => 0,
        };
        let rest = |layer: usize| match &self.blocks[layer] {
            Some(Block { rest: Some(_), .. }) => 0,
            _ => size(&block::rest_names(layer)),
        };
        let head_layer = head_layer.filter(|&layer| layer >= layers);
        ends + (0..layers).map(|layer| input(layer) + rest(layer)).sum::<u64>() + head_layer.map_or(0, input)
    }

    /// Takes `passes` through the first `layers` blocks, layer by layer, all passes at each layer.
    ///
    /// Afterwards each pass holds resid_pre of layer `layers` and what its request asked for. Weights
    /// are read as they are needed; blocks beyond the budget are dropped after use.
    ///
    /// # Errors
    /// [`ErrorKind::Cancelled`] from `watcher`, errors of reading weights. The model stays usable.
    pub async fn run(&mut self, passes: &mut [Pass], layers: usize, watcher: &mut dyn Watcher) -> Result<()> {
        self.load_embedding(watcher).await?;
        for pass in passes.iter_mut() {
            pass.begin(self.embedding()?, self.config())?;
        }
        for layer in 0..layers {
            self.load_block(layer, watcher).await?;
            self.run_block(layer, passes, watcher).await?;
            if layer >= self.blocks_kept() {
                self.blocks[layer] = None;
            }
        }
        passes.iter_mut().for_each(|pass| pass.qkv = Vec::new());
        Ok(())
    }

    async fn run_block(&self, layer: usize, passes: &mut [Pass], watcher: &mut dyn Watcher) -> Result<()> {
        let block = self.blocks[layer].as_ref().ok_or_else(|| not_loaded("a block"))?;
        let rest = block.rest.as_ref().ok_or_else(|| not_loaded("a block"))?;
        let step = Step {
            config: self.config(),
            layer,
            block,
            rest,
        };
        for (index, pass) in passes.iter_mut().enumerate() {
            if layer == 0 {
                pass.captured.layer_0_alone = step.alone(self.w_e_rows(&pass.request.layer_0_alone)?)?;
            }
            step.begin(pass);
            for rows in pass.chunks() {
                watcher.breathe().await?;
                step.forward(pass, rows.clone())?;
                watcher.computed(index, layer, rows.len());
            }
            pass.qkv.clear();
        }
        Ok(())
    }

    /// Log-probabilities over the vocabulary after the last token of each of `sequences`, `[d_vocab]` each.
    ///
    /// # Errors
    /// [`ErrorKind::Prompt`] for an empty sequence or one longer than the context, errors of reading.
    pub async fn log_probs(&mut self, sequences: &[&[u32]], watcher: &mut dyn Watcher) -> Result<Vec<Vec<f32>>> {
        let mut log_probs = Vec::with_capacity(sequences.len());
        for sequences in sequences.chunks(SEQUENCES_AT_A_TIME) {
            sequences
                .iter()
                .try_for_each(|sequence| self.check_sequence(sequence))?;
            let mut pass = Pass::new(PrefixTree::new(sequences.iter().copied()), Request::default());
            self.run(std::slice::from_mut(&mut pass), self.config().n_layer, watcher)
                .await?;
            let last_rows = (0..sequences.len()).filter_map(|index| pass.tree.path(index).last());
            let resid: Vec<f32> = last_rows.flat_map(|&row| pass.resid_at(row)).copied().collect();
            let logits = self.embedding()?.logits(&resid)?;
            log_probs.extend(logits.chunks_exact(self.config().d_vocab).map(log_softmax));
        }
        Ok(log_probs)
    }

    /// resid_pre of `layer` (`n_layer`: what ln_f reads) at every position of `tokens`, `[pos, d_model]`.
    ///
    /// # Errors
    /// As [`Model::log_probs`].
    pub async fn resid_pre(&mut self, tokens: &[u32], layer: usize, watcher: &mut dyn Watcher) -> Result<Vec<f32>> {
        self.check_sequence(tokens)?;
        let mut pass = Pass::new(PrefixTree::new([tokens]), Request::default());
        self.run(
            std::slice::from_mut(&mut pass),
            layer.min(self.config().n_layer),
            watcher,
        )
        .await?;
        Ok(pass.resid)
    }

    /// Checks that `tokens` can go through the model.
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

    /// Queries' and keys' weights of `head`, reading them if need be.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] where the head does not exist, errors of reading.
    pub async fn head_weights(&mut self, head: Head, watcher: &mut dyn Watcher) -> Result<HeadWeights> {
        head.check(self.config())?;
        self.load_input(head.layer, watcher).await?;
        let block = self.blocks[head.layer].as_ref().ok_or_else(|| not_loaded("a head"))?;
        HeadWeights::new(&block.input, self.config(), head.head)
    }

    /// Reads embedding and unembedding, unless they are in memory.
    ///
    /// # Errors
    /// Errors of reading.
    pub async fn load_embedding(&mut self, watcher: &mut dyn Watcher) -> Result<()> {
        if self.embedding.is_none() {
            let mut loader = Loader::new(&self.checkpoint, watcher);
            self.embedding = Some(Embedding::load(&mut loader, self.processing).await?);
            watcher.loaded(0);
        }
        Ok(())
    }

    async fn load_input(&mut self, layer: usize, watcher: &mut dyn Watcher) -> Result<()> {
        if self.blocks[layer].is_none() {
            let mut loader = Loader::new(&self.checkpoint, watcher);
            let input = AttentionInput::load(&mut loader, layer, self.processing).await?;
            self.blocks[layer] = Some(Block { input, rest: None });
            watcher.loaded(0);
        }
        Ok(())
    }

    async fn load_block(&mut self, layer: usize, watcher: &mut dyn Watcher) -> Result<()> {
        self.load_input(layer, watcher).await?;
        if let Some(block) = self.blocks[layer].as_mut().filter(|block| block.rest.is_none()) {
            let mut loader = Loader::new(&self.checkpoint, watcher);
            block.rest = Some(BlockRest::load(&mut loader, layer, &block.input, self.processing).await?);
            watcher.loaded(0);
        }
        Ok(())
    }

    fn embedding(&self) -> Result<&Embedding> {
        self.embedding.as_ref().ok_or_else(|| not_loaded("the embedding"))
    }

    /// The processed W_E row of `token`, `[d_model]`.
    ///
    /// # Errors
    /// [`ErrorKind::Prompt`] for a token beyond the vocabulary, [`ErrorKind::Internal`] before
    /// [`Model::load_embedding`] or a run.
    pub fn w_e(&self, token: u32) -> Result<Vec<f32>> {
        self.embedding()?.w_e(token)
    }

    /// The processed column of W_U for `token`, `[d_model]`.
    ///
    /// # Errors
    /// As [`Model::w_e`].
    pub fn w_u(&self, token: u32) -> Result<Vec<f32>> {
        self.embedding()?.w_u(token)
    }

    /// b_U of `token`: not zero where `fold_ln` has moved ln_f's bias there.
    ///
    /// # Errors
    /// As [`Model::w_e`].
    pub fn b_u(&self, token: u32) -> Result<f32> {
        self.embedding()?.b_u(token)
    }

    /// Processed W_E rows of `tokens`, `[tokens, d_model]`.
    fn w_e_rows(&self, tokens: &[u32]) -> Result<Vec<f32>> {
        let mut rows = Vec::with_capacity(tokens.len() * self.config().d_model);
        for &token in tokens {
            rows.extend(self.w_e(token)?);
        }
        Ok(rows)
    }
}

fn not_loaded(what: &str) -> Error {
    Error::new(ErrorKind::Internal, format!("{what} was used before it was read"))
}

/// Logarithm of the softmax of a row of logits.
fn log_softmax(logits: &[f32]) -> Vec<f32> {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exponentials: Vec<f32> = logits.iter().map(|logit| (logit - max).exp()).collect();
    let log_sum = f64::from(max) + vector::sum(&exponentials).ln();
    logits
        .iter()
        .map(|&logit| (f64::from(logit) - log_sum) as f32)
        .collect()
}
