//! Several entered sentences, one per line, one of which is in the input field.

use crate::error::{Error, ErrorKind, Result};

/// Limit of the number of lines.
pub const MAX_LINES: usize = 100;
/// Limit of the characters of a line in the selection list.
const SHORT: usize = 32;

/// The entered sentences: at least one; one of them is in the field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentenceLines {
    texts: Vec<String>,
    at: usize,
}

impl Default for SentenceLines {
    fn default() -> Self {
        Self::one(String::new())
    }
}

impl SentenceLines {
    /// A single line.
    pub fn one(text: String) -> Self {
        Self {
            texts: vec![text],
            at: 0,
        }
    }

    /// `texts`, with the first that equals `shown` in the field; only `shown` if it is not among them.
    pub fn of(texts: &[String], shown: &str) -> Self {
        match texts.iter().position(|text| text == shown) {
            Some(at) => Self {
                texts: texts.to_vec(),
                at,
            },
            None => Self::one(shown.to_owned()),
        }
    }

    /// All lines, in order.
    pub fn texts(&self) -> &[String] {
        &self.texts
    }

    /// Index of the line in the field.
    pub fn at(&self) -> usize {
        self.at
    }

    /// The text in the field.
    pub fn text(&self) -> &str {
        self.texts.get(self.at).map_or("", String::as_str)
    }

    /// Whether there is more than one.
    pub fn are_several(&self) -> bool {
        self.texts.len() > 1
    }

    /// Replaces the text in the field by `text`.
    pub fn set(&mut self, text: String) {
        if let Some(line) = self.texts.get_mut(self.at) {
            *line = text;
        }
    }

    /// Selects the line `text`; if there is none, replaces the text in the field.
    pub fn bring(&mut self, text: &str) {
        match self.texts.iter().position(|line| line == text) {
            // The same line may occur twice.
            Some(_) if self.text() == text => {}
            Some(found) => self.at = found,
            None => self.set(text.to_owned()),
        }
    }

    /// Selects line `at`, if it exists.
    pub fn choose(&mut self, at: usize) {
        if at < self.texts.len() {
            self.at = at;
        }
    }

    /// Removes the line in the field; the next one is selected. The last line is emptied instead.
    pub fn remove(&mut self) {
        if self.are_several() {
            self.texts.remove(self.at);
            self.at = self.at.min(self.texts.len() - 1);
        } else {
            self.set(String::new());
        }
    }

    /// Inserts `inserted` between `before` and `after`, the parts of the field around the caret. Every inserted line
    /// that is not blank becomes a line of its own; the first of them is selected.
    ///
    /// # Errors
    /// [`ErrorKind::Prompt`] for more than [`MAX_LINES`] lines: nothing changes then.
    pub fn insert(&mut self, before: &str, inserted: &str, after: &str) -> Result<()> {
        let whole = format!("{before}{inserted}{after}");
        let mut new: Vec<String> = whole
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(str::to_owned)
            .collect();
        if new.is_empty() {
            new.push(String::new());
        }
        let count = self.texts.len() - 1 + new.len();
        if count > MAX_LINES {
            let error = Error::new(ErrorKind::Prompt, format!("there are {count} lines"));
            return Err(error
                .expected(format!("at most {MAX_LINES}, each of which is a sentence"))
                .advice("Open \"Many prompts\" for more, under \"My own prompts\"."));
        }
        self.texts.splice(self.at..=self.at, new);
        Ok(())
    }

    /// Splits the line at the caret: `after` becomes a new line, which is selected.
    ///
    /// # Errors
    /// [`ErrorKind::Prompt`] for more than [`MAX_LINES`] lines: nothing changes then.
    pub fn split(&mut self, before: &str, after: &str) -> Result<()> {
        if self.texts.len() == MAX_LINES {
            return Err(Error::new(ErrorKind::Prompt, "there is no room for another line")
                .expected(format!("at most {MAX_LINES}, each of which is a sentence")));
        }
        self.set(before.to_owned());
        self.at += 1;
        self.texts.insert(self.at, after.to_owned());
        Ok(())
    }

    /// The prefix of error messages about the line in the field: "Line 2 of 3: "; empty if there is only one line.
    pub fn place(&self) -> String {
        if self.are_several() {
            format!("Line {} of {}: ", self.at + 1, self.texts.len())
        } else {
            String::new()
        }
    }
}

/// The beginning of a line, for the selection list.
pub fn in_short(text: &str) -> String {
    let text = text.trim();
    let mut characters = text.chars();
    let short: String = characters.by_ref().take(SHORT).collect();
    match (short.is_empty(), characters.next()) {
        (true, _) => "(empty)".into(),
        (false, None) => short,
        (false, Some(_)) => format!("{}\u{2026}", short.trim_end()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(lines: &SentenceLines) -> (Vec<&str>, usize) {
        (lines.texts().iter().map(String::as_str).collect(), lines.at())
    }

    #[test]
    fn pasted_lines_are_sentences_and_nothing_is_lost() {
        let mut lines = SentenceLines::one("When Mary".into());
        lines.insert("When ", "Ann\r\n\n  \nTom and Bo\n", "Mary").unwrap();
        assert_eq!(texts(&lines), (vec!["When Ann", "Tom and Bo", "Mary"], 0));
        lines.choose(1);
        lines.insert("Tom", "\n", "and Bo").unwrap();
        assert_eq!(texts(&lines), (vec!["When Ann", "Tom", "and Bo", "Mary"], 1));
        let before = lines.clone();
        let error = lines.insert("", &"a\n".repeat(MAX_LINES), "").unwrap_err();
        assert!(error.cause.contains("103 lines"), "{error}");
        assert_eq!(lines, before);
    }

    #[test]
    fn lines_are_split_chosen_and_removed() {
        let mut lines = SentenceLines::one("a b".into());
        lines.split("a ", "b").unwrap();
        assert_eq!(texts(&lines), (vec!["a ", "b"], 1));
        assert_eq!(lines.place(), "Line 2 of 2: ");
        lines.choose(2);
        assert_eq!(lines.at(), 1, "there is no third line");
        lines.remove();
        assert_eq!((texts(&lines), lines.place()), ((vec!["a "], 0), String::new()));
        lines.remove();
        assert_eq!(texts(&lines), (vec![""], 0));
        while lines.split("x", "y").is_ok() {}
        assert_eq!(lines.texts().len(), MAX_LINES);
    }

    #[test]
    fn what_is_asked_elsewhere_comes_into_the_field() {
        let all = ["a", "b", "a"].map(str::to_owned);
        let mut lines = SentenceLines::of(&all, "b");
        assert_eq!(lines.at(), 1);
        lines.bring("c");
        assert_eq!(texts(&lines), (vec!["a", "c", "a"], 1));
        lines.choose(2);
        lines.bring("a");
        assert_eq!(lines.at(), 2, "the line in the field is it");
        assert_eq!(texts(&SentenceLines::of(&all, "x")), (vec!["x"], 0));
    }

    #[test]
    fn a_long_line_is_told_by_its_beginning() {
        assert_eq!(in_short("  "), "(empty)");
        assert_eq!(in_short(" a b "), "a b");
        assert_eq!(
            in_short(&"na\u{ef}ve ".repeat(9)),
            "na\u{ef}ve na\u{ef}ve na\u{ef}ve na\u{ef}ve na\u{ef}ve na\u{2026}"
        );
    }
}
