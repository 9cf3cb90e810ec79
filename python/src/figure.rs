//! A figure of a result.

use keyside::export::Field;
use keyside::plot::{Theme, plot_svg};
use keyside::{Error, ErrorKind};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::error::raised;
use crate::result::Result as OfResult;

/// A figure of a result with its view options.
#[pyclass(frozen, module = "keyside._keyside")]
pub struct Figure {
    result: Py<OfResult>,
    figure: keyside::figure::Figure,
}

/// The theme called `name`.
fn theme(py: Python<'_>, name: &str) -> PyResult<Theme> {
    match name {
        "light" => Ok(Theme::light()),
        "dark" => Ok(Theme::dark()),
        _ => {
            let error = Error::new(ErrorKind::Request, format!("{name:?} is not a theme")).expected("light or dark");
            Err(raised(py, &error))
        }
    }
}

impl Figure {
    pub fn new(result: Py<OfResult>, figure: keyside::figure::Figure) -> Self {
        Self { result, figure }
    }
}

#[pymethods]
impl Figure {
    /// The name, by which the result finds it.
    #[getter]
    fn name(&self) -> String {
        self.figure.id().to_string()
    }

    /// The name as part of a file's name.
    #[getter]
    fn stem(&self) -> String {
        self.figure.stem()
    }

    /// A textual description.
    fn summary(&self) -> String {
        self.figure.summary(&self.result.get().file)
    }

    /// The picture as SVG.
    fn svg(&self, py: Python<'_>, theme_name: &str, width: Option<u32>, height: Option<u32>) -> PyResult<String> {
        let theme = theme(py, theme_name)?;
        let (figure, file) = (&self.figure, &self.result.get().file);
        let drawn = py.detach(|| {
            let plot = figure.plot(file)?;
            let size = plot.picture_size();
            plot_svg(&plot, (width.unwrap_or(size.0), height.unwrap_or(size.1)), &theme)
        });
        drawn.map_err(|error| raised(py, &error))
    }

    /// An HTML fragment with the figure.
    fn html(&self, py: Python<'_>) -> PyResult<String> {
        let (figure, file) = (&self.figure, &self.result.get().file);
        py.detach(|| figure.fragment(file)).map_err(|error| raised(py, &error))
    }

    /// A complete web page with the figure.
    fn web_page(&self, py: Python<'_>) -> PyResult<String> {
        let (figure, file) = (&self.figure, &self.result.get().file);
        let text = py.detach(|| keyside::figure::web_page(file, std::slice::from_ref(figure)));
        text.map_err(|error| raised(py, &error))
    }

    /// The tables: name, caption, and the columns by name, in order.
    fn tables<'py>(&self, py: Python<'py>) -> PyResult<Vec<(&'static str, String, Bound<'py, PyDict>)>> {
        let tables = self.figure.tables(&self.result.get().file);
        let tables = tables.map_err(|error| raised(py, &error))?;
        let columns = |table: &keyside::export::Table| {
            let all = PyDict::new(py);
            for (index, name) in table.columns.iter().enumerate() {
                let fields = table.rows.iter().map(|row| field(py, row.get(index)));
                all.set_item(name, PyList::new(py, fields.collect::<PyResult<Vec<_>>>()?)?)?;
            }
            PyResult::Ok(all)
        };
        let told = tables
            .iter()
            .map(|table| Ok((table.name, table.caption.clone(), columns(table)?)));
        told.collect()
    }

    /// The tables as CSV: name and text.
    fn csv(&self, py: Python<'_>) -> PyResult<Vec<(&'static str, String)>> {
        let tables = self.figure.tables(&self.result.get().file);
        let tables = tables.map_err(|error| raised(py, &error))?;
        Ok(tables.iter().map(|table| (table.name, table.csv())).collect())
    }

    /// The shorter tables in Markdown.
    fn markdown(&self, py: Python<'_>) -> PyResult<String> {
        let text = self.figure.markdown(&self.result.get().file);
        text.map_err(|error| raised(py, &error))
    }

    /// A Python script that redraws it from the result file `file`.
    fn script(&self, py: Python<'_>, file: &str, theme_name: &str) -> PyResult<String> {
        let theme = theme(py, theme_name)?;
        let text = self.figure.script(&self.result.get().file, file, &theme);
        text.map_err(|error| raised(py, &error))
    }
}

/// A field of a table; None for an empty one.
fn field<'py>(py: Python<'py>, field: Option<&Field>) -> PyResult<Bound<'py, PyAny>> {
    Ok(match field {
        None | Some(Field::Empty) => py.None().into_bound(py),
        Some(Field::Text(text)) => text.into_pyobject(py)?.into_any(),
        Some(Field::Count(count)) => count.into_pyobject(py)?.into_any(),
        Some(Field::Single(value)) => f64::from(*value).into_pyobject(py)?.into_any(),
        Some(Field::Double(value)) => value.into_pyobject(py)?.into_any(),
    })
}
