//! Formats numbers, counts, times and sizes for people.

/// `value` with `decimals` decimals and a true minus sign.
pub fn number(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(digits) if digits.bytes().all(|digit| matches!(digit, b'0' | b'.')) => digits.into(),
        Some(digits) => format!("\u{2212}{digits}"),
        None => text,
    }
}

/// Range of values that are written in full; others are written with a power of ten.
const WRITTEN_OUT: std::ops::Range<f64> = 1e-4..1e7;

/// Decimals of a measured value of about 1.
const MEASURED: usize = 4;

/// Whether values are written with a power of ten, given the `largest` of them.
fn has_power(largest: f64) -> bool {
    largest > 0.0 && !WRITTEN_OUT.contains(&largest)
}

/// The exponent of the first digit of `value`, which is not 0.
fn power(value: f64) -> i32 {
    value.abs().log10().floor() as i32
}

/// `value` with a power of ten and `decimals` decimals before that: "2.85e38". 0 is "0".
fn with_power(value: f64, decimals: usize) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    format!("{value:.decimals$e}").replace('-', "\u{2212}")
}

/// Number of decimals that distinguish multiples of `step`.
pub fn decimals_of(step: f64) -> usize {
    (-(step * (1.0 + 1e-9)).log10().floor()).clamp(0.0, 15.0) as usize
}

/// Formats a multiple of `step`; with a power of ten if `largest`, the largest value shown together with it, is too
/// small or too large to be written in full.
///
/// ```
/// use keyside::quantities::multiple;
///
/// assert_eq!(multiple(4.2, 0.2, 10.0), "4.2");
/// assert_eq!(multiple(2.85e38, 5e36, 3e38), "2.85e38");
/// ```
pub fn multiple(value: f64, step: f64, largest: f64) -> String {
    if step <= 0.0 || !has_power(largest) {
        return number(value, decimals_of(step));
    }
    // Rounding errors around 0.
    let value = if value.abs() < step * 1e-6 { 0.0 } else { value };
    let digits = if value == 0.0 {
        0
    } else {
        power(value) - power(step * (1.0 + 1e-9))
    };
    with_power(value, digits.clamp(0, 15) as usize)
}

/// Formats a measured value with four decimals: see [`written`].
pub fn measured(value: f64, largest: f64) -> String {
    written(value, MEASURED, largest)
}

/// Formats `value` with `decimals` decimals; with more if `largest`, the largest value shown together with it, is
/// small, and with a power of ten if that cannot be written in full.
///
/// ```
/// use keyside::quantities::written;
///
/// assert_eq!(written(0.25, 4, 4.0), "0.2500");
/// assert_eq!(written(0.0012, 4, 0.0031), "0.001200");
/// assert_eq!(written(1.5e-9, 2, 3e-9), "1.50e\u{2212}9");
/// ```
pub fn written(value: f64, decimals: usize, largest: f64) -> String {
    if has_power(largest) {
        return with_power(value, decimals);
    }
    let small = if largest > 0.0 && largest < 0.01 {
        (-power(largest) - 1).unsigned_abs() as usize
    } else {
        0
    };
    number(value, decimals + small)
}

/// At least `least` decimals, up to two more, so that the ends of an interval of this width differ.
pub fn decimals(width: f64, least: usize) -> usize {
    let differ = |decimals: &usize| width * 10f64.powi(*decimals as i32) >= 2.0;
    (least..least + 3).find(differ).unwrap_or(least)
}

/// `count` with thousands separators: "24,000".
pub fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|group| std::str::from_utf8(group).unwrap_or_default())
        .collect();
    groups.join(",")
}

/// "1 prompt", "40 prompts".
pub fn counted(count: usize, thing: &str, things: &str) -> String {
    format!("{} {}", grouped(count), if count == 1 { thing } else { things })
}

/// An ordinal number: "1st", "22nd", "13th".
pub fn ordinal(place: usize) -> String {
    let ending = match (place / 10 % 10, place % 10) {
        (1, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{}{ending}", grouped(place))
}

/// A duration: "0.4 s", "12 s", "1 min 20 s", "2 h 5 min".
pub fn duration(seconds: f64) -> String {
    if seconds < 9.95 {
        return format!("{:.1} s", seconds.max(0.0));
    }
    let whole = seconds.round() as u64;
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

/// A number of bytes: "448.1 MB", "6.2 GB".
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_a_true_minus_and_thousands_set_apart() {
        assert_eq!(number(-2.345, 2), "\u{2212}2.35");
        assert_eq!(number(-0.001, 2), "0.00");
        assert_eq!(number(4.50509, 4), "4.5051");
        assert_eq!(
            [0, 999, 1000, 24_000, 1_234_567].map(grouped),
            ["0", "999", "1,000", "24,000", "1,234,567"]
        );
        assert_eq!(counted(1, "batch", "batches"), "1 batch");
        assert_eq!(
            [1, 2, 3, 4, 11, 12, 22, 63, 90, 111, 1003].map(ordinal),
            [
                "1st", "2nd", "3rd", "4th", "11th", "12th", "22nd", "63rd", "90th", "111th", "1,003rd"
            ]
        );
        assert_eq!(
            [0.0, 3e38, -3e38, 2.85e38].map(|value| multiple(value, 5e36, 3e38)),
            ["0", "3.00e38", "\u{2212}3.00e38", "2.85e38"]
        );
        // The smallest value that single precision has, and one beside it.
        assert_eq!(multiple(1.4e-45, 2e-46, 1.6e-45), "1.4e\u{2212}45");
        assert_eq!(
            [4.0, -0.2, 1e-17].map(|value| multiple(value, 0.2, 4.0)),
            ["4.0", "\u{2212}0.2", "0.0"]
        );
        assert_eq!(multiple(5.000_000_1, 1e-7, 5.0), "5.0000001");
        assert_eq!(measured(-0.0031, 0.0031), "\u{2212}0.003100");
        assert_eq!([measured(0.0, 0.0), measured(0.0, 1e-9)], ["0.0000", "0"]);
        assert_eq!(measured(12345.678, 12345.678), "12345.6780");
        assert_eq!(
            [0.44, 9.96, 83.0, 7500.0].map(duration),
            ["0.4 s", "10 s", "1 min 23 s", "2 h 5 min"]
        );
    }
}
