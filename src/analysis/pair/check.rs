//! Checks of a sentence's sections when they are read from a file.

use super::targets::Between;
use super::token::LabeledToken;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Config;

/// Checks that `src` is not after `dest`, and that `dest` is within a sentence of `count` tokens, if known.
pub(super) fn check_positions(dest: usize, src: usize, count: Option<usize>) -> Result<()> {
    if src <= dest && count.is_none_or(|count| dest < count) {
        return Ok(());
    }
    let cause = format!("a head looks from position {dest} to position {src}");
    Err(Error::new(ErrorKind::ResultFile, cause).expected("positions of the sentence, the second not after the first"))
}

/// Checks that all `values` are probabilities. `what` names them in the error.
///
/// # Errors
/// [`ErrorKind::ResultFile`] where one is not.
pub(super) fn check_probabilities(what: &str, values: &[f32]) -> Result<()> {
    match values.iter().position(|value| !(0.0..=1.0).contains(value)) {
        None => Ok(()),
        Some(index) => Err(Error::new(
            ErrorKind::ResultFile,
            format!("{what}: value {index} is {}", values[index]),
        )
        .expected("probabilities, from 0 to 1")),
    }
}

/// Checks that all `values` are finite. `what` names them in the error.
///
/// # Errors
/// [`ErrorKind::ResultFile`] naming the first that is not.
pub(super) fn check_finite(what: &str, values: impl IntoIterator<Item = f32>) -> Result<()> {
    match values.into_iter().find(|value| !value.is_finite()) {
        Some(value) => Err(Error::new(ErrorKind::ResultFile, format!("{what} is {value}")).expected("finite numbers")),
        None => Ok(()),
    }
}

/// Checks that the targets `a` and `b` are two different tokens of the vocabulary.
pub(super) fn check_targets(a: &LabeledToken, b: &LabeledToken, config: &Config) -> Result<()> {
    let targets = Between { a: a.token, b: b.token };
    targets.check(config).map_err(Error::into_result_file_error)
}
