//! Passes on their way through the blocks, while the next block is being read.

use std::future::pending;
use std::pin::pin;

use futures::future::{Either, select};

use crate::error::Result;
use crate::forward::blocks::{self, Parts};
use crate::forward::model::{not_loaded, tokens_of};
use crate::forward::pass::{CHUNK, CHUNK_WHILE_LOADING, Place};
use crate::forward::{Model, Pass, Watcher};

/// Passes on their way through the first blocks of a model.
pub struct Schedule {
    layers: usize,
    /// Passes that [`Model::advance`] has named.
    named: Vec<bool>,
}

/// Why computing paused.
enum Paused {
    /// A pass is through.
    Finished(usize),
    /// A pass has gone through a block: there may be room for another one.
    Passed,
}

impl Schedule {
    /// The pass to compute next among those whose next block is there. Where all blocks stay in memory, the first one,
    /// so that batches finish one after the other; else the one that is furthest back, so that a block can go.
    fn next(&self, model: &Model, passes: &[Pass]) -> Option<usize> {
        // A pass may borrow rows from those before it, which must have gone through the block then.
        let mut furthest_back = usize::MAX;
        let ready = (0..passes.len()).filter(|&index| {
            let next = passes[index].place.layers;
            if self.named[index] {
                return false;
            }
            let lent = next < furthest_back || passes[index].borrowed() == 0;
            furthest_back = furthest_back.min(next);
            lent && (next >= self.layers || model.is_whole(next))
        });
        match model.keeps_blocks(self.layers) {
            true => ready.min(),
            false => ready.min_by_key(|&index| passes[index].place.layers),
        }
    }

    /// The first block that a pass still has to go through.
    fn first_needed(&self, passes: &[Pass]) -> usize {
        let places = passes.iter().zip(&self.named).filter(|(_, named)| !**named);
        places.map(|(pass, _)| pass.place.layers).min().unwrap_or(self.layers)
    }

    /// The block to read next, and the one that has to go for it, if any. None while there is no room.
    fn next_block(&self, model: &Model, passes: &[Pass]) -> Option<(usize, Option<usize>)> {
        let first = self.first_needed(passes);
        let missing = (first..self.layers).find(|&layer| !model.is_whole(layer))?;
        let whole: Vec<usize> = (0..model.blocks.len()).filter(|&layer| model.is_whole(layer)).collect();
        // One that is computed, one that is read.
        if whole.len() < model.blocks_kept().max(2) {
            return Some((missing, None));
        }
        // The first blocks stay: the next run begins with them.
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
    /// Errors of reading weights.
    pub async fn begin(&mut self, passes: &mut [Pass], layers: usize, watcher: &dyn Watcher) -> Result<Schedule> {
        self.load_embedding(&tokens_of(passes), watcher).await?;
        for pass in passes.iter_mut() {
            pass.place = Place {
                layers: pass.first_layer(layers),
                ..Place::default()
            };
        }
        Ok(Schedule {
            layers,
            named: vec![false; passes.len()],
        })
    }

    /// Goes on until the next pass is through all blocks, and names it; None when all were named.
    ///
    /// While a block is computed, the next one is read. A block is read once in a schedule: it stays until all passes have
    /// gone through it, and longer where the budget allows.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Cancelled`] from `watcher`, errors of reading weights. The model stays usable.
    pub async fn advance(
        &mut self,
        schedule: &mut Schedule,
        passes: &mut [Pass],
        watcher: &dyn Watcher,
    ) -> Result<Option<usize>> {
        while schedule.named.contains(&false) {
            let next = schedule.next_block(self, passes);
            if let Some((_, Some(gone))) = next {
                self.blocks[gone] = None;
            }
            let paused = match next {
                None => self.compute(schedule, passes, CHUNK, watcher).await?,
                Some((layer, _)) => match self.load_and_compute(layer, schedule, passes, watcher).await? {
                    Either::Left(parts) => {
                        self.install(layer, parts)?;
                        continue;
                    }
                    Either::Right(paused) => paused,
                },
            };
            if let Paused::Finished(index) = paused {
                schedule.named[index] = true;
                return Ok(Some(index));
            }
        }
        Ok(None)
    }

    /// Reads block `layer` and computes what can be computed meanwhile; ends with whichever ends first.
    async fn load_and_compute(
        &self,
        layer: usize,
        schedule: &Schedule,
        passes: &mut [Pass],
        watcher: &dyn Watcher,
    ) -> Result<Either<Parts, Paused>> {
        let input = self.blocks[layer].as_ref().map(|block| block.input());
        let load = pin!(blocks::load(self.loader(watcher), layer, input, true, self.processing));
        let compute = pin!(self.compute(schedule, passes, CHUNK_WHILE_LOADING, watcher));
        match select(load, compute).await {
            Either::Left((parts, _)) => parts.map(Either::Left),
            Either::Right((paused, _)) => paused.map(Either::Right),
        }
    }

    /// Computes what can be computed, `most` rows at a time. What was computed is kept when this is dropped.
    async fn compute(
        &self,
        schedule: &Schedule,
        passes: &mut [Pass],
        most: usize,
        watcher: &dyn Watcher,
    ) -> Result<Paused> {
        let loading = most == CHUNK_WHILE_LOADING;
        loop {
            let Some(index) = schedule.next(self, passes) else {
                watcher.waiting();
                return pending().await;
            };
            let pass = &mut passes[index];
            if !pass.place.begun {
                pass.begin(self.embedding()?, self.config(), schedule.layers)?;
            }
            if pass.place.layers >= schedule.layers {
                return Ok(Paused::Finished(index));
            }
            watcher.breathe().await?;
            watcher.computing();
            let layer = pass.place.layers;
            let rows = self.step(pass, most, schedule.layers).await?;
            watcher.computed(index, layer, rows);
            if pass.place.layers > layer && !loading && pass.place.layers < schedule.layers {
                return Ok(Paused::Passed);
            }
        }
    }

    /// Takes the next rows of `pass` through the block that comes next, of `layers`; says how many.
    async fn step(&self, pass: &mut Pass, most: usize, layers: usize) -> Result<usize> {
        let block = self.blocks[pass.place.layers]
            .as_ref()
            .ok_or_else(|| not_loaded("a block"))?;
        pass.step(block.as_ref(), self.config(), most, layers).await
    }
}
