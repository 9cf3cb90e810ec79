//! Buffers on a GPU, counted, and lent again.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

/// Scratch buffers of one size that are kept for the next step.
const KEPT_OF_A_SIZE: usize = 8;

/// Bytes of all scratch buffers that are kept for the next step: some steps of GPT-2 small, of a thousand rows each.
const KEPT: u64 = 256 << 20;

/// What is on a GPU.
#[derive(Default)]
pub(super) struct BufferPool {
    held: Cell<u64>,
    most_held: Cell<u64>,
    /// Scratch buffers that nobody uses, by size and by whether they are read.
    idle: RefCell<HashMap<(u64, bool), Vec<wgpu::Buffer>>>,
    /// Bytes of them.
    kept: Cell<u64>,
}

impl BufferPool {
    /// Bytes of weights that are there.
    pub(super) fn held(&self) -> u64 {
        self.held.get()
    }

    /// The most that there have been at once.
    pub(super) fn most_held(&self) -> u64 {
        self.most_held.get()
    }

    /// Counts `buffer`, whose weights are there until what is given is dropped.
    pub(super) fn hold(self: &Rc<Self>, buffer: wgpu::Buffer) -> WeightBuffer {
        self.held.set(self.held.get() + buffer.size());
        self.most_held.set(self.most_held.get().max(self.held.get()));
        WeightBuffer {
            pool: Rc::clone(self),
            buffer,
        }
    }

    /// A scratch buffer of `size` bytes: one that nobody uses, else the one that `make` makes.
    pub(super) fn lend(self: &Rc<Self>, size: u64, is_read: bool, make: impl FnOnce() -> wgpu::Buffer) -> Scratch {
        let known = self.idle.borrow_mut().get_mut(&(size, is_read)).and_then(Vec::pop);
        if known.is_some() {
            self.kept.set(self.kept.get() - size);
        }
        Scratch {
            pool: Rc::clone(self),
            buffer: known.unwrap_or_else(make),
            is_read,
            is_idle: Cell::new(true),
        }
    }
}

/// A buffer with weights. Its memory is free when it is dropped.
pub(super) struct WeightBuffer {
    pool: Rc<BufferPool>,
    pub(super) buffer: wgpu::Buffer,
}

impl Drop for WeightBuffer {
    fn drop(&mut self) {
        let held = &self.pool.held;
        held.set(held.get() - self.buffer.size());
        self.buffer.destroy();
    }
}

/// A buffer of one step, which the next one gets.
pub(super) struct Scratch {
    pool: Rc<BufferPool>,
    pub(super) buffer: wgpu::Buffer,
    is_read: bool,
    /// Whether nobody waits for what is in it.
    is_idle: Cell<bool>,
}

impl Scratch {
    /// Says whether nobody waits for what is in it.
    pub(super) fn set_idle(&self, is_idle: bool) {
        self.is_idle.set(is_idle);
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let (pool, size) = (&self.pool, self.buffer.size());
        let mut idle = pool.idle.borrow_mut();
        let same = idle.entry((size, self.is_read)).or_default();
        let has_room = same.len() < KEPT_OF_A_SIZE && pool.kept.get() + size <= KEPT;
        if self.is_idle.get() && has_room {
            pool.kept.set(pool.kept.get() + size);
            same.push(self.buffer.clone());
        } else {
            self.buffer.destroy();
        }
    }
}
