//! The native half of the Python package keyside: models and results of the library as classes. The public API is in
//! `python/keyside`, which calls this half; defaults and documentation are there.

mod error;
mod figure;
mod link;
mod model;
mod model_thread;
mod objects;
mod place;
mod result;
mod sweep;

/// `keyside._keyside`.
#[pyo3::pymodule]
mod _keyside {
    use pyo3::prelude::{Bound, PyModule, PyModuleMethods, PyResult};

    #[pymodule_export]
    use super::figure::Figure;
    #[pymodule_export]
    use super::model::Model;
    #[pymodule_export]
    use super::result::{Result, faults};
    #[pymodule_export]
    use super::sweep::{Sweep, SweepFolder};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("VERSION", env!("CARGO_PKG_VERSION"))?;
        module.add("SCHEMA", keyside::cli::SCHEMA)
    }
}
