//! Deferred tasks: after the next frame, when the browser is idle, or debounced. The browser then first shows the
//! effect of a press.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::time::Duration;

use leptos::leptos_dom::helpers::{TimeoutHandle, set_timeout_with_handle};
use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use web_sys::IdleRequestOptions;

/// The delay of debounced choices and messages: on a slow machine keys are released by then.
pub const SOON: Duration = Duration::from_millis(80);

type Task = Box<dyn FnOnce()>;

// Closures that are made once: making two for every task takes a slow machine milliseconds of the very frame that is
// waited for.
thread_local! {
    /// Tasks that run after a frame, in order.
    static WAITING: RefCell<VecDeque<Task>> = const { RefCell::new(VecDeque::new()) };
    static RUN_NEXT: Closure<dyn FnMut()> = Closure::new(|| {
        if let Some(task) = WAITING.with_borrow_mut(VecDeque::pop_front) {
            task();
        }
    });
    static LEAVE_FRAME: Closure<dyn FnMut()> = Closure::new(|| {
        // `setTimeout` does not fail.
        RUN_NEXT.with(|run| window().set_timeout_with_callback(run.as_ref().unchecked_ref()).ok());
    });
}

/// Runs `task` after the next frame, so that the browser first shows the pressed control.
pub fn after_frame(task: impl FnOnce() + 'static) {
    WAITING.with_borrow_mut(|waiting| waiting.push_back(Box::new(task)));
    // Every task requests a frame of its own, so that it waits for exactly one frame. The request does not fail.
    LEAVE_FRAME.with(|leave| window().request_animation_frame(leave.as_ref().unchecked_ref()).ok());
}

/// Runs `task` when the browser is idle, or soon; after a short timeout where the browser has no idle callback.
pub fn when_idle(task: impl FnOnce() + 'static) {
    let task = Closure::once_into_js(task);
    let latest = IdleRequestOptions::new();
    latest.set_timeout(1000);
    let asked = window().request_idle_callback_with_options(task.unchecked_ref(), &latest);
    // Safari has no `requestIdleCallback`.
    if asked.is_err() {
        let task = task.unchecked_ref();
        // `setTimeout` does not fail.
        window()
            .set_timeout_with_callback_and_timeout_and_arguments_0(task, 100)
            .ok();
    }
}

/// A debounced task: of several that are set in quick succession, the last one is run.
#[derive(Clone, Copy)]
pub struct Latest(StoredValue<Option<TimeoutHandle>>);

impl Latest {
    /// No task is waiting.
    pub fn new() -> Self {
        Self(StoredValue::new(None))
    }

    /// Runs `task` after `wait`, and drops the task that is waiting.
    pub fn run_after(self, wait: Duration, task: impl FnOnce() + 'static) {
        self.forget();
        self.0.set_value(set_timeout_with_handle(task, wait).ok());
    }

    /// Drops the waiting task.
    pub fn forget(self) {
        if let Some(timer) = self.0.try_update_value(Option::take).flatten() {
            timer.clear();
        }
    }
}
