//! When a plot is drawn.

use std::sync::Arc;
use std::time::Duration;

use leptos::html;
use leptos::prelude::*;

use super::super::document::{after_frame, when_idle};
use super::super::page::Page;
use super::picture::Picture;
use super::watch;
use crate::error::Result;
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
        }
    }

    /// Draws when the plot, its size or theme changes, and lights up the series that is pointed at; `frame` says whether
    /// that is in view.
    pub fn follow(self, frame: NodeRef<html::Div>) {
        watch::nearness_of(frame, self.near);
        Effect::new(move |_| self.changed());
        Effect::new(move |_| {
            self.shown.track();
            // Out of view nothing has to be lit up.
            let label = self.near.get().then(|| self.page.linked.series.get()).flatten();
            if !self.page.linked.printing.get_untracked() {
                self.light(label.as_deref());
            }
        });
    }

    /// The first time it is drawn at once; later after the next frame, so that what was pressed is seen to be pressed
    /// first, and several changes are drawn once; when it is out of view, when the browser is idle.
    fn changed(self) {
        self.canvases.0.track();
        self.canvases.1.track();
        self.scene.track();
        self.options.track();
        let first = self.shown.get_untracked() == 0;
        let near = self.near.get_untracked();
        if self.page.linked.printing.get() || (first && near) {
            self.paint();
        } else if !self.due.get_value() {
            self.due.set_value(true);
            if near {
                after_frame(move || self.paint_if_due());
            } else {
                when_idle(move || self.paint_if_due());
            }
        }
    }

    /// Unless it was drawn since, or is gone.
    fn paint_if_due(self) {
        if self.due.try_get_value() == Some(true) {
            self.paint();
        }
    }

    fn paint(self) {
        self.due.set_value(false);
        let printing = self.page.linked.printing.get_untracked();
        match self.draw(printing) {
            Some(Err(error)) => self.page.session.update(|session| session.fail(error)),
            Some(Ok(())) if !printing && self.shown.get_untracked() == 0 => self.show(),
            // In a task of its own: what the reader does meanwhile comes before.
            Some(Ok(())) if !printing => set_timeout(move || self.show(), Duration::ZERO),
            _ => {}
        }
    }

    /// None where there is nothing to draw, or to draw upon.
    fn draw(self, printing: bool) -> Option<Result<()>> {
        let lower = self.canvases.0.get_untracked()?;
        let upper = self.canvases.1.get_untracked()?;
        let scene = self.scene.get_untracked()?;
        self.picture.try_update_value(|picture| {
            let picture = match picture {
                Some(picture) => picture,
                None => picture.insert(Picture::new(lower, upper)?),
            };
            self.options.with_untracked(|options| {
                picture.draw(&scene, self.size.get_untracked(), options)?;
                if printing {
                    picture.show()?;
                    picture.draw_for_paper(&scene, options)?;
                }
                Ok(())
            })
        })
    }

    fn show(self) {
        let shown = self
            .picture
            .try_update_value(|picture| picture.as_mut().map_or(Ok(()), Picture::show));
        match shown {
            Some(Ok(())) => {
                self.page.linked.mark_first();
                self.shown.update(|shown| *shown += 1);
            }
            Some(Err(error)) => self.page.session.update(|session| session.fail(error)),
            // The figure is gone by now.
            None => {}
        }
    }

    fn light(self, label: Option<&str>) {
        let lit = self.picture.try_update_value(|picture| {
            let (Some(picture), Some(scene)) = (picture.as_mut(), self.scene.get_untracked()) else {
                return Ok(());
            };
            self.options
                .with_untracked(|options| picture.light(&scene, options, label))
        });
        if let Some(Err(error)) = lit {
            self.page.session.update(|session| session.fail(error));
        }
    }
}
