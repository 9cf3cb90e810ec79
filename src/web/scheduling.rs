//! What is done later than it is asked for, so that the reader sees what was pressed before.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::time::Duration;

use leptos::leptos_dom::helpers::{TimeoutHandle, set_timeout_with_handle};
use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use web_sys::IdleRequestOptions;

/// How long what is chosen or said waits for the next choice: on a slow machine keys are released by then.
pub const SOON: Duration = Duration::from_millis(80);

type Task = Box<dyn FnOnce()>;

// Closures that are made once: to make two for every task takes a slow machine milliseconds of the very frame that is waited for.
thread_local! {
    /// What runs after a frame, in the order in which it was asked for.
    static WAITING: RefCell<VecDeque<Task>> = const { RefCell::new(VecDeque::new()) };
    static RUN_NEXT: Closure<dyn FnMut()> = Closure::new(|| {
        if let Some(task) = WAITING.with_borrow_mut(VecDeque::pop_front) {
            task();
        }
    });
    static LEAVE_FRAME: Closure<dyn FnMut()> = Closure::new(|| {
        // Timers can always be set.
        RUN_NEXT.with(|run| window().set_timeout_with_callback(run.as_ref().unchecked_ref()).ok());
    });
}

/// Runs `task` after the next frame: what the browser shows of a press by itself is seen first.
pub fn after_frame(task: impl FnOnce() + 'static) {
    WAITING.with_borrow_mut(|waiting| waiting.push_back(Box::new(task)));
    // Every task has a request of its own, so that each one waits for the frame after it, and no longer. None is ever refused.
    LEAVE_FRAME.with(|leave| window().request_animation_frame(leave.as_ref().unchecked_ref()).ok());
}

/// A signal that follows `source` after the frame that shows the change.
pub fn after_frames_of<T: Clone + PartialEq + Send + Sync + 'static>(source: RwSignal<T>) -> RwSignal<T> {
    let follower = RwSignal::new(source.get_untracked());
    let due = StoredValue::new(false);
    Effect::new(move |_| {
        let same = source.with(|source| follower.with_untracked(|follower| source == follower));
        if !same && !due.get_value() {
            due.set_value(true);
            after_frame(move || {
                // Both may be gone by now, or the same again.
                if let Some(now) = source.try_get_untracked() {
                    due.set_value(false);
                    if follower.with_untracked(|follower| *follower != now) {
                        follower.set(now);
                    }
                }
            });
        }
    });
    follower
}

/// Runs `task` when the browser has nothing else to do, or soon; a little later where a browser can't tell.
pub fn when_idle(task: impl FnOnce() + 'static) {
    let task = Closure::once_into_js(task);
    let latest = IdleRequestOptions::new();
    latest.set_timeout(1000);
    let asked = window().request_idle_callback_with_options(task.unchecked_ref(), &latest);
    // Safari has no such function.
    if asked.is_err() {
        let task = task.unchecked_ref();
        // Timers can always be set.
        window()
            .set_timeout_with_callback_and_timeout_and_arguments_0(task, 100)
            .ok();
    }
}

/// A task that waits for a moment: of several that come quickly, the last one is run.
#[derive(Clone, Copy)]
pub struct Latest(StoredValue<Option<TimeoutHandle>>);

impl Latest {
    /// Nothing waits.
    pub fn new() -> Self {
        Self(StoredValue::new(None))
    }

    /// Lets `task` wait for as long as `wait`, in place of what waits now.
    pub fn run_after(self, wait: Duration, task: impl FnOnce() + 'static) {
        self.forget();
        self.0.set_value(set_timeout_with_handle(task, wait).ok());
    }

    /// Nothing is run.
    pub fn forget(self) {
        if let Some(timer) = self.0.try_update_value(Option::take).flatten() {
            timer.clear();
        }
    }
}
