//! The Python package keyside, its native half: models and results of the library as classes. What people call is in `python/keyside`,
//! which makes these calls; this half has no defaults and no words of its own.

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
