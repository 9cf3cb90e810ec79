//! Sharing work between threads: one thread publishes a phase and takes part, the others take pieces of it.

use core::hint::spin_loop;
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use super::phase::Phase;

/// How often a thread polls for work, or for its end, before it sleeps.
const SPINS: u32 = 4_000;
/// How long the publishing thread sleeps before it polls again, in milliseconds.
const SLEEP_MS: i32 = 250;
/// How a thread sleeps.
pub(super) trait Sleep {
    /// After this many sleeps without any progress a thread counts as lost; None where threads cannot be lost.
    const MAX_IDLE_SLEEPS: Option<u32>;

    /// Sleeps until [`Sleep::wake`] is called for the same word, at most `milliseconds` (forever if negative). Returns
    /// at once if `word` is not `value`.
    fn sleep(word: &AtomicU32, value: u32, milliseconds: i32);
    /// Wakes the threads that sleep on `word`.
    fn wake(word: &AtomicU32);
}

/// A thread has not returned with its piece of work. The piece was computed again, and the threads of that crew get no
/// more work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lost;

/// State shared by the threads of a crew. All zeros is a team without threads.
#[repr(C)]
pub(super) struct Team {
    /// Incremented with each phase; threads sleep on it.
    epoch: AtomicU32,
    /// Number of pieces that have not been taken.
    left: AtomicU32,
    /// Number of pieces that are not finished; the publishing thread sleeps on it.
    open: AtomicU32,
    /// The number of the crew that gets work.
    crew: AtomicU32,
    /// Number of threads of the crew that have joined.
    present: AtomicU32,
    phase: AtomicPtr<Phase<'static>>,
}

impl Team {
    /// Without threads.
    #[cfg(not(kernel_module))]
    pub(super) fn new() -> Self {
        Self {
            epoch: AtomicU32::new(0),
            left: AtomicU32::new(0),
            open: AtomicU32::new(0),
            crew: AtomicU32::new(0),
            present: AtomicU32::new(0),
            phase: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Computes all of `phase`, together with the other threads.
    pub(super) fn run<S: Sleep>(&self, phase: &Phase<'_>) -> Result<(), Lost> {
        let tiles = phase.tiles();
        if tiles < 2 || self.present.load(Ordering::Acquire) == 0 {
            (0..tiles).for_each(|tile| phase.run(tile));
            return Ok(());
        }
        // The lifetime is erased: a thread reads the pointer only after taking a piece, and this function does not
        // return before all pieces are finished.
        self.phase
            .store(ptr::from_ref(phase).cast_mut().cast(), Ordering::Relaxed);
        self.open.store(tiles as u32, Ordering::Relaxed);
        self.left.store(tiles as u32, Ordering::Release);
        self.epoch.fetch_add(1, Ordering::Release);
        S::wake(&self.epoch);
        while let Some(tile) = self.take() {
            phase.run(tile);
            self.open.fetch_sub(1, Ordering::AcqRel);
        }
        if self.is_finished::<S>() {
            return Ok(());
        }
        self.dismiss::<S>();
        self.open.store(0, Ordering::Relaxed);
        // It is unknown which pieces are missing. Computing a piece again writes the same values.
        (0..tiles).for_each(|tile| phase.run(tile));
        Err(Lost)
    }

    /// Waits until all pieces are finished; false if there is no more progress.
    fn is_finished<S: Sleep>(&self) -> bool {
        let mut idle_sleeps = 0;
        let mut spins = 0;
        let mut open = self.open.load(Ordering::Acquire);
        while open > 0 {
            if spins < SPINS {
                spins += 1;
                spin_loop();
            } else if S::MAX_IDLE_SLEEPS.is_none_or(|most| idle_sleeps < most) {
                idle_sleeps = S::MAX_IDLE_SLEEPS.map_or(0, |_| idle_sleeps + 1);
                S::sleep(&self.open, open, SLEEP_MS);
            } else {
                return false;
            }
            let now = self.open.load(Ordering::Acquire);
            if now != open {
                (open, idle_sleeps) = (now, 0);
            }
        }
        true
    }

    /// Works with crew number `crew` until it is dismissed.
    pub(super) fn serve<S: Sleep>(&self, crew: u32) {
        if self.crew.load(Ordering::Acquire) != crew {
            return;
        }
        self.present.fetch_add(1, Ordering::AcqRel);
        loop {
            let epoch = self.epoch.load(Ordering::Acquire);
            // A thread that was considered lost must not take work: the memory may be in use for something else.
            if self.crew.load(Ordering::Acquire) != crew {
                return;
            }
            while let Some(tile) = self.take() {
                // SAFETY: a piece was taken and is not finished before `open` is decremented, so `run`, which published
                // the pointer before the piece, has not returned, and the phase is alive. Taking has acquired what it
                // released.
                let phase = unsafe { *self.phase.load(Ordering::Relaxed) };
                phase.run(tile);
                if self.open.fetch_sub(1, Ordering::AcqRel) == 1 {
                    S::wake(&self.open);
                }
            }
            let mut spins = 0;
            while spins < SPINS && self.epoch.load(Ordering::Relaxed) == epoch {
                spins += 1;
                spin_loop();
            }
            S::sleep(&self.epoch, epoch, -1);
        }
    }

    /// Takes the next piece.
    fn take(&self) -> Option<usize> {
        let taken = self
            .left
            .fetch_update(Ordering::AcqRel, Ordering::Relaxed, |left| left.checked_sub(1));
        // Pieces are counted down: the first piece has the highest number.
        taken.ok().map(|left| left as usize - 1)
    }

    /// The number of the crew that gets work.
    #[cfg(any(test, kernel_threads))]
    pub(super) fn crew(&self) -> u32 {
        self.crew.load(Ordering::Acquire)
    }

    /// Number of threads of the crew that have joined.
    #[cfg(any(test, kernel_threads))]
    pub(super) fn present(&self) -> u32 {
        self.present.load(Ordering::Acquire)
    }

    /// Dismisses the threads of the crew; returns the number of the next crew.
    pub(super) fn dismiss<S: Sleep>(&self) -> u32 {
        self.present.store(0, Ordering::Release);
        let crew = self.crew.fetch_add(1, Ordering::AcqRel) + 1;
        self.epoch.fetch_add(1, Ordering::Release);
        S::wake(&self.epoch);
        crew
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use super::*;
    use crate::kernel::output::Output;

    /// A `Sleep` that gives up soon.
    struct Impatient;

    impl Sleep for Impatient {
        const MAX_IDLE_SLEEPS: Option<u32> = Some(3);

        fn sleep(_: &AtomicU32, _: u32, _: i32) {
            thread::sleep(Duration::from_millis(1));
        }

        fn wake(_: &AtomicU32) {}
    }

    #[test]
    fn what_a_lost_thread_had_is_done_again_and_it_gets_no_more() {
        let team = Team::new();
        // A thread joins, takes a piece, and never returns.
        team.present.store(1, Ordering::Release);
        let (rows, width) = (640, 8);
        let mut x = vec![0.0; rows * width];
        let all = Output::new(&mut x);
        let result = thread::scope(|scope| {
            let dying = scope.spawn(|| while team.take().is_none() {});
            // Before the thread has taken its piece, nothing is lost.
            let mut result = Ok(());
            while result.is_ok() {
                result = team.run::<Impatient>(&Phase::Softmax { x: all, rows, width });
            }
            dying.join().expect("has died quietly");
            result
        });
        assert_eq!(result, Err(Lost));
        assert!(x.iter().all(|&p| p == 1.0 / width as f32), "{x:?}");
        assert_eq!((team.crew(), team.present()), (1, 0));
        // A thread that is too late returns at once.
        team.serve::<Impatient>(0);
        let all = Output::new(&mut x);
        assert_eq!(team.run::<Impatient>(&Phase::Softmax { x: all, rows, width }), Ok(()));
    }
}
