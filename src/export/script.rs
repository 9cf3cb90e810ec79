//! Python scripts that redraw a figure from the result file, using only json and matplotlib.
//!
//! A script begins with constants that are specific to the figure; the rest is the same for every figure of a kind.

use std::fmt::Write;

use plotters::style::RGBColor;

use crate::plot::Theme;

/// The specific part of a script.
#[derive(Debug, Clone)]
pub struct Script {
    constants: String,
    imports: &'static str,
    body: &'static str,
}

impl Script {
    /// A script that imports `imports` besides json and matplotlib's pyplot. `body` uses the result file's name as
    /// `RESULT` and that of the picture to write as `PICTURE`.
    pub fn new(imports: &'static str, body: &'static str) -> Self {
        Self {
            constants: String::new(),
            imports,
            body,
        }
    }

    /// Appends a comment.
    pub fn comment(&mut self, text: &str) {
        self.push(format_args!("# {text}"));
    }

    /// Appends `name = value`.
    pub fn line(&mut self, name: &str, value: &str) {
        self.push(format_args!("{name} = {value}"));
    }

    /// Appends several texts by name.
    pub fn texts(&mut self, texts: &[(&str, &str)]) {
        texts.iter().for_each(|(name, text)| self.line(name, &quoted(text)));
    }

    /// Appends a list with one line per entry of `rows`.
    pub fn rows(&mut self, name: &str, rows: &[String]) {
        let rows: String = rows.iter().map(|row| format!("    {row},\n")).collect();
        self.push(format_args!("{name} = [\n{rows}]"));
    }

    fn push(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.constants, "{line}");
    }

    /// Appends the colors of background and text.
    pub fn colors(&mut self, theme: &Theme) {
        let colors = format!("{}, {}", hex(theme.background), hex(theme.text));
        self.line("BACKGROUND, TEXT", &colors);
    }
}

/// The text of `script`, which reads the result file `file` and writes `picture`.
pub fn python(file: &str, picture: &str, script: &Script) -> String {
    let mut names = Script::new("", "");
    names.texts(&[("RESULT", file), ("PICTURE", picture)]);
    let imports = match script.imports {
        "" => String::new(),
        imports => format!("\n{imports}"),
    };
    format!(
        "\"\"\"Redraws a figure of keyside from its result file.\n\n\
         Needs matplotlib 3.7 or newer (pip install matplotlib), and the result file in the working folder.\n\
         Written by keyside {}.\n\"\"\"\nimport json\n\nimport matplotlib.pyplot as plt{imports}\n\n{}{}{}",
        env!("CARGO_PKG_VERSION"),
        names.constants,
        script.constants,
        script.body
    )
}

/// The texts of `names` as a Python list.
pub fn list<T: ToString>(names: &[T]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| quoted(&name.to_string())).collect();
    format!("[{}]", quoted.join(", "))
}

/// `text` as a Python string literal in ASCII. It may come from a result file, which may contain anything.
pub fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            ' '..='~' => quoted.push(character),
            other if u32::from(other) <= 0xFFFF => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(other));
            }
            other => {
                let _ = write!(quoted, "\\U{:08x}", u32::from(other));
            }
        }
    }
    quoted.push('"');
    quoted
}

/// A color as a Python string that matplotlib reads.
pub fn hex(color: RGBColor) -> String {
    format!("\"#{:02x}{:02x}{:02x}\"", color.0, color.1, color.2)
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn text_cannot_leave_its_quotes() {
        assert_eq!(
            quoted("a\"b\\c\nd\u{e9}\u{1F600}"),
            "\"a\\\"b\\\\c\\u000ad\\u00e9\\U0001f600\""
        );
    }
}
