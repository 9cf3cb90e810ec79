//! Errors of the library as Python exceptions.

use keyside::{Error, ErrorKind};
use pyo3::prelude::*;

/// `error` as a Python exception: `keyside.Error` with kind, cause, expectation and advice.
pub fn raised(py: Python<'_>, error: &Error) -> PyErr {
    made(py, error).unwrap_or_else(|failed| failed)
}

fn made(py: Python<'_>, error: &Error) -> PyResult<PyErr> {
    let kind = kind_name(error.kind);
    let fields = (kind, &error.cause, &error.expected, &error.advice);
    let exception = py.import("keyside._errors")?.getattr("of_kind")?.call1(fields)?;
    Ok(PyErr::from_value(exception))
}

/// The kind's name in snake case: "result_file".
fn kind_name(kind: ErrorKind) -> String {
    serde_json::to_value(kind).map_or_else(
        |_| "internal".to_owned(),
        |name| name.as_str().unwrap_or_default().to_owned(),
    )
}

/// An internal error, which no input should be able to cause.
pub fn internal(cause: impl Into<String>) -> Error {
    Error::new(ErrorKind::Internal, cause).advice("Please report this with the model and the call that led to it.")
}
