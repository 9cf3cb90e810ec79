//! Marks in a text: `When [[Mary]] and John ...`.

use std::ops::Range;

use super::errors::wrong;
use crate::error::Result;

const OPEN: &str = "[[";
const CLOSE: &str = "]]";

/// `\[[` stands for literal brackets.
const ESCAPED: &str = "\\[[";

/// A text without its marks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marked {
    /// The text.
    pub text: String,
    /// Byte ranges of the marks, in order; they do not overlap, and none is empty.
    pub marks: Vec<Range<usize>>,
}

impl Marked {
    /// Removes the marks from `line`.
    ///
    /// ```
    /// use keyside::prompts::text::Marked;
    ///
    /// let marked = Marked::read("When [[Mary]] and John went, John gave a drink [[to]]")?;
    /// assert_eq!(marked.text, "When Mary and John went, John gave a drink to");
    /// let words: Vec<&str> = marked.marks.iter().map(|mark| &marked.text[mark.clone()]).collect();
    /// assert_eq!(words, ["Mary", "to"]);
    /// # Ok::<(), keyside::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::ErrorKind::Prompt`] for a mark that does not end, is empty, or has another one in it.
    pub fn read(line: &str) -> Result<Self> {
        let (mut text, mut marks) = (String::with_capacity(line.len()), Vec::new());
        let mut rest = line;
        let mut begun: Option<usize> = None;
        while let Some(next) = rest.chars().next() {
            if begun.is_none() && rest.starts_with(ESCAPED) {
                text.push_str(OPEN);
                rest = &rest[ESCAPED.len()..];
            } else if rest.starts_with(OPEN) {
                if begun.is_some() {
                    return Err(wrong("a mark begins within another").expected("]] before the next [["));
                }
                begun = Some(text.len());
                rest = &rest[OPEN.len()..];
            } else if let Some(start) = begun.filter(|_| rest.starts_with(CLOSE)) {
                if start == text.len() {
                    return Err(wrong("a mark has nothing in it").expected("a word between [[ and ]]"));
                }
                marks.push(start..text.len());
                begun = None;
                rest = &rest[CLOSE.len()..];
            } else {
                text.push(next);
                rest = &rest[next.len_utf8()..];
            }
        }
        match begun {
            None => Ok(Self { text, marks }),
            Some(_) => Err(wrong("a mark does not end")
                .expected("]] after the marked word")
                .advice("Write \\[[ for brackets that are no mark.")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn marks_are_taken_out_and_brackets_may_be_meant() {
        for (line, text, marks) in [
            ("", "", &[][..]),
            ("no marks", "no marks", &[]),
            ("[[a]]", "a", &[(0, 1)]),
            ("[[a]][[b]]", "ab", &[(0, 1), (1, 2)]),
            ("é[[ü]] [[x y]]", "éü x y", &[(2, 4), (5, 8)]),
            ("\\[[a]] [[b]]", "[[a]] b", &[(6, 7)]),
            ("a]] [b] c\\[", "a]] [b] c\\[", &[]),
            ("[[a\\]]", "a\\", &[(0, 2)]),
        ] {
            let marked = Marked::read(line).expect(line);
            let found: Vec<(usize, usize)> = marked.marks.iter().map(|mark| (mark.start, mark.end)).collect();
            assert_eq!((marked.text.as_str(), &found[..]), (text, marks), "{line}");
        }
    }

    #[test]
    fn marks_that_are_none_are_errors() {
        for (line, words) in [
            ("[[a", "does not end"),
            ("[[", "does not end"),
            ("a [[]] b", "nothing in it"),
            ("[[a [[b]]", "within another"),
        ] {
            let error = Marked::read(line).expect_err(line);
            assert_eq!(error.kind, ErrorKind::Prompt);
            assert!(error.to_string().contains(words), "{error}");
        }
    }
}
