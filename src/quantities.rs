//! Numbers, counts, times and sizes as people read them.

/// `value` with `decimals` decimals and a true minus sign.
pub fn number(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(digits) if digits.bytes().all(|digit| matches!(digit, b'0' | b'.')) => digits.into(),
        Some(digits) => format!("\u{2212}{digits}"),
        None => text,
    }
}

/// At least `least` decimals, and so many that the ends of an interval this wide differ, up to two more.
pub fn decimals(width: f64, least: usize) -> usize {
    let differ = |decimals: &usize| width * 10f64.powi(*decimals as i32) >= 2.0;
    (least..least + 3).find(differ).unwrap_or(least)
}

/// `count` with thousands set apart: "24,000".
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

/// A place in an order: "1st", "22nd", "13th".
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

/// A time for people: "0.4 s", "12 s", "1 min 20 s", "2 h 5 min".
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

/// A number of bytes for people: "448.1 MB", "6.2 GB".
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
            [0.44, 9.96, 83.0, 7500.0].map(duration),
            ["0.4 s", "10 s", "1 min 23 s", "2 h 5 min"]
        );
    }
}
