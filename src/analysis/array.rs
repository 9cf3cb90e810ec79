//! Multi-dimensional arrays.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::error::{Error, ErrorKind, Result};

/// A multi-dimensional array in row-major order. In a result file `{"shape": [2, 3], "data": [...]}`.
///
/// The number of entries in `data` always fits the shape.
///
/// ```
/// use keyside::analysis::Array;
///
/// let table = Array::new(vec![2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0])?;
/// assert_eq!(table.row(1), Some(&[4.0, 5.0, 6.0][..]));
/// assert!(Array::new(vec![2, 3], vec![1.0]).is_err());
/// # Ok::<(), keyside::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Array {
    shape: Vec<usize>,
    data: Vec<f32>,
}

/// The array as it is deserialized, before it is checked.
#[derive(Deserialize)]
struct Unchecked {
    shape: Vec<usize>,
    data: Vec<f32>,
}

impl<'de> Deserialize<'de> for Array {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_map(ArrayVisitor)
    }
}

/// Checks an array right at its end in the JSON text, so that errors name the right position.
struct ArrayVisitor;

impl<'de> Visitor<'de> for ArrayVisitor {
    type Value = Array;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array: an object with the fields `shape` and `data`")
    }

    fn visit_map<M: MapAccess<'de>>(self, fields: M) -> std::result::Result<Array, M::Error> {
        let Unchecked { shape, data } = Unchecked::deserialize(MapAccessDeserializer::new(fields))?;
        Array::new(shape, data).map_err(M::Error::custom)
    }
}

impl Array {
    /// `data` with `shape`, row-major.
    ///
    /// # Errors
    /// [`ErrorKind::ResultFile`] where the two disagree.
    pub fn new(shape: Vec<usize>, data: Vec<f32>) -> Result<Self> {
        let count = shape
            .iter()
            .try_fold(1, |count: usize, &length| count.checked_mul(length));
        if count == Some(data.len()) {
            return Ok(Self { shape, data });
        }
        let numbers = match count {
            Some(count) => count.to_string(),
            None => "more than can be counted".to_owned(),
        };
        let cause = format!("an array of shape {shape:?} has {} numbers", data.len());
        Err(Error::new(ErrorKind::ResultFile, cause).expected(numbers))
    }

    /// `data` as a vector, `[data.len()]`.
    pub fn vector(data: Vec<f32>) -> Self {
        Self {
            shape: vec![data.len()],
            data,
        }
    }

    /// `data` as rows of `length` numbers, `[data.len() / length, length]`. An incomplete last row is dropped.
    pub fn of_rows(mut data: Vec<f32>, length: usize) -> Self {
        let count = data.len().checked_div(length).unwrap_or(0);
        data.truncate(count * length);
        Self {
            shape: vec![count, length],
            data,
        }
    }

    /// The shape, the slowest index first.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// All numbers, row-major.
    pub fn data(&self) -> &[f32] {
        &self.data
    }

    /// All numbers, to change.
    pub fn data_mut(&mut self) -> &mut [f32] {
        &mut self.data
    }

    /// Row `index` of the first axis; None beyond its end, or if there is no axis.
    pub fn row(&self, index: usize) -> Option<&[f32]> {
        let (count, rest) = self.shape.split_first()?;
        let length = rest.iter().product::<usize>();
        (index < *count).then(|| &self.data[index * length..][..length])
    }

    /// Checks the shape. `what` names the array in the error.
    ///
    /// # Errors
    /// [`ErrorKind::ResultFile`] where it has not.
    pub(crate) fn check_shape(&self, what: &str, shape: &[usize]) -> Result<()> {
        if self.shape == shape {
            return Ok(());
        }
        let cause = format!("{what} has the shape {:?}", self.shape);
        Err(Error::new(ErrorKind::ResultFile, cause).expected(format!("{shape:?}")))
    }

    /// Checks the shape and that every number is finite. `what` names the array in the error.
    ///
    /// # Errors
    /// [`ErrorKind::ResultFile`] where it has not, naming the first number that is not finite.
    pub(crate) fn check(&self, what: &str, shape: &[usize]) -> Result<()> {
        self.check_shape(what, shape)?;
        match self.data.iter().position(|value| !value.is_finite()) {
            Some(index) => {
                let cause = format!("{what}: value {index} is {}", self.data[index]);
                Err(Error::new(ErrorKind::ResultFile, cause).expected("finite numbers"))
            }
            None => Ok(()),
        }
    }
}

/// Appends numbers. The array becomes a vector if it was not one.
impl Extend<f32> for Array {
    fn extend<I: IntoIterator<Item = f32>>(&mut self, values: I) {
        self.data.extend(values);
        self.shape = vec![self.data.len()];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shape_and_data_must_agree() {
        let error = Array::new(vec![2, 3], vec![0.0; 5]).expect_err("too few");
        assert_eq!(error.kind, ErrorKind::ResultFile);
        assert!(
            error.cause.contains("[2, 3] has 5 numbers") && error.expected == "6",
            "{error}"
        );
        assert!(Array::new(vec![usize::MAX, 2], Vec::new()).is_err());
        assert!(Array::new(vec![usize::MAX, 0], Vec::new()).is_ok());
        assert!(Array::new(Vec::new(), vec![1.0]).is_ok_and(|scalar| scalar.row(0).is_none()));
        let read = serde_json::from_str::<Array>(r#"{"shape": [2], "data": [1, 2, 3]}"#);
        assert!(read.is_err_and(|error| error.to_string().contains("[2] has 3 numbers")));
    }

    #[test]
    fn rows_are_row_major() {
        let array = Array::of_rows(vec![1.0, 2.0, 3.0, 4.0, 5.0], 2);
        assert_eq!((array.shape(), array.data()), (&[2, 2][..], &[1.0, 2.0, 3.0, 4.0][..]));
        assert_eq!((array.row(1), array.row(2)), (Some(&[3.0, 4.0][..]), None));
        let empty = Array::of_rows(vec![1.0], 0);
        assert_eq!((empty.shape(), empty.row(0)), (&[0, 0][..], None));
    }

    #[test]
    fn a_vector_grows() {
        let mut vector = Array::vector(Vec::new());
        vector.extend([1.0, 2.0]);
        assert_eq!(vector, Array::vector(vec![1.0, 2.0]));
    }

    #[test]
    fn numbers_that_are_not_finite_are_named() {
        let array = Array::vector(vec![1.0, f32::NAN]);
        let error = array.check("scores", &[2]).expect_err("not finite");
        assert!(error.cause.contains("scores: value 1 is NaN"), "{error}");
        let error = array.check("scores", &[3]).expect_err("other shape");
        assert!(
            error.cause.contains("scores has the shape [2]") && error.expected == "[3]",
            "{error}"
        );
    }
}
