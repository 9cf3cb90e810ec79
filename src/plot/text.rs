//! Estimated widths of texts.
//!
//! The layout must be the same on every backend, and natively, where there is no font: widths are estimated from those
//! of DejaVu Sans, one of the widest common fonts.

/// `text` with a sign in place of each character that is not seen or turns the order of others around: names come from files of
/// others, and may hold anything.
///
/// ```
/// use keyside::plot::visible;
///
/// assert_eq!(visible("W_U[\u{0}]\u{202e}x"), "W_U[\u{2400}]\u{fffd}x");
/// ```
pub fn visible(text: &str) -> String {
    let sign = |symbol: char| match symbol {
        // The pictures of control characters stand in their order.
        '\0'..' ' => char::from_u32(0x2400 + u32::from(symbol)).unwrap_or(REPLACEMENT),
        '\u{7f}' => '\u{2421}',
        '\u{80}'..='\u{9f}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            REPLACEMENT
        }
        '\u{fffe}' | '\u{ffff}' => REPLACEMENT,
        symbol => symbol,
    };
    text.chars().map(sign).collect()
}

/// What stands in the place of a character that has no sign.
const REPLACEMENT: char = '\u{fffd}';

/// Estimated width of `text` at font size `size`.
pub fn width(text: &str, size: f64) -> f64 {
    text.chars().map(em).sum::<f64>() * size
}

fn em(character: char) -> f64 {
    match character {
        'i' | 'j' | 'l' | 'I' | '\'' | '|' => 0.29,
        '.' | ',' | ':' | ';' | ' ' | '!' => 0.33,
        '(' | ')' | '[' | ']' | '-' | 'f' | 't' | 'r' | '/' => 0.4,
        'm' | 'w' | 'M' | 'W' | '−' | '>' | '<' | '=' | '@' => 0.9,
        '_' => 0.5,
        'A'..='Z' | '&' => 0.7,
        _ => 0.62,
    }
}

/// `text` broken at spaces into lines of at most `max_width`; a longer word has a line of its own.
pub(super) fn wrap(text: &str, size: f64, max_width: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width(line, size) + width(" ", size) + width(word, size) <= max_width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Lines of a title and their font size: one line where a font down to 0.8 `size` makes it fit.
pub(super) fn title(text: &str, size: f64, max_width: f64) -> (Vec<String>, f64) {
    let shrunk = size.min(size * max_width / width(text, size));
    let size = if shrunk >= 0.8 * size { shrunk } else { size };
    // A hair's breadth more, or rounding breaks a line that just fits.
    (wrap(text, size, max_width + 1e-6), size)
}

/// `text`, cut where it is wider than `room` at `size`.
pub(super) fn cut(text: &str, size: f64, room: f64) -> String {
    if width(text, size) <= room {
        return text.to_owned();
    }
    let mut kept = String::new();
    for character in text.chars() {
        kept.push(character);
        if width(&kept, size) + size > room {
            break;
        }
    }
    kept + "\u{2026}"
}
