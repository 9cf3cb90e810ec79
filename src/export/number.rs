//! Numbers as text: the shortest decimal that reads back to the same number.

use std::fmt::{Display, LowerExp};

/// `value` as the shortest decimal that reads back to the same `f32`.
pub fn single(value: f32) -> String {
    shortest(value, f64::from(value))
}

/// `value` as the shortest decimal that reads back to the same `f64`.
pub fn double(value: f64) -> String {
    shortest(value, value)
}

/// Rust prints the shortest digits; very small and very large numbers get an exponent instead of many zeros.
fn shortest(value: impl Display + LowerExp, magnitude: f64) -> String {
    match magnitude.abs() {
        size if size == 0.0 || (1e-5..1e16).contains(&size) => format!("{value}"),
        size if size.is_finite() => format!("{value:e}"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_back_to_the_same_bits() {
        for value in [
            0.0_f32,
            -0.0,
            0.1,
            -3.6671,
            1e-45,
            f32::MAX,
            f32::MIN_POSITIVE,
            16_777_217.0,
            1.0 / 3.0,
        ] {
            let text = single(value);
            assert_eq!(text.parse::<f32>().map(f32::to_bits), Ok(value.to_bits()), "{text}");
            let text = double(f64::from(value) / 7.0);
            assert_eq!(text.parse::<f64>(), Ok(f64::from(value) / 7.0), "{text}");
        }
        // Spreadsheets and Python would read "NaN" as text, too.
        assert_eq!(single(f32::NAN), "");
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!(single(0.1), "0.1");
        assert_eq!(single(-12.0), "-12");
        assert_eq!(single(3.4e-7), "3.4e-7");
        assert_eq!(double(2.5), "2.5");
    }
}
