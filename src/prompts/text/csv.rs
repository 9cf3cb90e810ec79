//! A strict CSV parser (RFC 4180): unclosed quotes and rows of different lengths are errors.
//!
//! No library is used, because those that were examined accept an unclosed quote as a field that ends with the file.

use crate::error::{Error, ErrorKind, Result};

/// A record, and the line of the text that it begins on, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// The line.
    pub(super) line: usize,
    /// The fields, unquoted.
    pub(super) fields: Vec<String>,
}

/// The records of `text`; lines end with CRLF or LF. Empty lines are skipped.
///
/// # Errors
/// [`ErrorKind::Prompt`] naming the line, for quotes that do not close, and for text beside quotes.
pub(super) fn records(text: &str) -> Result<Vec<Record>> {
    let mut records = Vec::new();
    let (mut rest, mut line) = (text, 1);
    while !rest.is_empty() {
        let begun = line;
        let mut fields = Vec::new();
        loop {
            let (field, after) = match rest.strip_prefix('"') {
                Some(quoted) => {
                    let (field, after) = closed(quoted, begun)?;
                    line += field.matches('\n').count();
                    (field, after)
                }
                None => {
                    let end = rest.find([',', '\n']).unwrap_or(rest.len());
                    (rest[..end].trim_end_matches('\r').to_owned(), &rest[end..])
                }
            };
            fields.push(field);
            let after = after.strip_prefix('\r').unwrap_or(after);
            match after.chars().next() {
                Some(',') => rest = &after[1..],
                Some('\n') => {
                    (rest, line) = (&after[1..], line + 1);
                    break;
                }
                None => {
                    rest = "";
                    break;
                }
                Some(_) => {
                    let cause = format!("line {begun}: text stands behind a field in quotes");
                    return Err(Error::new(ErrorKind::Prompt, cause)
                        .expected("a comma or the end of the line")
                        .advice("Write quotes within a field twice."));
                }
            }
        }
        if fields.iter().any(|field| !field.is_empty()) {
            records.push(Record { line: begun, fields });
        }
    }
    Ok(records)
}

/// Parses a field after its opening quote: the field, and the text after the closing quote.
fn closed(quoted: &str, line: usize) -> Result<(String, &str)> {
    let (mut field, mut rest) = (String::new(), quoted);
    loop {
        let Some(quote) = rest.find('"') else {
            let cause = format!("line {line}: a field in quotes does not end");
            return Err(Error::new(ErrorKind::Prompt, cause).expected("a closing quote"));
        };
        field.push_str(&rest[..quote]);
        rest = &rest[quote + 1..];
        match rest.strip_prefix('"') {
            Some(after) => {
                field.push('"');
                rest = after;
            }
            None => return Ok((field, rest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Vec<(usize, Vec<String>)> {
        let records = records(text).expect(text).into_iter();
        records.map(|record| (record.line, record.fields)).collect()
    }

    fn row(line: usize, fields: &[&str]) -> (usize, Vec<String>) {
        (line, fields.iter().map(|field| (*field).to_owned()).collect())
    }

    #[test]
    fn records_are_read_by_rfc_4180() {
        assert_eq!(fields(""), []);
        assert_eq!(fields("a,b"), [row(1, &["a", "b"])]);
        assert_eq!(fields("a,b\r\nc,\r\n"), [row(1, &["a", "b"]), row(2, &["c", ""])]);
        assert_eq!(
            fields("\"a,\"\"b\"\"\r\nc\",d\n\n,\"\"\ne"),
            [row(1, &["a,\"b\"\r\nc", "d"]), row(5, &["e"])],
            "a field of two lines, empty lines and empty records"
        );
        assert_eq!(fields("a\"b,c"), [row(1, &["a\"b", "c"])]);
    }

    #[test]
    fn quotes_must_close_and_stand_alone() {
        for (text, words) in [
            ("a\n\"b", "line 2: a field in quotes does not end"),
            ("\"b\"\"", "line 1: a field in quotes does not end"),
            ("\"a\"b,c", "line 1: text stands behind"),
        ] {
            let error = records(text).expect_err(text);
            assert!(error.to_string().contains(words), "{error}");
        }
    }
}
