//! Exports of figures: tables as CSV and Markdown, Python scripts, web pages, citations.
//!
//! [`crate::figure`] defines them for each figure. The page and the command line write the same bytes.

mod cite;
mod files;
mod number;
mod script;
mod table;
mod web_page;

pub use cite::{Citation, bibtex, citation};
pub use files::{plain, result_stem};
pub use number::{double, single};
pub use script::{Script, hex, list, python, quoted};
pub use table::{Field, Table, markdown_text};
pub(crate) use web_page::escaped;
pub use web_page::{Around, fragment, page};
