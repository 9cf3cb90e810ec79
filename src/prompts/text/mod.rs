//! The user's own prompts: one per line, or CSV.
//!
//! Marks give the positions: in `When [[Mary]] and John went to the store, John gave a drink [[to]]` the first mark is
//! the source (the key), the last one the destination (the query). With one mark, the destination is the last token;
//! without marks, positions are given as numbers.

mod csv;
mod errors;
mod locate;
mod marks;
mod place;
mod set;

use serde::{Deserialize, Serialize};

use self::csv::Record;
use self::errors::{SHOWN, shown, wrong};
use self::locate::{Located, locate};
pub use self::marks::Marked;
pub use self::place::Place;
pub use self::set::TextSet;
use super::ioi::random::PythonRandom;
use super::{Prompt, RANDOM, Targets};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Tokenizer;
use crate::names::PositionName;

/// Limit of the prompts of one text.
pub const MAX_PROMPTS: usize = 1000;
/// Limit of the bytes of one text.
pub const MAX_BYTES: usize = 4_000_000;
/// Limit of the characters of one prompt: more than any GPT-2 context holds.
const MAX_CHARS: usize = 50_000;

/// Columns of a CSV text. Its header must contain all of them.
const COLUMNS: [&str; 5] = ["text", "dest", "src", "a", "b"];

/// The format of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// One prompt per line; blank lines are skipped.
    #[default]
    Lines,
    /// CSV (RFC 4180) with the header `text,dest,src,a,b`, in any order: positions as numbers, or empty if there are
    /// marks; `a` and `b` are the target tokens, as text, and may be empty.
    Csv,
}

/// The user's text, and how to read it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TextPrompts {
    /// The text.
    pub text: String,
    /// The format.
    #[serde(default)]
    pub format: Format,
    /// Destination in prompts without one, counted from 0 (BOS included, if there is one); None for the last token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dest: Option<usize>,
    /// Source in prompts without one, counted alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub src: Option<usize>,
    /// Whether prompts start with BOS.
    #[serde(default)]
    pub prepend_bos: bool,
    /// Seed of the random tokens drawn with the prompts.
    #[serde(default)]
    pub seed: u64,
}

/// The parsed prompts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadPrompts {
    /// The prompts, in the order of the text.
    pub prompts: Vec<Prompt>,
    /// Remarks for the user, such as marked words that consist of several tokens. Sentences.
    pub notes: Vec<String>,
}

impl TextPrompts {
    /// The text in `bytes`.
    ///
    /// # Errors
    /// [`ErrorKind::Prompt`] where it is not UTF-8, naming the line, or longer than 4 MB.
    pub fn text_of(bytes: &[u8]) -> Result<&str> {
        if bytes.len() > MAX_BYTES {
            let cause = format!("the prompts are {} bytes long", bytes.len());
            return Err(Error::new(ErrorKind::Prompt, cause).expected(format!("at most {MAX_BYTES}")));
        }
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let before = &bytes[..error.valid_up_to()];
            let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
            let begin = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            let shown = String::from_utf8_lossy(&bytes[begin..bytes.len().min(begin + SHOWN)]).into_owned();
            let shown = shown.lines().next().unwrap_or_default().to_owned();
            Error::new(ErrorKind::Prompt, format!("line {line} ({shown:?}) is not UTF-8"))
                .advice("Save the file as UTF-8.")
        })?;
        // The byte order mark of some editors.
        Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
    }

    /// An upper bound of the number of prompts: its lines that are not blank.
    pub fn most(&self) -> usize {
        let lines = self.text.lines().filter(|line| !line.trim().is_empty());
        lines.count().min(MAX_PROMPTS)
    }

    /// Checks the text as far as possible without a model: the number of prompts, and their marks. Returns the number
    /// of prompts.
    ///
    /// # Errors
    /// [`ErrorKind::Prompt`] that names the line and shows it.
    pub fn check(&self) -> Result<usize> {
        let lines = self.counted_lines()?;
        for line in &lines {
            line.marked().map_err(|error| line.blamed(error))?;
        }
        Ok(lines.len())
    }

    /// Tokenizes the prompts and finds their positions.
    ///
    /// # Errors
    /// [`ErrorKind::Prompt`] that names the line and shows it, for texts that are empty, longer than `n_ctx` tokens, or
    /// whose marks, positions or target tokens don't fit; and for more than 1,000 prompts, or none.
    pub fn read(&self, tokenizer: &Tokenizer, n_ctx: usize) -> Result<ReadPrompts> {
        let lines = self.counted_lines()?;
        let mut random = PythonRandom::new(self.seed);
        let (mut prompts, mut notes) = (Vec::with_capacity(lines.len()), Vec::new());
        for line in &lines {
            let read = self
                .prompt(line, tokenizer, n_ctx)
                .map_err(|error| line.blamed(error))?;
            let (mut prompt, note) = read;
            let d_vocab = u32::try_from(tokenizer.d_vocab()).unwrap_or(u32::MAX);
            prompt.drawn = [(RANDOM.to_owned(), random.below(d_vocab))].into();
            prompts.push(prompt);
            notes.extend(note);
        }
        Ok(ReadPrompts { prompts, notes })
    }

    /// The prompts as written: at least one, and not too many.
    fn counted_lines(&self) -> Result<Vec<Line>> {
        let lines = match self.format {
            Format::Lines => self.lines(),
            Format::Csv => self.csv_lines()?,
        };
        if lines.is_empty() {
            return Err(wrong("there is no prompt").expected("a text on a line"));
        }
        if let Some(line) = lines.get(MAX_PROMPTS) {
            let cause = format!("there are {} prompts; {} is one too many", lines.len(), line.shown());
            return Err(wrong(cause).expected(format!("at most {MAX_PROMPTS}")));
        }
        Ok(lines)
    }

    /// The lines with prompts.
    fn lines(&self) -> Vec<Line> {
        let lines = self.text.lines().enumerate();
        let line = |(index, text): (usize, &str)| Line {
            number: index + 1,
            text: text.to_owned(),
            ..Line::default()
        };
        lines.filter(|(_, text)| !text.trim().is_empty()).map(line).collect()
    }

    /// The records with prompts.
    fn csv_lines(&self) -> Result<Vec<Line>> {
        let mut records = csv::records(&self.text)?.into_iter();
        let header = records
            .next()
            .ok_or_else(|| wrong("there is no header").expected(COLUMNS.join(",")))?;
        let columns = columns(&header)?;
        let line = |record: Record| {
            let Record { line: number, fields } = record;
            if fields.len() != columns.len() {
                let fields_text = |count: usize| {
                    if count == 1 {
                        "1 field".to_owned()
                    } else {
                        format!("{count} fields")
                    }
                };
                return Err(wrong(format!(
                    "line {number} ({}) has {}",
                    shown(&fields.join(",")),
                    fields_text(fields.len())
                ))
                .expected(format!("{}, as the header", fields_text(columns.len())))
                .advice("Put a text with a comma in quotes."));
            }
            let mut line = Line {
                number,
                ..Line::default()
            };
            for (column, field) in columns.iter().zip(fields) {
                line.take(column, field)?;
            }
            Ok(line)
        };
        records.map(line).collect()
    }

    /// The prompt of one line, and a remark on it.
    fn prompt(&self, line: &Line, tokenizer: &Tokenizer, n_ctx: usize) -> Result<(Prompt, Option<String>)> {
        let Marked { text, marks } = line.marked()?;
        let (mut tokens, mut ends) = tokenizer.encode_with_ends(&text)?;
        let bos = usize::from(self.prepend_bos);
        if self.prepend_bos {
            tokens.insert(0, tokenizer.bos_token()?);
            ends.insert(0, 0);
        }
        if tokens.len() > n_ctx {
            return Err(wrong(format!("it has {} tokens", tokens.len()))
                .expected(format!("at most {n_ctx}, the model's context"))
                .advice("Shorten it."));
        }
        let located: Vec<Located> = marks
            .iter()
            .map(|mark| locate(&text, mark, &ends[bos..], bos))
            .collect::<Result<_>>()?;
        let marked = |mark: Option<&Located>| mark.map(|mark| mark.position);
        // With one mark, the destination is the last token.
        let (src, dest) = (located.first(), located.get(1));
        let src = position("src", marked(src), line.src, self.src, tokens.len())?.ok_or_else(|| {
            wrong("it has no mark, and no position of the source is given")
                .expected("a mark, as in When [[Mary]] and John")
                .advice("Mark the word that the head looks to, or give its position.")
        })?;
        let dest = position("dest", marked(dest), line.dest, self.dest, tokens.len())?.unwrap_or(tokens.len() - 1);
        if dest < src {
            return Err(wrong(format!("its destination, {dest}, is before its source, {src}"))
                .expected("a head looks back: a destination at the source or after it"));
        }
        let several: Vec<String> = located.iter().filter_map(|mark| mark.several.clone()).collect();
        let note = (!several.is_empty()).then(|| {
            format!(
                "In line {} {}: the position is the last of these tokens.",
                line.number,
                several.join(" and ")
            )
        });
        let prompt = Prompt {
            text,
            tokens,
            positions: [(PositionName::Dest, dest), (PositionName::Src, src)].into(),
            targets: Targets {
                a: target("a", &line.a, tokenizer)?,
                b: target("b", &line.b, tokenizer)?,
            },
            ..Prompt::default()
        };
        Ok((prompt, note))
    }
}

/// A prompt as it is written.
#[derive(Debug, Default)]
struct Line {
    /// Line number in the text, counted from 1.
    number: usize,
    text: String,
    dest: Option<usize>,
    src: Option<usize>,
    a: String,
    b: String,
}

impl Line {
    /// Sets the field of a column of [`COLUMNS`].
    fn take(&mut self, column: &str, field: String) -> Result<()> {
        match column {
            "dest" => self.dest = self.number(column, &field)?,
            "src" => self.src = self.number(column, &field)?,
            "a" => self.a = field,
            "b" => self.b = field,
            _ => self.text = field,
        }
        Ok(())
    }

    /// The text and its marks, at most two.
    fn marked(&self) -> Result<Marked> {
        let chars = self.text.chars().count();
        if chars > MAX_CHARS {
            return Err(wrong(format!("it has {chars} characters")).expected(format!("at most {MAX_CHARS}")));
        }
        let marked = Marked::read(&self.text)?;
        if marked.text.trim().is_empty() {
            return Err(wrong("its text is empty"));
        }
        if marked.marks.len() > 2 {
            return Err(wrong(format!("it has {} marks", marked.marks.len()))
                .expected("at most two: the source and the destination")
                .advice("Write \\[[ for brackets that are no mark."));
        }
        Ok(marked)
    }

    fn number(&self, column: &str, field: &str) -> Result<Option<usize>> {
        match field.trim() {
            "" => Ok(None),
            number => number.parse().map(Some).map_err(|_| {
                wrong(format!("line {}: {column} is {}", self.number, shown(field)))
                    .expected("a position, counted from 0, or nothing where a mark is")
            }),
        }
    }

    /// "line 3 (\"When Mary ...\")".
    fn shown(&self) -> String {
        format!("line {} ({})", self.number, shown(&self.text))
    }

    /// `error` with the line added.
    fn blamed(&self, error: Error) -> Error {
        Error {
            cause: format!("{}: {}", self.shown(), error.cause),
            ..error
        }
    }
}

/// The columns of a header, in its order.
fn columns(header: &Record) -> Result<Vec<&'static str>> {
    let find = |name: &String| COLUMNS.into_iter().find(|column| *column == name.trim());
    let found: Vec<&str> = header.fields.iter().filter_map(find).collect();
    let missing: Vec<&str> = COLUMNS.into_iter().filter(|column| !found.contains(column)).collect();
    let cause = match header.fields.iter().find(|name| find(name).is_none()) {
        Some(other) => format!("the header has a column {}", shown(other)),
        None if !missing.is_empty() => format!("the header lacks {}", missing.join(", ")),
        None if found.len() > COLUMNS.len() => "the header has a column twice".to_owned(),
        None => return Ok(found),
    };
    Err(wrong(format!(
        "line {} ({}): {cause}",
        header.line,
        shown(&header.fields.join(","))
    ))
    .expected(COLUMNS.join(",")))
}

/// The position called `name`: marked, given in the line, or the default of all prompts.
fn position(
    name: &str,
    marked: Option<usize>,
    own: Option<usize>,
    of_all: Option<usize>,
    tokens: usize,
) -> Result<Option<usize>> {
    if marked.is_some() && own.is_some() {
        return Err(wrong(format!("its {name} is both marked and given as a number")).expected("one of them"));
    }
    let position = marked.or(own).or(of_all);
    match position.filter(|position| *position >= tokens) {
        Some(outside) => Err(wrong(format!(
            "its {name} is position {outside}, outside of its {tokens} tokens"
        ))
        .expected(format!("0 to {}", tokens - 1))),
        None => Ok(position),
    }
}

fn target(name: &str, text: &str, tokenizer: &Tokenizer) -> Result<Option<u32>> {
    if text.is_empty() {
        return Ok(None);
    }
    let token = tokenizer.single_token(text).map_err(|error| Error {
        cause: format!("its {name}: {}", error.cause),
        expected: "one token".to_owned(),
        advice: "A word within a sentence begins with a space.".to_owned(),
        ..error
    })?;
    Ok(Some(token))
}

#[cfg(test)]
mod tests;
