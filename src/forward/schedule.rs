//! Computes passes while the next block is being read.

use std::cell::Cell;
use std::future::pending;
use std::pin::pin;

use futures::future::{Either, LocalBoxFuture, select};

use crate::compute::engine::Block;
use crate::error::{Error, ErrorKind, Result};
use crate::forward::blocks::{self, Parts};
use crate::forward::model::{not_loaded, tokens_of};
use crate::forward::pass::{CHUNK, CHUNK_WHILE_LOADING, PassProgress};
use crate::forward::{Model, Monitor, Pass};

/// No further pass begins while the passes in progress have this many rows, whose residual streams are in memory.
/// Without this limit, nearly all passes would have begun by the time the last block is read. For 30 batches of the
/// notebook's run in a browser, 6,144 rows take 418 MB at most, 4,096 rows 405 to 407 in the same 28 s, and these 403.
const MAX_UNDER_WAY: usize = 7 * 512;

/// Passes on their way through the first blocks of a model.
pub struct Schedule {
    layers: usize,
    /// Passes that [`Model::advance`] has returned.
    named: Vec<bool>,
}

/// Why computing stopped.
enum Paused {
    /// A pass is finished.
    Finished(usize),
    /// A pass has gone through a block, so that another block may be dropped.
    Passed,
}

impl Schedule {
    /// The pass to compute next, among those whose next block is in memory. If all blocks stay in memory, the first
    /// one, so that batches finish one after the other; otherwise the one that is furthest behind, so that a block can
    /// be dropped.
    fn next(&self, model: &Model, passes: &[Pass]) -> Option<usize> {
        let keeps_blocks = model.keeps_blocks(self.layers);
        // A pass may borrow rows from earlier ones, which must have gone through the block before.
        let mut furthest_back = usize::MAX;
        let under_way: usize = (0..passes.len())
            .filter(|&index| passes[index].progress.begun && !self.named[index])
            .map(|index| passes[index].tree.len())
            .sum();
        let ready = (0..passes.len()).filter(|&index| {
            let next = passes[index].progress.layers;
            if self.named[index] {
                return false;
            }
            let lent = next < furthest_back || passes[index].borrowed() == 0;
            furthest_back = furthest_back.min(next);
            let may_begin = passes[index].progress.begun || under_way < MAX_UNDER_WAY || !keeps_blocks;
            lent && may_begin && (next >= self.layers || model.is_whole(next))
        });
        if keeps_blocks {
            ready.min()
        } else {
            ready.min_by_key(|&index| passes[index].progress.layers)
        }
    }

    /// The block before which the pass number `index` ends, or waits for those that it borrows rows of.
    fn end(&self, passes: &[Pass], index: usize) -> usize {
        let before = passes[..index].iter().zip(&self.named).filter(|(_, named)| !**named);
        match passes[index].borrowed() {
            0 => self.layers,
            _ => before
                .map(|(pass, _)| pass.progress.layers)
                .fold(self.layers, usize::min),
        }
    }

    /// The first block that any pass still has to go through.
    fn first_needed(&self, passes: &[Pass]) -> usize {
        let places = passes.iter().zip(&self.named).filter(|(_, named)| !**named);
        places
            .map(|(pass, _)| pass.progress.layers)
            .min()
            .unwrap_or(self.layers)
    }

    /// The block to read next, and the one to drop for it, if any. None while memory is full.
    fn next_block(&self, model: &Model, passes: &[Pass]) -> Option<(usize, Option<usize>)> {
        let first = self.first_needed(passes);
        let missing = (first..self.layers).find(|&layer| !model.is_whole(layer))?;
        let whole: Vec<usize> = (0..model.blocks.len()).filter(|&layer| model.is_whole(layer)).collect();
        // At least two: one to compute and one to read.
        if whole.len() < model.blocks_kept().max(2) {
            return Some((missing, None));
        }
        // The first blocks are kept, because the next run begins with them.
        let idle = whole
            .iter()
            .copied()
            .rev()
            .find(|layer| !(first..self.layers).contains(layer));
        let stuck = || whole.last().copied().filter(|_| missing == first);
        idle.or_else(stuck).map(|gone| (missing, Some(gone)))
    }
}

impl Model {
    /// Prepares to take `passes` through the first `layers` blocks.
    ///
    /// # Errors
    /// Read errors.
    pub fn begin<'a>(
        &'a mut self,
        passes: &'a mut [Pass],
        layers: usize,
        monitor: &'a dyn Monitor,
    ) -> LocalBoxFuture<'a, Result<Schedule>> {
        Box::pin(async move {
            self.load_embedding(&tokens_of(passes), monitor).await?;
            for pass in passes.iter_mut() {
                pass.progress = PassProgress {
                    layers: pass.first_layer(layers),
                    ..PassProgress::default()
                };
            }
            Ok(Schedule {
                layers,
                named: vec![false; passes.len()],
            })
        })
    }

    /// Continues until the next pass is through all blocks, and returns its number; None after the last one.
    ///
    /// The next block is read while one is computed. A schedule reads each block once: it stays until all passes have
    /// gone through it, or longer if the memory limit allows.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Cancelled`] from `monitor`, read errors. The model stays usable.
    pub fn advance<'a>(
        &'a mut self,
        schedule: &'a mut Schedule,
        passes: &'a mut [Pass],
        monitor: &'a dyn Monitor,
    ) -> LocalBoxFuture<'a, Result<Option<usize>>> {
        Box::pin(async move {
            while schedule.named.contains(&false) {
                match self.go_on(schedule, passes, monitor).await {
                    // A failed step has changed nothing, so that another engine can repeat it.
                    Err(error) => self.fall_back(error)?,
                    Ok(Some(Paused::Finished(index))) => {
                        schedule.named[index] = true;
                        return Ok(Some(index));
                    }
                    Ok(Some(Paused::Passed) | None) => {}
                }
            }
            Ok(None)
        })
    }

    /// Reads the next block, or computes if possible, until either is done. None if a block was read.
    async fn go_on(
        &mut self,
        schedule: &Schedule,
        passes: &mut [Pass],
        monitor: &dyn Monitor,
    ) -> Result<Option<Paused>> {
        let next = schedule.next_block(self, passes);
        if let Some((_, Some(gone))) = next {
            self.blocks[gone] = None;
        }
        let Some((layer, _)) = next else {
            let turn = Turn::default();
            return self.compute(schedule, passes, (CHUNK, &turn), monitor).await.map(Some);
        };
        match self.load_and_compute(layer, schedule, passes, monitor).await? {
            Either::Left(parts) => {
                let installed = parts.and_then(|parts| self.install(layer, parts));
                installed.or_else(|error| self.make_room(error)).map(|()| None)
            }
            Either::Right(paused) => Ok(Some(paused)),
        }
    }

    /// Reacts to an out-of-memory `error`: from now on, no more blocks are held than at the moment, and one is dropped
    /// for each that is read. There must be at least two: one to compute and one to read.
    fn make_room(&mut self, error: Error) -> Result<()> {
        let held = (0..self.blocks.len()).filter(|&layer| self.is_whole(layer)).count();
        let fewer = held.min(self.blocks_kept().max(2).saturating_sub(1));
        if error.kind != ErrorKind::Memory || fewer < 2 {
            return Err(error);
        }
        self.keep_blocks(fewer);
        Ok(())
    }

    /// Reads block `layer` and computes concurrently, until either is done.
    async fn load_and_compute(
        &self,
        layer: usize,
        schedule: &Schedule,
        passes: &mut [Pass],
        monitor: &dyn Monitor,
    ) -> Result<Either<Result<Parts>, Paused>> {
        let input = self.blocks[layer].as_ref().map(|block| block.input());
        let load = pin!(blocks::load(self.loader(monitor), layer, input, true, self.processing));
        let turn = Turn::default();
        let compute = pin!(self.compute(schedule, passes, (CHUNK_WHILE_LOADING, &turn), monitor));
        match select(load, compute).await {
            Either::Left((parts, compute)) => {
                // What is computed elsewhere is waited for: given up, it would have to be done again.
                if turn.is_taken.get() {
                    turn.is_last.set(true);
                    compute.await?;
                }
                Ok(Either::Left(parts))
            }
            Either::Right((paused, _)) => paused.map(Either::Right),
        }
    }

    /// Computes what can be computed, `most` rows at a time, until the last `turn`. What was computed is kept when this is dropped.
    async fn compute(
        &self,
        schedule: &Schedule,
        passes: &mut [Pass],
        (most, turn): (usize, &Turn),
        monitor: &dyn Monitor,
    ) -> Result<Paused> {
        let loading = most == CHUNK_WHILE_LOADING;
        loop {
            let Some(index) = schedule.next(self, passes) else {
                monitor.waiting();
                return pending().await;
            };
            let pass = &mut passes[index];
            if !pass.progress.begun {
                pass.begin(self.embedding()?, self.config(), schedule.layers)?;
            }
            if pass.progress.layers >= schedule.layers {
                return Ok(Paused::Finished(index));
            }
            monitor.yield_now().await?;
            monitor.computing();
            let layer = pass.progress.layers;
            turn.is_taken.set(true);
            let (blocks, rows) = match self.several(schedule, passes, index).await? {
                Some(done) => done,
                None => (1, self.step(&mut passes[index], most, schedule.layers).await?),
            };
            turn.is_taken.set(false);
            (layer..layer + blocks).for_each(|layer| monitor.computed(index, layer, rows));
            let passed = passes[index].progress.layers;
            if turn.is_last.get() || passed > layer && !loading && passed < schedule.layers {
                return Ok(Paused::Passed);
            }
        }
    }

    /// Takes the rows of the pass number `index` through as many blocks as its engine takes at once, if any; says how many, and how many rows.
    async fn several(&self, schedule: &Schedule, passes: &mut [Pass], index: usize) -> Result<Option<(usize, usize)>> {
        let (config, first) = (self.config(), passes[index].progress.layers);
        let (Some(engine), Some(rows)) = (self.computes_with().several(), passes[index].rows_at_once()) else {
            return Ok(None);
        };
        let most = engine.blocks_at_once(config, rows.len(), rows.end);
        let end = schedule.end(passes, index).min(first.saturating_add(most));
        let blocks = self.blocks[first..end].iter().map_while(|block| block.as_deref());
        let blocks: Vec<&(dyn Block + 'static)> = blocks.take_while(|block| block.rest().is_some()).collect();
        if blocks.is_empty() {
            return Ok(None);
        }
        let count = rows.len();
        let through = passes[index].through(engine, (&blocks, rows), config, schedule.layers);
        Ok(Some((through.await?, count)))
    }

    /// Takes the next rows of `pass` through the block that comes next, of `layers`; says how many.
    async fn step(&self, pass: &mut Pass, most: usize, layers: usize) -> Result<usize> {
        let block = self.blocks[pass.progress.layers]
            .as_ref()
            .ok_or_else(|| not_loaded("a block"))?;
        let most = self.computes_with().rows_at_once(self.config(), most);
        pass.step(block.as_ref(), self.config(), most, layers).await
    }
}

/// Whether a step is being computed, and whether it is the last one for now.
#[derive(Default)]
struct Turn {
    is_taken: Cell<bool>,
    is_last: Cell<bool>,
}
