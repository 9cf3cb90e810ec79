//! Export actions: copying to the clipboard and saving.

use leptos::prelude::*;
use plotters::drawing::IntoDrawingArea;
use plotters_canvas::CanvasBackend;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, HtmlCanvasElement};

use super::action::Action;
use crate::app::export::file_name;
use crate::app::words;
use crate::error::{Error, ErrorKind, Result};
use crate::export::{Citation, bibtex, citation};
use crate::figure::{Figure, FigurePlace, web_page};
use crate::plot::{DrawOptions, Plot, Theme, plot_svg};
use crate::web::document::text_of;
use crate::web::page::Page;
use crate::web::{readback, save};

/// Pixels of a PNG per pixel of the figure.
const SCALE: f64 = 2.0;

/// The promises that an action waits for.
pub(super) enum Pending {
    /// Finished; the text reports it.
    Done(String),
    /// Waits for the clipboard; the text reports it.
    Copy(js_sys::Promise, &'static str),
    /// Waits for a picture and for the clipboard that it is copied to.
    CopyPicture(js_sys::Promise, js_sys::Promise),
    /// Waits for a picture, which is then saved under this name.
    Picture(js_sys::Promise, String),
}

/// Starts `action`, which may finish at once.
pub(super) fn perform(page: Page, place: FigurePlace, action: Action) -> Result<Pending> {
    let shown = page.shown.get_untracked();
    let result = &shown
        .as_ref()
        .ok_or_else(|| Error::new(ErrorKind::Plot, "there is no result yet"))?
        .result;
    let figure = page.view.with_untracked(|view| Figure::at(place, view));
    let theme = if page.dark.get_untracked() {
        Theme::dark()
    } else {
        Theme::light()
    };
    let save_text = |end: &str, kind: &str, text: &str| {
        let file = file_name(result, &figure, end);
        save::save_text(&file, kind, text)?;
        Ok(Pending::Done(format!("Saved {file}.")))
    };
    let copy = |text: &str, done| Ok(Pending::Copy(save::copy_text(text)?, done));
    match action {
        Action::SavePng => {
            let file = file_name(result, &figure, ".png");
            Ok(Pending::Picture(picture(&figure.plot(result)?, theme)?, file))
        }
        Action::CopyPicture => {
            let png = picture(&figure.plot(result)?, theme)?;
            let copied = save::copy_png(&png)?;
            Ok(Pending::CopyPicture(png, copied))
        }
        Action::SaveSvg => {
            let plot = figure.plot(result)?;
            save_text(".svg", "image/svg+xml", &plot_svg(&plot, plot.picture_size(), &theme)?)
        }
        Action::SavePage => save_text(
            ".html",
            "text/html;charset=utf-8",
            &web_page(result, std::slice::from_ref(&figure))?,
        ),
        Action::SaveCsv(name, _) => {
            let tables = figure.tables(result)?;
            let table = tables.iter().find(|table| table.name == name);
            let csv = table
                .ok_or_else(|| Error::new(ErrorKind::Plot, format!("there is no table {name}")))?
                .csv();
            save_text(&format!("-{name}.csv"), "text/csv;charset=utf-8", &csv)
        }
        Action::CopyMarkdown => copy(&figure.markdown(result)?, "Copied the tables as Markdown."),
        Action::SaveMarkdown => save_text(".md", "text/markdown;charset=utf-8", &figure.markdown(result)?),
        Action::CopyPython => copy(
            &figure.script(result, &words::file_name(result), &theme)?,
            "Copied the script. Save the result beside it.",
        ),
        Action::SavePython => {
            let text = figure.script(result, &words::file_name(result), &theme)?;
            save_text(".py", "text/x-python;charset=utf-8", &text)
        }
        Action::SaveResult => {
            let file = words::file_name(result);
            save::save_text(&file, "application/json", &result.to_json()?)?;
            Ok(Pending::Done(format!("Saved {file}.")))
        }
        Action::CopyCitation => copy(&citation(result, &seen_now()), "Copied the citation."),
        Action::CopyBibtex => copy(&bibtex(result, &seen_now()), "Copied the BibTeX entries."),
    }
}

/// Waits until a started action has finished.
pub(super) async fn finish(pending: Pending) -> Result<String> {
    match pending {
        Pending::Done(done) => Ok(done),
        Pending::Copy(promise, done) => {
            save::copied(promise).await?;
            Ok(done.into())
        }
        Pending::CopyPicture(picture, copied) => {
            // Created before the picture is awaited, since an unhandled rejection is reported as an error of the page.
            let copied = JsFuture::from(copied);
            made(picture).await?;
            copied.await.map_err(|cause| save::not_copied(&cause))?;
            Ok("Copied the picture.".into())
        }
        Pending::Picture(promise, file) => {
            save::save(&file, &made(promise).await?)?;
            Ok(format!("Saved {file}."))
        }
    }
}

/// Awaits the picture of `picture`.
async fn made(picture: js_sys::Promise) -> Result<Blob> {
    let failed = |cause: JsValue| {
        Error::new(
            ErrorKind::Plot,
            format!("the picture can't be made ({})", text_of(&cause)),
        )
        .advice("Save it as SVG instead.")
    };
    let blob = JsFuture::from(picture).await;
    blob.and_then(JsCast::dyn_into).map_err(failed)
}

/// The figure as PNG, as it is exported: with title and legend.
fn picture(plot: &Plot, theme: Theme) -> Result<js_sys::Promise> {
    let none = || Error::new(ErrorKind::Plot, "this browser gives no canvas to draw on");
    let canvas: HtmlCanvasElement = document()
        .create_element("canvas")
        .map_err(|_| none())?
        .unchecked_into();
    let (width, height) = plot.picture_size();
    canvas.set_width((f64::from(width) * SCALE) as u32);
    canvas.set_height((f64::from(height) * SCALE) as u32);
    let backend = CanvasBackend::with_canvas_object(canvas.clone()).ok_or_else(none)?;
    plot.draw(&backend.into_drawing_area(), &DrawOptions::canvas(SCALE, theme))?;
    Ok(readback::png(canvas))
}

/// A citation with the page's current address and today's date.
fn seen_now() -> Citation {
    let today = String::from(js_sys::Date::new_0().to_iso_string());
    Citation {
        link: window().location().href().ok(),
        accessed: today.split('T').next().map(str::to_owned),
    }
}
