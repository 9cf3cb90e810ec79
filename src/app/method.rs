//! The method page: `docs/method.md` as HTML, made when the page is built.

use std::collections::BTreeSet;

use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html::push_html};

use crate::error::{Error, ErrorKind, Result};

/// URL of the method page, relative to the page.
pub const PLACE: &str = "method.html";

/// A section of the method page to which other parts of the page link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MethodSection {
    /// Invariance of the softmax to constants.
    Softmax,
    /// Interventions, and the meaning of "frozen".
    Frozen,
}

impl MethodSection {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Softmax, Self::Frozen];

    /// The id of its heading, see [`anchor`].
    pub const fn anchor(self) -> &'static str {
        match self {
            Self::Softmax => "what-softmax-ignores",
            Self::Frozen => "interventions-and-what-frozen-means",
        }
    }
}

/// The id of the heading `text`: its words in lower case, joined by hyphens.
///
/// ```
/// use keyside::app::method::anchor;
///
/// assert_eq!(anchor("What \"frozen\" means, in short"), "what-frozen-means-in-short");
/// ```
pub fn anchor(text: &str) -> String {
    let kept = text.chars().filter(|c| c.is_alphanumeric() || " -".contains(*c));
    let words: String = kept.flat_map(char::to_lowercase).collect();
    words.split_whitespace().collect::<Vec<_>>().join("-")
}

/// The text of a heading, and its index among the `events`.
struct Heading {
    level: HeadingLevel,
    start: usize,
    text: String,
}

/// The headings of `events`.
fn headings(events: &[Event<'_>]) -> Vec<Heading> {
    let mut found: Vec<Heading> = Vec::new();
    let mut is_open = false;
    for (start, event) in events.iter().enumerate() {
        match event {
            Event::Start(Tag::Heading { level, .. }) => {
                is_open = true;
                found.push(Heading {
                    level: *level,
                    start,
                    text: String::new(),
                });
            }
            Event::End(TagEnd::Heading(_)) => is_open = false,
            Event::Text(text) | Event::Code(text) if is_open => {
                if let Some(heading) = found.last_mut() {
                    heading.text.push_str(text);
                }
            }
            _ => {}
        }
    }
    found
}

/// Converts `markdown` to the content of the method page: title, table of contents, and sections, each heading with its
/// [`anchor`] as id.
///
/// # Errors
/// [`ErrorKind::Request`] for a text without a title, two sections of one name, and HTML, which the page does not take.
pub fn html(markdown: &str) -> Result<String> {
    let wrong = |cause: String| Error::new(ErrorKind::Request, cause).expected("the Markdown of docs/method.md");
    let mut events: Vec<Event<'_>> = Parser::new_ext(markdown, Options::ENABLE_TABLES).collect();
    if let Some(Event::Html(found) | Event::InlineHtml(found)) = events
        .iter()
        .find(|event| matches!(event, Event::Html(_) | Event::InlineHtml(_)))
    {
        return Err(wrong(format!("the method has HTML: {found:?}")));
    }
    let headings = headings(&events);
    let of_level = |level| headings.iter().filter(move |heading| heading.level == level);
    if of_level(HeadingLevel::H1).count() != 1 {
        return Err(wrong("the method has not one title".into()));
    }
    let mut known = BTreeSet::new();
    for heading in &headings {
        let id = anchor(&heading.text);
        if !known.insert(id.clone()) {
            return Err(wrong(format!("two sections of the method are called {id:?}")));
        }
        if let Event::Start(Tag::Heading { id: of, .. }) = &mut events[heading.start] {
            *of = Some(CowStr::from(id));
        }
    }
    let entry = |heading: &Heading| {
        let mut name = String::new();
        push_html(&mut name, std::iter::once(Event::Text(heading.text.as_str().into())));
        format!("<li><a href=\"#{}\">{name}</a></li>", anchor(&heading.text))
    };
    let contents: String = of_level(HeadingLevel::H2).map(entry).collect();
    let contents = format!("<nav aria-label=\"Sections\"><ul>{contents}</ul></nav>\n");
    let title = events
        .iter()
        .position(|event| matches!(event, Event::End(TagEnd::Heading(_))));
    events.insert(title.map_or(0, |title| title + 1), Event::Html(contents.into()));
    let mut text = String::new();
    push_html(&mut text, events.into_iter());
    Ok(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const METHOD: &str = include_str!("../../docs/method.md");

    #[test]
    fn the_method_has_its_tables_formulas_and_sections() {
        let page = html(METHOD).unwrap();
        let rules = METHOD.lines().filter(|line| line.starts_with("| ---")).count();
        assert!(rules > 5 && page.matches("<table>").count() == rules, "{rules} tables");
        assert!(page.contains("<pre><code>score(d, s) = (x_d W_Q + b_Q)"), "no formula");
        assert_eq!(page.matches("<h2 id=").count(), METHOD.matches("\n## ").count());
        // Every entry of the table of contents links to a heading.
        let entries: Vec<&str> = page
            .split("<a href=\"#")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect();
        assert_eq!(entries.len(), METHOD.matches("\n## ").count());
        for entry in entries {
            assert!(page.contains(&format!("<h2 id=\"{entry}\">")), "{entry} leads nowhere");
        }
        for section in MethodSection::ALL {
            assert!(
                page.contains(&format!("<h2 id=\"{}\">", section.anchor())),
                "{section:?}"
            );
        }
        assert!(
            page.starts_with("<h1 id=\"method\">Method</h1>\n<nav"),
            "{}",
            &page[..80]
        );
        assert!(!page.contains("<script") && !page.contains("style="));
    }

    #[test]
    fn what_is_no_method_is_refused() {
        for (text, part) in [
            ("no title", "title"),
            ("# A\n\n## B & C\n\n## B C\n", "b-c"),
            ("# A\n\n<b>bold</b>\n", "HTML"),
        ] {
            let error = html(text).unwrap_err();
            assert!(error.to_string().contains(part), "{error}");
        }
        // Text is escaped.
        let page = html("# A\n\n## x < y & `z`\n").unwrap();
        assert!(page.contains("<a href=\"#x-y-z\">x &lt; y &amp; z</a>"), "{page}");
    }
}
