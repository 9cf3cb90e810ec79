//! `keyside plot`: the figures of a result file as files.

use std::collections::BTreeSet;
use std::io::Write;

use super::PlotArguments;
use super::files::{cannot_write, read_result};
use crate::error::{Error, ErrorKind, Result};
use crate::figure::{Figure, web_page};
use crate::names::HistogramId;
use crate::plot::{HistogramPlot, HistogramView, plot_svg};
use crate::quantities::counted;
use crate::result::ResultFile;

/// `keyside plot`: writes the requested files and reports them on `out`.
///
/// # Errors
/// [`ErrorKind::ResultFile`] for a file that is no result, [`ErrorKind::Plot`] for a figure that it does not have,
/// [`ErrorKind::Source`] when files can't be read or written.
pub fn run_plot(arguments: &PlotArguments, out: &mut dyn Write) -> Result<()> {
    let result = ResultFile::from_json(&read_result(&arguments.result)?)?;
    if let Some(notice) = result.skipped_notice() {
        // A closed stderr cannot be reported anywhere.
        let _ = writeln!(std::io::stderr(), "keyside: {notice}");
    }
    let figures = figures(arguments, &result)?;
    if let Some(file) = &arguments.html {
        let page = web_page(&result, &figures)?;
        std::fs::write(file, page).map_err(|cause| cannot_write(file, &cause))?;
        // A closed pipe is no failure.
        let _ = writeln!(
            out,
            "{}: {}",
            counted(figures.len(), "figure", "figures"),
            file.display()
        );
    }
    let Some(folder) = &arguments.out else {
        return Ok(());
    };
    std::fs::create_dir_all(folder).map_err(|cause| cannot_write(folder, &cause))?;
    let mut written = 0;
    for figure in &figures {
        for (name, text) in files(arguments, figure, &result)? {
            let file = folder.join(name);
            std::fs::write(&file, text).map_err(|cause| cannot_write(&file, &cause))?;
            written += 1;
        }
    }
    let _ = writeln!(
        out,
        "{written} files of {} figures: {}",
        figures.len(),
        folder.display()
    );
    Ok(())
}

/// The requested figures with the view options.
fn figures(arguments: &PlotArguments, result: &ResultFile) -> Result<Vec<Figure>> {
    if let Some(prompt) = arguments.prompt
        && prompt > result.prompt_count()
    {
        let count = result.prompt_count();
        return Err(
            Error::new(ErrorKind::Request, format!("there is no prompt {prompt}")).expected(format!("1 to {count}"))
        );
    }
    check_histograms(arguments, result)?;
    let view = arguments.view();
    if arguments.figures.is_empty() {
        return Ok(Figure::all(result, &view));
    }
    let named = arguments.figures.iter().map(|name| Figure::named(result, name, &view));
    named.collect()
}

/// Checks that series to show or hide, and ranges of values, occur in some histogram: otherwise they are typos.
fn check_histograms(arguments: &PlotArguments, result: &ResultFile) -> Result<()> {
    let plots = HistogramId::ALL.map(|name| (name, HistogramPlot::of_result(result, name, &HistogramView::default())));
    let labels: BTreeSet<&str> = plots
        .iter()
        .flat_map(|(_, plot)| plot.series.iter().map(|series| series.label.as_str()))
        .collect();
    let mut named = arguments.show.iter().chain(&arguments.hide).map(ToString::to_string);
    if let Some(label) = named.find(|label| !labels.contains(label.as_str())) {
        let all: Vec<&str> = labels.into_iter().collect();
        return Err(Error::new(ErrorKind::Request, format!("there is no series {label:?}"))
            .expected(format!("one of {}", all.join(", "))));
    }
    let is_drawn = |name: HistogramId| {
        arguments.figures.is_empty() || arguments.figures.iter().any(|figure| *figure == name.to_string())
    };
    let drawn: Vec<&HistogramPlot> = plots
        .iter()
        .filter(|(name, _)| is_drawn(*name))
        .map(|(_, plot)| plot)
        .collect();
    match arguments.zoom {
        Some(zoom) if !drawn.iter().any(|plot| plot.within(zoom).is_some()) => {
            let range = drawn.first().map(|plot| plot.full_range());
            let expected = match range {
                Some((from, to)) => format!("a part of what a histogram shows, such as {from:.3}:{to:.3}"),
                None => "a histogram among the figures".to_owned(),
            };
            let cause = format!(
                "no histogram that is drawn has a value from {:e} to {:e}",
                zoom.0, zoom.1
            );
            Err(Error::new(ErrorKind::Request, cause).expected(expected))
        }
        _ => Ok(()),
    }
}

/// Names and contents of the files for `figure` in the requested formats.
fn files(arguments: &PlotArguments, figure: &Figure, result: &ResultFile) -> Result<Vec<(String, String)>> {
    let theme = arguments.theme.theme();
    let all = !(arguments.svg || arguments.csv || arguments.markdown || arguments.python);
    let stem = figure.stem();
    let mut files = Vec::new();
    if arguments.svg || all {
        let plot = figure.plot(result)?;
        let (width, height) = plot.picture_size();
        let size = (arguments.width.unwrap_or(width), arguments.height.unwrap_or(height));
        files.push((format!("{stem}.svg"), plot_svg(&plot, size, &theme)?));
    }
    if arguments.csv || all {
        let tables = figure.tables(result)?;
        files.extend(
            tables
                .iter()
                .map(|table| (format!("{stem}-{}.csv", table.name), table.csv())),
        );
    }
    if arguments.markdown || all {
        files.push((format!("{stem}.md"), figure.markdown(result)?));
    }
    if arguments.python || all {
        // The path as typed, so that the script works in the same folder.
        let file = arguments.result.to_string_lossy();
        files.push((format!("{stem}.py"), figure.script(result, &file, &theme)?));
    }
    Ok(files)
}
