//! Scheduling of a plot's drawing.

use std::sync::Arc;
use std::time::Duration;

use leptos::html;
use leptos::prelude::*;

use super::super::page::Page;
use super::super::scheduling::when_idle;
use super::element_observer;
use super::picture::Picture;
use crate::error::Result;
use crate::names::SeriesId;
use crate::plot::{DrawOptions, Scene};

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
            let series = self.near.get().then(|| self.page.linked.series.get()).flatten();
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
        } else if self.shown.get_untracked() == 0 && self.near.get_untracked() {
            self.draw();
        } else if !self.due.get_value() {
            self.due.set_value(true);
            // It may have been drawn for paper since, or be gone.
            let draw = move || {
                if self.due.try_get_value() == Some(true) {
                    self.due.set_value(false);
                    self.draw();
                }
            };
            if self.near.get_untracked() {
                set_timeout(draw, Duration::ZERO);
            } else {
                when_idle(draw);
            }
        }
    }

    /// Does nothing where there is nothing to draw, or to draw upon.
    fn draw(self) {
        let drawn =
            self.with_picture(|picture, scene, options| picture.draw(scene, self.size.get_untracked(), options));
        if drawn == Some(true) {
            self.page.linked.mark_first();
            self.shown.update(|shown| *shown += 1);
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

    /// Lights a series up in a task of its own, unless another one has been pointed at by then; or none.
    fn light(self, series: Option<&SeriesId>) {
        let number = self.lights.get_value() + 1;
        self.lights.set_value(number);
        let series = series.cloned();
        let light = move || {
            if self.lights.try_get_value() == Some(number) {
                self.with_picture(|picture, scene, options| picture.highlight(scene, options, series.as_ref()));
            }
        };
        set_timeout(light, Duration::ZERO);
    }
}
