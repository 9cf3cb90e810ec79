//! How threads share work: one thread publishes a phase and works along, others take pieces of it.

use core::hint::spin_loop;
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use super::phase::Phase;

/// How long a thread looks out for work, or for the end of it, before it sleeps.
const SPINS: u32 = 4_000;
/// How long the publishing thread sleeps before it looks again, in milliseconds.
const SLEEP_MS: i32 = 250;
/// How a thread sleeps.
pub(super) trait Sleep {
    /// Sleeps without any progress after which a thread is taken for lost, where threads can be.
    const MAX_IDLE_SLEEPS: Option<u32>;

    /// Sleeps until [`Sleep::wake`] of the same word, `milliseconds` at most (or without end, if negative), unless `word`
    /// is not `value` to begin with.
    fn sleep(word: &AtomicU32, value: u32, milliseconds: i32);
    /// Wakes whoever sleeps on `word`.
    fn wake(word: &AtomicU32);
}

/// A thread has not come back with its piece of work. What it had was done again; the threads that were there then are not
/// given work any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lost;

/// What threads of a crew share. All zeros is a team without threads.
#[repr(C)]
pub(super) struct Team {
    /// Raised with each phase; threads sleep on it.
    epoch: AtomicU32,
    /// Pieces that nobody has taken.
    left: AtomicU32,
    /// Pieces that are not finished; the publishing thread sleeps on it.
    open: AtomicU32,
    /// Which threads are given work.
    crew: AtomicU32,
    /// How many threads of the crew have come.
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

    /// Does all of `phase`, with the threads that are there.
    pub(super) fn run<S: Sleep>(&self, phase: &Phase<'_>) -> Result<(), Lost> {
        let tiles = phase.tiles();
        if tiles < 2 || self.present.load(Ordering::Acquire) == 0 {
            (0..tiles).for_each(|tile| phase.run(tile));
            return Ok(());
        }
        // The lifetime is forgotten: whoever reads the pointer has taken a piece before, and this function does not return
        // before all pieces are finished.
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
        // Which pieces are missing is not known. Doing a piece again writes what was there.
        (0..tiles).for_each(|tile| phase.run(tile));
        Err(Lost)
    }

    /// Waits until nothing is open; false if nothing changes any more.
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

    /// Works with the crew `crew` until that is dismissed.
    pub(super) fn serve<S: Sleep>(&self, crew: u32) {
        if self.crew.load(Ordering::Acquire) != crew {
            return;
        }
        self.present.fetch_add(1, Ordering::AcqRel);
        loop {
            let epoch = self.epoch.load(Ordering::Acquire);
            // Whoever was thought lost must not take work: its memory may serve something else.
            if self.crew.load(Ordering::Acquire) != crew {
                return;
            }
            while let Some(tile) = self.take() {
                // SAFETY: a piece was taken, and is not finished before `open` is lowered, so `run`, which published the
                // pointer before the piece, has not returned: the phase is there. Taking has acquired what it released.
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

    /// Takes a piece that nobody has.
    fn take(&self) -> Option<usize> {
        let taken = self
            .left
            .fetch_update(Ordering::AcqRel, Ordering::Relaxed, |left| left.checked_sub(1));
        // Counted down, so that the first piece is the last number.
        taken.ok().map(|left| left as usize - 1)
    }

    /// The crew whose threads are given work.
    #[cfg(any(test, kernel_threads))]
    pub(super) fn crew(&self) -> u32 {
        self.crew.load(Ordering::Acquire)
    }

    /// How many threads of the crew have come.
    #[cfg(any(test, kernel_threads))]
    pub(super) fn present(&self) -> u32 {
        self.present.load(Ordering::Acquire)
    }

    /// Gives the threads of the crew no more work; answers the next crew.
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

    /// Gives up soon.
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
        // A thread has come, takes a piece, and is never seen again.
        team.present.store(1, Ordering::Release);
        let (rows, width) = (640, 8);
        let mut x = vec![0.0; rows * width];
        let all = Output::new(&mut x);
        let result = thread::scope(|scope| {
            let dying = scope.spawn(|| while team.take().is_none() {});
            // Until it has had its turn: before that nothing is lost.
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
        // One that comes too late leaves at once.
        team.serve::<Impatient>(0);
        let all = Output::new(&mut x);
        assert_eq!(team.run::<Impatient>(&Phase::Softmax { x: all, rows, width }), Ok(()));
    }
}
