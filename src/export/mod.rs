//! What is behind a figure, to take along: tables as CSV and Markdown, SVG, a Python script, a citation.
//!
//! Everything here is a pure function of a result and of how it is shown; the page and the command line write the same bytes.

mod cite;
mod data;
mod figure;
mod number;
mod python;
mod table;

pub use cite::{Citation, bibtex, citation};
pub use data::{markdown, tables};
pub use figure::{Figure, result_stem};
pub use python::script;
pub use table::{Field, Table};
