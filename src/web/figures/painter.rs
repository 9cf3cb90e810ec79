//! Scheduling of a plot's drawing.

use std::sync::Arc;
use std::time::Duration;

use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::ImageBitmap;

use super::super::document::text_of;
use super::super::page::Page;
use super::super::scheduling::when_idle;
use super::element_observer;
use super::picture::Picture;
use crate::error::{Error, ErrorKind, Result};
use crate::names::SeriesId;
use crate::plot::{DrawOptions, Scene};

/// How long drawing may take before what the reader does meanwhile comes before the rest.
const SLICE: Duration = Duration::from_millis(8);

/// Keeps a plot's two canvases drawn, the lower and the upper one.
#[derive(Clone, Copy)]
pub struct Painter {
    page: Page,
    canvases: (NodeRef<html::Canvas>, NodeRef<html::Canvas>),
    scene: Memo<Option<Arc<Scene>>>,
    size: Memo<(f64, f64)>,
    options: Memo<DrawOptions>,
    picture: StoredValue<Option<Picture>, LocalStorage>,
    /// Whether it is in view, or nearly.
    near: RwSignal<bool>,
    /// How often it has been shown anew.
    shown: RwSignal<u32>,
    /// Whether it will be drawn.
    due: StoredValue<bool>,
    /// Whether it is being drawn.
    busy: StoredValue<bool>,
    /// How often a series was lit up, or let go.
    lights: StoredValue<u32>,
}

impl Painter {
    /// Nothing is drawn yet.
    pub fn new(
        page: Page,
        canvases: (NodeRef<html::Canvas>, NodeRef<html::Canvas>),
        scene: Memo<Option<Arc<Scene>>>,
        size: Memo<(f64, f64)>,
        options: Memo<DrawOptions>,
    ) -> Self {
        Self {
            page,
            canvases,
            scene,
            size,
            options,
            picture: StoredValue::new_local(None),
            near: RwSignal::new(true),
            shown: RwSignal::new(0),
            due: StoredValue::new(false),
            busy: StoredValue::new(false),
            lights: StoredValue::new(0),
        }
    }

    /// Draws when the plot, its size or theme changes, and lights up the series that is pointed at; `frame` says whether
    /// that is in view.
    pub fn follow(self, frame: NodeRef<html::Div>) {
        element_observer::visibility_of(frame, self.near);
        Effect::new(move |_| self.changed());
        Effect::new(move |_| {
            self.shown.track();
            // Out of view nothing has to be lit up.
            let series = self.near.get().then(|| self.page.linked.lit.get()).flatten();
            if !self.page.linked.printing.get_untracked() {
                self.light(series.as_ref());
            }
        });
    }

    /// The first time it is drawn at once; later in a task of its own, so that several changes are drawn once; when it is out
    /// of view, when the browser is idle.
    fn changed(self) {
        self.canvases.0.track();
        self.canvases.1.track();
        self.scene.track();
        self.options.track();
        if self.page.linked.printing.get() {
            self.due.set_value(false);
            self.draw_for_paper();
        } else if self.shown.get_untracked() == 0 && self.near.get_untracked() && !self.busy.get_value() {
            self.begin();
            self.continue_drawing(Duration::MAX);
        } else if !self.due.get_value() {
            self.due.set_value(true);
            self.begin_later();
        }
    }

    /// Unless it is being drawn: that comes to an end first.
    fn begin_later(self) {
        if self.busy.get_value() {
            return;
        }
        // It may have been drawn since, or be gone.
        let begin = move || {
            if self.due.try_get_value() == Some(true) && !self.busy.get_value() {
                self.due.set_value(false);
                self.begin();
                self.continue_drawing(SLICE);
            }
        };
        if self.near.get_untracked() {
            set_timeout(begin, Duration::ZERO);
        } else {
            when_idle(begin);
        }
    }

    /// Does nothing where there is nothing to draw, or to draw upon.
    fn begin(self) {
        let begun = self.with_picture(|picture, scene, options| {
            picture.begin(scene, self.size.get_untracked(), options);
            Ok(())
        });
        self.busy.set_value(begun.is_some());
    }

    /// Draws for as long as `time`; the rest, and showing it, in tasks of their own: what the reader does meanwhile comes
    /// before.
    fn continue_drawing(self, time: Duration) {
        if self.busy.try_get_value() != Some(true) {
            return;
        }
        match self.with_picture(|picture, _, _| picture.continue_drawing(time)) {
            Some(true) => self.show_soon(),
            Some(false) => set_timeout(move || self.continue_drawing(time), Duration::ZERO),
            None => self.done(),
        }
    }

    fn show_soon(self) {
        match self.with_picture(|picture, _, _| picture.bitmap()).flatten() {
            Some(promise) => leptos::task::spawn_local(async move {
                match bitmap_of(promise).await {
                    Ok(bitmap) => self.show(&bitmap),
                    Err(cause) => self.fail(&cause),
                }
            }),
            None => self.done(),
        }
    }

    fn show(self, bitmap: &ImageBitmap) {
        if self.busy.try_get_value() != Some(true) {
            return;
        }
        // On paper there is another picture, until the printer is done.
        let on_paper = self.page.linked.printing.get_untracked();
        if !on_paper && self.with_picture(|picture, _, _| picture.show(bitmap)).is_some() {
            self.page.linked.mark_first();
            self.shown.update(|shown| *shown += 1);
        }
        self.done();
    }

    /// The browser has made no bitmap.
    fn fail(self, cause: &JsValue) {
        if self.busy.try_get_value() == Some(true) {
            self.tell(cause);
            self.done();
        }
    }

    fn tell(self, cause: &JsValue) {
        let error = Error::new(ErrorKind::Plot, format!("a plot can't be shown ({})", text_of(cause)));
        self.page.session.update(|session| session.fail(error));
    }

    /// What has changed meanwhile is drawn next.
    fn done(self) {
        self.busy.set_value(false);
        if self.due.get_value() {
            self.begin_later();
        }
    }

    fn draw_for_paper(self) {
        // What is being lit up would be printed.
        self.lights.update_value(|lights| *lights += 1);
        self.with_picture(|picture, scene, options| picture.draw_for_paper(scene, self.size.get_untracked(), options));
    }

    /// What `draw` answers; an error is told. None also where there is nothing to draw, or to draw upon.
    fn with_picture<T>(self, draw: impl FnOnce(&mut Picture, &Scene, &DrawOptions) -> Result<T>) -> Option<T> {
        let lower = self.canvases.0.try_get_untracked()??;
        let upper = self.canvases.1.try_get_untracked()??;
        let scene = self.scene.try_get_untracked()??;
        let options = self.options.try_get_untracked()?;
        let done = self.picture.try_update_value(|picture| {
            let picture = match picture {
                Some(picture) => picture,
                None => picture.insert(Picture::new(lower, upper)?),
            };
            draw(picture, &scene, &options)
        })?;
        done.map_err(|error| self.page.session.update(|session| session.fail(error)))
            .ok()
    }

    /// Lights a series up, or none, in tasks of its own: what the reader does meanwhile comes before.
    fn light(self, series: Option<&SeriesId>) {
        let number = self.lights.get_value() + 1;
        self.lights.set_value(number);
        if self.with_picture(|picture, scene, options| picture.begin_highlight(scene, options, series)) == Some(true) {
            set_timeout(move || self.continue_highlight(number), Duration::ZERO);
        }
    }

    /// Until another series has been pointed at, or none.
    fn continue_highlight(self, number: u32) {
        if self.lights.try_get_value() != Some(number) {
            return;
        }
        match self.with_picture(|picture, _, _| picture.continue_highlight(SLICE)) {
            Some(Some(promise)) => leptos::task::spawn_local(async move {
                let bitmap = bitmap_of(promise).await;
                if self.lights.try_get_value() != Some(number) {
                    return;
                }
                match bitmap {
                    Ok(bitmap) => drop(self.with_picture(|picture, _, _| picture.show_highlight(&bitmap))),
                    Err(cause) => self.tell(&cause),
                }
            }),
            Some(None) => set_timeout(move || self.continue_highlight(number), Duration::ZERO),
            None => {}
        }
    }
}

async fn bitmap_of(promise: js_sys::Promise) -> std::result::Result<ImageBitmap, JsValue> {
    JsFuture::from(promise).await.and_then(JsCast::dyn_into)
}
