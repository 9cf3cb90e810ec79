//! The string literals of Rust source text.

/// The string literals of `source`, unescaped as far as the text of names goes. Comments, attributes, and items that are compiled for
/// tests only are left out.
pub fn literals(source: &str) -> Vec<String> {
    let mut reader = Reader {
        rest: source,
        found: Vec::new(),
    };
    reader.read(None);
    reader.found
}

struct Reader<'a> {
    rest: &'a str,
    found: Vec<String>,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Option<char> {
        let next = self.rest.chars().next()?;
        self.rest = &self.rest[next.len_utf8()..];
        Some(next)
    }

    fn skip(&mut self, bytes: usize) -> &'a str {
        let (skipped, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        skipped
    }

    /// Reads up to the bracket that closes, or to the end.
    fn read(&mut self, closing: Option<char>) {
        while !self.rest.is_empty() {
            if self.comment() || self.string() || self.character() || self.word() {
                continue;
            }
            if self.rest.starts_with("#[") || self.rest.starts_with("#![") {
                self.attribute();
                continue;
            }
            match self.next() {
                Some('{') => self.read(Some('}')),
                Some('(') => self.read(Some(')')),
                Some('[') => self.read(Some(']')),
                found if found.is_some() && found == closing => return,
                _ => {}
            }
        }
    }

    fn comment(&mut self) -> bool {
        if self.rest.starts_with("//") {
            let end = self.rest.find('\n').unwrap_or(self.rest.len());
            self.skip(end);
            return true;
        }
        if !self.rest.starts_with("/*") {
            return false;
        }
        let mut depth = 0;
        while !self.rest.is_empty() {
            if self.rest.starts_with("/*") {
                depth += 1;
                self.skip(2);
            } else if self.rest.starts_with("*/") {
                depth -= 1;
                self.skip(2);
                if depth == 0 {
                    break;
                }
            } else {
                self.next();
            }
        }
        true
    }

    /// `"..."`, `r"..."`, `r#"..."#`, and the same of bytes and C strings.
    fn string(&mut self) -> bool {
        let prefix = self.rest.find(|c| !matches!(c, 'b' | 'c' | 'r')).unwrap_or(0);
        let raw = self.rest[..prefix].contains('r');
        let after = &self.rest[prefix..];
        let hashes = if raw {
            after.len() - after.trim_start_matches('#').len()
        } else {
            0
        };
        if prefix > 2 || !after[hashes..].starts_with('"') {
            return false;
        }
        self.skip(prefix + hashes + 1);
        if raw {
            let end = format!("\"{}", "#".repeat(hashes));
            let length = self.rest.find(&end).unwrap_or(self.rest.len());
            let text = self.skip(length).to_owned();
            self.skip(end.len().min(self.rest.len()));
            self.found.push(text);
            return true;
        }
        let mut text = String::new();
        while let Some(next) = self.next() {
            match next {
                '"' => break,
                '\\' => match self.next() {
                    Some('n' | 't' | 'r') => text.push(' '),
                    // A line that goes on.
                    Some('\n') => self.rest = self.rest.trim_start(),
                    Some('u') => {
                        let end = self.rest.find('}').map_or(self.rest.len(), |end| end + 1);
                        let code = self.skip(end).trim_matches(['{', '}']).replace('_', "");
                        let code = u32::from_str_radix(&code, 16).ok().and_then(char::from_u32);
                        text.extend(code);
                    }
                    other => text.extend(other),
                },
                other => text.push(other),
            }
        }
        self.found.push(text);
        true
    }

    /// `'x'`, `'\n'`, `b'x'`; a lifetime is not one.
    fn character(&mut self) -> bool {
        let prefix = usize::from(self.rest.starts_with("b'"));
        let Some(after) = self.rest[prefix..].strip_prefix('\'') else {
            return false;
        };
        let mut characters = after.char_indices();
        let length = match characters.next() {
            Some((_, '\\')) => {
                // An escaped character may be a quote.
                let escaped = characters.next().map_or(0, |(at, escaped)| at + escaped.len_utf8());
                after[escaped..].find('\'').map(|end| escaped + end + 1)
            }
            Some((_, one)) => after[one.len_utf8()..].starts_with('\'').then_some(one.len_utf8() + 1),
            None => None,
        };
        self.skip(prefix + 1 + length.unwrap_or(0));
        true
    }

    /// A word or number: what begins with r or b in its middle is no string.
    fn word(&mut self) -> bool {
        let end = self.rest.find(|c: char| !c.is_alphanumeric() && c != '_');
        let end = end.unwrap_or(self.rest.len());
        self.skip(end);
        end > 0
    }

    /// An attribute, and the item after it where that is for tests only.
    fn attribute(&mut self) {
        let start = self.rest;
        let found = std::mem::take(&mut self.found);
        let inner = self.rest.starts_with("#![");
        self.skip(if inner { 3 } else { 2 });
        self.read(Some(']'));
        let attribute = start[..start.len() - self.rest.len()].replace(char::is_whitespace, "");
        if attribute == "#[cfg(test)]" || attribute == "#[test]" {
            self.item();
        }
        self.found = found;
    }

    /// The rest of an item: up to its block's end or its semicolon.
    fn item(&mut self) {
        while !self.rest.is_empty() {
            if self.comment() || self.string() || self.character() || self.word() {
                continue;
            }
            if self.rest.starts_with("#[") {
                self.attribute();
                continue;
            }
            match self.next() {
                Some('{') => return self.read(Some('}')),
                Some('(') => self.read(Some(')')),
                Some('[') => self.read(Some(']')),
                Some(';') => return,
                _ => {}
            }
        }
    }
}

#[test]
fn literals_are_told_from_what_looks_like_them() {
    let source = r####"
        //! "a comment"
        /* "a" /* "nested" */ "one" */
        #[doc = "an attribute"]
        fn f<'a>(x: &'a str) -> char { g("one", r"t\wo", r#"thr"ee"#, b"four", '"', '\'', b'"'); 'x' }
        const BAR: &str = "fi\"ve \u{2212} \
            six";
        view! { <p class="seven">{format!("{}", "eight")}</p> }
        #[cfg(test)]
        #[path = "x.rs"]
        mod tests;
        #[cfg(test)]
        mod more { const X: &str = "in a test {"; }
        #[cfg(all(test, unix))]
        const Y: &str = "nine";
    "####;
    assert_eq!(
        literals(source),
        [
            "one",
            r"t\wo",
            "thr\"ee",
            "four",
            "fi\"ve \u{2212} six",
            "seven",
            "{}",
            "eight",
            "nine"
        ]
    );
}
