//! Tables, as CSV and Markdown.

use super::number;

/// One field of a [`Table`].
#[derive(Debug, Clone, PartialEq)]
pub enum Field {
    /// Nothing: the component does not exist, or the value is unknown.
    Empty,
    /// Text.
    Text(String),
    /// An integer.
    Count(usize),
    /// A number of the result.
    Single(f32),
    /// A number computed from the result.
    Double(f64),
}

impl Field {
    /// The text; numbers are the shortest decimal that reads back to the same number.
    pub fn exact(&self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Text(text) => text.clone(),
            Self::Count(count) => count.to_string(),
            Self::Single(value) => number::single(*value),
            Self::Double(value) => number::double(*value),
        }
    }

    /// Whether it is a number.
    pub fn is_number(&self) -> bool {
        matches!(self, Self::Count(_) | Self::Single(_) | Self::Double(_))
    }
}

impl From<&str> for Field {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// A table: every row has a field per column.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// A name for file names: "values", "bins", ...
    pub name: &'static str,
    /// Title of its figure.
    pub title: String,
    /// The contents in a sentence.
    pub caption: String,
    /// The columns' names.
    pub columns: Vec<String>,
    /// The rows, `[rows, columns]`.
    pub rows: Vec<Vec<Field>>,
}

impl Table {
    /// The table as CSV (RFC 4180): header line, CRLF line ends, fields quoted where necessary.
    pub fn csv(&self) -> String {
        let mut text = String::new();
        csv_line(&mut text, self.columns.iter().map(String::as_str));
        for row in &self.rows {
            let fields: Vec<String> = row.iter().map(Field::exact).collect();
            csv_line(&mut text, fields.iter().map(String::as_str));
        }
        text
    }

    /// The table in Markdown, with its caption above; columns of numbers are right-aligned.
    pub fn markdown(&self) -> String {
        let mut text = format!("{}\n\n", markdown_text(&self.caption));
        markdown_line(&mut text, self.columns.iter().map(|name| markdown_text(name)));
        let rules = (0..self.columns.len()).map(|column| if self.is_numeric(column) { "---:" } else { "---" });
        markdown_line(&mut text, rules.map(str::to_owned));
        for row in &self.rows {
            markdown_line(&mut text, row.iter().map(|field| markdown_text(&field.exact())));
        }
        text
    }

    /// Whether `column` contains only numbers and empty fields, and at least one number.
    pub fn is_numeric(&self, column: usize) -> bool {
        let fields = || self.rows.iter().filter_map(|row| row.get(column));
        fields().any(Field::is_number) && fields().all(|field| field.is_number() || *field == Field::Empty)
    }
}

fn csv_line<'a>(text: &mut String, fields: impl Iterator<Item = &'a str>) {
    for (index, field) in fields.enumerate() {
        if index > 0 {
            text.push(',');
        }
        if field.contains(['"', ',', '\r', '\n']) {
            text.push('"');
            text.push_str(&field.replace('"', "\"\""));
            text.push('"');
        } else {
            text.push_str(field);
        }
    }
    text.push_str("\r\n");
}

fn markdown_line(text: &mut String, fields: impl Iterator<Item = String>) {
    for field in fields {
        text.push_str("| ");
        text.push_str(&field);
        text.push(' ');
    }
    text.push_str("|\n");
}

/// `text` with Markdown characters escaped: names come from a result file, which may contain anything.
pub fn markdown_text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut before = ' ';
    for character in text.chars() {
        match character {
            '\\' | '|' | '`' | '*' | '<' | '&' => escaped.extend(['\\', character]),
            // A link; lone brackets stay as they are: "W_U[IO]".
            '(' | '[' | ':' if before == ']' => escaped.extend(['\\', character]),
            control if control.is_control() => escaped.push(' '),
            plain => escaped.push(plain),
        }
        before = character;
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        Table {
            name: "made_up",
            title: "Made up".into(),
            caption: "Made up.".into(),
            columns: vec!["label".into(), "a,b".into(), "n".into()],
            rows: vec![
                vec!["W_U[IO]".into(), Field::Single(0.1), Field::Count(3)],
                vec!["say \"hi\",\r\nyou|me".into(), Field::Empty, Field::Double(-2.5)],
            ],
        }
    }

    #[test]
    fn csv_is_quoted_where_it_must_be() {
        let expected = "label,\"a,b\",n\r\nW_U[IO],0.1,3\r\n\"say \"\"hi\"\",\r\nyou|me\",,-2.5\r\n";
        assert_eq!(table().csv(), expected);
    }

    #[test]
    fn markdown_escapes_what_would_be_markup() {
        let expected = "Made up.\n\n| label | a,b | n |\n| --- | ---: | ---: |\n| W_U[IO] | 0.1 | 3 |\n\
                        | say \"hi\",  you\\|me |  | -2.5 |\n";
        assert_eq!(table().markdown(), expected);
        assert_eq!(
            markdown_text("<img src=x> [a](http://b) [c]: d `e` &amp; *f* \\"),
            "\\<img src=x> [a]\\(http://b) [c]\\: d \\`e\\` \\&amp; \\*f\\* \\\\"
        );
    }
}
