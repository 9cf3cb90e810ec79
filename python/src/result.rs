//! The native class `Result`: a result file in memory.

use keyside::figure::Shown;
use keyside::plot::SeriesOrder;
use keyside::result::ResultFile;
use keyside::{Error, ErrorKind};
use pyo3::prelude::*;

use crate::error::raised;
use crate::figure::Figure;
use crate::objects::object;

/// A result file.
#[pyclass(frozen, module = "keyside._keyside")]
pub struct Result {
    /// The result file.
    pub file: ResultFile,
}

impl From<ResultFile> for Result {
    fn from(file: ResultFile) -> Self {
        Self { file }
    }
}

#[pymethods]
impl Result {
    /// Reads a result file of any version.
    #[staticmethod]
    fn from_json(py: Python<'_>, text: &[u8]) -> PyResult<Self> {
        let read = py.detach(|| ResultFile::from_json(text));
        read.map(Self::from).map_err(|error| raised(py, &error))
    }

    /// The result file as JSON.
    fn to_json(&self, py: Python<'_>) -> PyResult<String> {
        let written = py.detach(|| self.file.to_json());
        written.map_err(|error| raised(py, &error))
    }

    /// The kinds of its sections, in their order.
    fn kinds(&self) -> Vec<&'static str> {
        self.file.sections.iter().map(|section| section.kind()).collect()
    }

    /// The section of a kind, its arrays as NumPy arrays; None where there is none.
    fn section<'py>(&self, py: Python<'py>, kind: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        let section = self.file.sections.iter().find(|section| section.kind() == kind);
        section.map(|section| object(py, section)).transpose()
    }

    /// A field of the file besides its sections.
    fn field<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        let file = &self.file;
        let found = match name {
            "model" => object(py, &file.model),
            "config" => object(py, &file.config),
            "processing" => object(py, &file.processing),
            "prompt_set" => object(py, &file.prompt_set),
            "prompts" => object(py, &file.prompts),
            "skipped" => object(py, &file.skipped),
            "timing" => object(py, &file.timing),
            _ => return Ok(None),
        };
        found.map(Some)
    }

    /// The head that it is about.
    fn head(&self) -> Option<String> {
        self.file.head().map(|head| head.to_string())
    }

    /// The earlier head of its substituted vectors.
    fn earlier_head(&self) -> Option<String> {
        self.file.earlier_head().map(|head| head.to_string())
    }

    /// Number of its prompts.
    fn prompt_count(&self) -> usize {
        self.file.prompt_count()
    }

    /// A notice if sections of unknown kinds were skipped.
    fn skipped_notice(&self) -> Option<String> {
        self.file.skipped_notice()
    }

    /// The summary that the command line prints.
    fn summary(&self, py: Python<'_>) -> String {
        py.detach(|| keyside::cli::summary(&self.file))
    }

    /// The names of its figures.
    fn figures(&self) -> Vec<String> {
        let all = keyside::figure::Figure::all(&self.file, &Shown::default().view());
        all.iter().map(|figure| figure.id().to_string()).collect()
    }

    /// A figure, by name.
    #[allow(clippy::too_many_arguments, reason = "each is an option of the command line's plot")]
    fn figure(
        slf: Bound<'_, Self>,
        name: &str,
        bins: Option<usize>,
        log: bool,
        zoom: Option<(f64, f64)>,
        order: &str,
        show: Vec<String>,
        hide: Vec<String>,
        prompt: Option<usize>,
        as_in_notebook: bool,
    ) -> PyResult<Figure> {
        let py = slf.py();
        let file = &slf.get().file;
        let wrong =
            |cause: String, expected: String| raised(py, &Error::new(ErrorKind::Request, cause).expected(expected));
        let found = SeriesOrder::ALL.into_iter().find(|known| known.value() == order);
        let order = found.ok_or_else(|| {
            let known = SeriesOrder::ALL.map(SeriesOrder::value).join(", ");
            wrong(format!("{order:?} is no order of series"), known)
        })?;
        if let Some(prompt) = prompt.filter(|prompt| !(1..=file.prompt_count()).contains(prompt)) {
            let expected = format!("1 to {}", file.prompt_count());
            return Err(wrong(format!("there is no prompt {prompt}"), expected));
        }
        let is_range = |(low, high): (f64, f64)| low.is_finite() && high.is_finite() && low < high;
        if let Some((low, high)) = zoom.filter(|zoom| !is_range(*zoom)) {
            let expected = "two numbers, the smaller one first, such as (-2, 4.5)".to_owned();
            return Err(wrong(format!("({low}, {high}) is no range of values"), expected));
        }
        if let Some(bins) = bins.filter(|bins| !(1..=1000).contains(bins)) {
            return Err(wrong(format!("{bins} bins can't be drawn"), "1 to 1000".to_owned()));
        }
        let series = |names: Vec<String>| names.iter().map(|name| name.as_str().into()).collect();
        let shown = Shown {
            bins,
            log,
            zoom,
            order,
            show: series(show),
            hide: series(hide),
            prompt,
            as_in_notebook,
        };
        let figure = keyside::figure::Figure::named(file, name, &shown.view());
        let figure = figure.map_err(|error| raised(py, &error))?;
        Ok(Figure::new(slf.unbind(), figure))
    }
}

/// The faults of a result file, as sentences.
#[pyfunction]
pub fn faults(py: Python<'_>, text: &[u8]) -> PyResult<Vec<String>> {
    let found = py.detach(|| keyside::cli::faults(text));
    found.map_err(|error| raised(py, &error))
}
