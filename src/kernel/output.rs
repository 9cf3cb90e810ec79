//! Output shared by several threads, each of which writes its own part.

use core::marker::PhantomData;
use core::slice;

/// A slice that is written in parts.
#[derive(Clone, Copy)]
pub(super) struct Output<'a> {
    at: *mut f32,
    len: usize,
    marker: PhantomData<&'a mut [f32]>,
}

// SAFETY: it stands for a `&mut [f32]`, which may be sent to another thread; `part` requires that parts do not overlap.
unsafe impl Send for Output<'_> {}
// SAFETY: as above.
unsafe impl Sync for Output<'_> {}

impl<'a> Output<'a> {
    pub(super) fn new(all: &'a mut [f32]) -> Self {
        Self {
            at: all.as_mut_ptr(),
            len: all.len(),
            marker: PhantomData,
        }
    }

    /// The `len` numbers from `start` on. Panics where there are fewer.
    ///
    /// # Safety
    /// No other part that overlaps this one is in use at the same time, by any thread.
    #[inline(always)]
    pub(super) unsafe fn part(self, start: usize, len: usize) -> &'a mut [f32] {
        assert!(start <= self.len && len <= self.len - start);
        // SAFETY: within the slice that `new` borrowed for 'a; the caller guarantees that nobody else uses this part.
        unsafe { slice::from_raw_parts_mut(self.at.add(start), len) }
    }
}
