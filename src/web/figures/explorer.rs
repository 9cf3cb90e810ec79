//! Pointer and keyboard handling on one plot.

use std::sync::Arc;

use leptos::ev::{KeyboardEvent, PointerEvent};
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use super::super::scheduling::{Latest, SOON};
use crate::names::SeriesId;
use crate::plot::{Hover, Pin, Rect, Scene, Step, Target, Zoom};

/// A pointer that moves less than this while it is down has clicked, not dragged.
const STILL: f64 = 6.0;

/// A place in a plot, in CSS pixels.
type Point = (f64, f64);

/// What is being explored on one plot. Pointers come first, then the keyboard, then what was pinned.
#[derive(Clone, Copy)]
pub struct Explorer {
    /// The plot and where its parts stand.
    pub scene: Memo<Option<Arc<Scene>>>,
    /// Where the pointer is, in CSS pixels.
    pub pointer: RwSignal<Option<(f64, f64)>>,
    /// What the arrow keys have reached.
    keyed: RwSignal<Option<Target>>,
    /// What a click, a tap or Enter keeps.
    pinned: RwSignal<Option<Pin>>,
    /// Whether a drag moves what is shown, where that is not all.
    moves: RwSignal<bool>,
    /// The plot as it was when the pointer was pressed down.
    pressed_on: StoredValue<Option<Arc<Scene>>>,
    /// Where a drag began, and where it is.
    drag: RwSignal<Option<(Point, Point)>>,
    /// What the keyboard has reached, in words, as soon as it stays there.
    pub spoken: RwSignal<String>,
    speaking: Latest,
    /// Where the pointer was last, and whether a frame has been asked for to take it up.
    latest: StoredValue<Option<(f64, f64)>>,
    frame_due: StoredValue<bool>,
    pressed: StoredValue<Option<(f64, f64)>>,
    actions: Actions,
}

/// What a plot's owner does when its reader asks.
#[derive(Clone, Copy)]
pub struct Actions {
    /// Shows a part of the plot, or all.
    pub zoom: Callback<Zoom>,
    /// Picks a cell or a dot. True when that was done; else the explorer keeps the part's values.
    pub pick: Callback<Target, bool>,
    /// Shows all again.
    pub reset: Callback<()>,
}

impl Explorer {
    /// Nothing is pointed at.
    pub fn new(scene: Memo<Option<Arc<Scene>>>, actions: Actions, moves: RwSignal<bool>) -> Self {
        let keyed = RwSignal::new(None);
        Self {
            scene,
            pointer: RwSignal::new(None),
            keyed,
            pinned: RwSignal::new(None),
            moves,
            pressed_on: StoredValue::new(None),
            drag: RwSignal::new(None),
            spoken: RwSignal::new(String::new()),
            speaking: Latest::new(),
            latest: StoredValue::new(None),
            frame_due: StoredValue::new(false),
            pressed: StoredValue::new(None),
            actions,
        }
    }

    /// The part that is marked.
    pub fn target(self) -> Option<Target> {
        self.reached().or_else(|| self.kept().map(|kept| kept.target))
    }

    /// What is kept below the plot: what the plot itself has picked, or what was pinned and is still there.
    pub fn kept(self) -> Option<Hover> {
        self.scene.with(|scene| {
            let scene = scene.as_ref()?;
            if let Some(picked) = scene.picked() {
                return scene.hover(picked);
            }
            self.pinned.with(|pinned| scene.pinned(pinned.as_ref()?))
        })
    }

    /// The part that the tooltip is about: what the pointer or the keyboard has reached.
    pub fn reached(self) -> Option<Target> {
        if self.drag.with(Option::is_some) {
            return None;
        }
        self.scene.with(|scene| {
            let scene = scene.as_ref()?;
            let pointed = self.pointer.get().and_then(|point| scene.target_at(point));
            pointed.or_else(|| self.keyed.get())
        })
    }

    /// What is said about a part, and where.
    pub fn hover(self, target: Option<Target>) -> Option<Hover> {
        self.scene.with(|scene| scene.as_ref()?.hover(target?))
    }

    /// The series below the pointer, or that of the box that the keyboard has reached.
    pub fn series(self) -> Option<SeriesId> {
        self.scene.with(|scene| {
            let scene = scene.as_ref()?;
            let series = match self.pointer.get() {
                Some(point) => scene.series_at(point),
                None => scene.series_of(self.keyed.get()?),
            };
            series.cloned()
        })
    }

    /// What a drag that is under way selects.
    pub fn selected(self) -> Option<Rect> {
        let (from, to) = self.drag.get().filter(|_| !self.is_moving())?;
        self.scene
            .with(|scene| scene.as_ref()?.select(from, to))
            .map(|(rect, _)| rect)
    }

    /// A pointer has moved. Taken up once a frame, however many events there are.
    pub fn moved(self, event: &PointerEvent, canvas: NodeRef<html::Canvas>) {
        self.latest.set_value(Some(place(event)));
        let drags = self.drag.with_untracked(Option::is_some);
        let begins = self.pressed.get_value().is_some_and(|from| far(from, place(event)));
        if let (true, false, Some(canvas)) = (begins, drags, canvas.get_untracked()) {
            // From now on events come here, also from outside. Where that is refused, a drag ends at the edge.
            canvas.set_pointer_capture(event.pointer_id()).ok();
        }
        if !self.frame_due.get_value() {
            self.frame_due.set_value(true);
            request_animation_frame(move || self.take_up());
        }
    }

    fn take_up(self) {
        // A tab that is not painted has no frames: when the next one comes, the plot may be gone.
        let Some(latest) = self.latest.try_get_value() else {
            return;
        };
        self.frame_due.set_value(false);
        let Some(at) = latest else { return };
        self.pointer.set(Some(at));
        if let Some(from) = self.pressed.get_value()
            && (far(from, at) || self.drag.with_untracked(Option::is_some))
        {
            self.drag.set(Some((from, at)));
            self.move_on(from, at);
        }
    }

    /// Whether the drag that is under way moves what is shown.
    fn is_moving(self) -> bool {
        let can = |scene: &Option<Arc<Scene>>| Some(scene.as_ref()?.moved((0.0, 0.0), (0.0, 0.0)).is_some());
        self.moves.get() && self.pressed_on.with_value(can).unwrap_or(false)
    }

    /// Moves what is shown as the pointer has moved since it was pressed down.
    fn move_on(self, from: Point, at: Point) {
        if !untrack(|| self.is_moving()) {
            return;
        }
        let zoom = self.pressed_on.with_value(|scene| scene.as_ref()?.moved(from, at));
        if let Some(zoom) = zoom {
            self.actions.zoom.run(zoom);
        }
    }

    /// A pointer has been pressed down.
    pub fn pressed(self, event: &PointerEvent) {
        if event.button() == 0 && event.is_primary() {
            self.pressed.set_value(Some(place(event)));
            self.pressed_on.set_value(self.scene.get_untracked());
            self.latest.set_value(Some(place(event)));
            self.pointer.set(Some(place(event)));
        }
    }

    /// A pointer has been released: the end of a drag, or a click.
    pub fn released(self, event: &PointerEvent) {
        let Some(from) = self.pressed.get_value() else { return };
        let at = place(event);
        let moving = untrack(|| self.is_moving());
        if moving && far(from, at) {
            self.move_on(from, at);
        }
        self.pressed.set_value(None);
        self.drag.set(None);
        let scene = self.scene.get_untracked();
        let Some(scene) = scene else { return };
        if far(from, at) {
            if moving {
                return;
            }
            if let Some((_, zoom)) = scene.select(from, at) {
                self.actions.zoom.run(zoom);
            }
        } else if let Some(target) = scene.target_at(at) {
            self.pick(target);
        }
    }

    /// The pointer is gone, or the page scrolls with it.
    pub fn left(self) {
        self.latest.set_value(None);
        self.pointer.set(None);
    }

    /// A gesture turned out to be none of ours.
    pub fn cancelled(self) {
        self.pressed.set_value(None);
        self.drag.set(None);
        self.left();
    }

    /// The keyboard has gone elsewhere.
    pub fn blurred(self) {
        // A plot that has the focus loses it when it goes, and all of this with it.
        if self.keyed.try_set(None).is_some() {
            return;
        }
        self.speak(String::new());
    }

    /// Shows all again.
    pub fn reset(self) {
        self.actions.reset.run(());
    }

    /// A key was pressed. What it is for is said in [`crate::app::figure_words`].
    pub fn key(self, event: &KeyboardEvent) {
        if event.ctrl_key() || event.meta_key() || event.alt_key() {
            return;
        }
        let step = match event.key().as_str() {
            "ArrowLeft" => Some(Step::Left),
            "ArrowRight" => Some(Step::Right),
            "ArrowUp" => Some(Step::Up),
            "ArrowDown" => Some(Step::Down),
            "Home" => Some(Step::First),
            "End" => Some(Step::Last),
            _ => None,
        };
        let at = untrack(|| self.target());
        match (step, event.key().as_str()) {
            (Some(step), _) if event.shift_key() => self.nudge(step, event),
            (Some(step), _) => self.walk(at, step),
            (_, "Enter" | " ") => {
                if let Some(target) = at {
                    self.pick(target);
                }
            }
            (_, "Escape") => self.let_go(),
            (_, "+" | "=") => self.zoom(at, 0.5),
            (_, "-") => self.zoom(at, 2.0),
            (_, "0") => self.reset(),
            _ => return,
        }
        event.prevent_default();
    }

    fn walk(self, from: Option<Target>, step: Step) {
        let Some(scene) = self.scene.get_untracked() else {
            return;
        };
        let to = scene.step(from, step);
        self.left();
        self.keyed.set(to);
        // A key that is held would say more than can be listened to.
        self.speaking.run_after(SOON, move || {
            let words = to.and_then(|target| scene.hover(target));
            self.speak(words.map(|hover| hover.texts().join(", ")).unwrap_or_default());
        });
    }

    /// Moves what is shown by a quarter of the plot.
    fn nudge(self, step: Step, event: &KeyboardEvent) {
        let size = event.target().and_then(|target| target.dyn_into::<HtmlElement>().ok());
        let size = size.map(|canvas| (f64::from(canvas.client_width()), f64::from(canvas.client_height())));
        let (Some((width, height)), Some(scene)) = (size, self.scene.get_untracked()) else {
            return;
        };
        let middle = (width / 2.0, height / 2.0);
        let to = match step {
            Step::Left => (middle.0 + width / 4.0, middle.1),
            Step::Right => (middle.0 - width / 4.0, middle.1),
            Step::Up => (middle.0, middle.1 + height / 4.0),
            Step::Down => (middle.0, middle.1 - height / 4.0),
            Step::First | Step::Last => return,
        };
        if let Some(zoom) = scene.moved(middle, to) {
            self.actions.zoom.run(zoom);
        }
    }

    fn speak(self, words: String) {
        self.speaking.forget();
        self.spoken.set(words);
    }

    fn zoom(self, around: Option<Target>, factor: f64) {
        let zoom = self
            .scene
            .with_untracked(|scene| scene.as_ref()?.zoomed(around, factor));
        if let Some(zoom) = zoom {
            self.actions.zoom.run(zoom);
        }
    }

    fn pick(self, target: Target) {
        if self.actions.pick.run(target) {
            return;
        }
        let again = untrack(|| self.kept()).is_some_and(|kept| kept.target == target);
        let next = self.scene.with_untracked(|scene| scene.as_ref()?.pin(target));
        self.pinned.set(next.filter(|_| !again));
    }

    fn let_go(self) {
        self.pressed.set_value(None);
        self.drag.set(None);
        self.keyed.set(None);
        self.pinned.set(None);
        let picked = self.scene.with_untracked(|scene| scene.as_ref()?.picked());
        if let Some(picked) = picked {
            // Picked again, it is let go.
            self.actions.pick.run(picked);
        }
        self.left();
        self.speak(String::new());
    }
}

fn place(event: &PointerEvent) -> (f64, f64) {
    (f64::from(event.offset_x()), f64::from(event.offset_y()))
}

fn far(from: (f64, f64), to: (f64, f64)) -> bool {
    (to.0 - from.0).hypot(to.1 - from.1) > STILL
}
