//! Texts about a sentence.

use crate::analysis::{AttentionSection, PairSection};
use crate::error::{Error, ErrorKind, Result};
use crate::math::sort_descending;
use crate::names::{Component, Head, PositionName, Relative, Side};
use crate::quantities::{counted, number};
use crate::result::ResultFile;

/// The token at `position` as people read it: without the space before it, in quotation marks. "position 3" where the texts are not
/// known.
pub fn quoted(texts: &[String], position: usize) -> String {
    let Some(text) = texts.get(position) else {
        return format!("position {position}");
    };
    match text.trim() {
        "" => format!("\u{201c}{}\u{201d}", visible(text)),
        word => format!("\u{201c}{}\u{201d}", visible(word)),
    }
}

/// The same, with its position where the word stands in the sentence more than once.
pub fn word(texts: &[String], position: usize) -> String {
    let at = |position: usize| texts.get(position).map(|text| text.trim());
    let again = (0..texts.len()).any(|other| other != position && at(other) == at(position));
    if again {
        format!("{} ({position})", quoted(texts, position))
    } else {
        quoted(texts, position)
    }
}

/// `text` with spaces and control characters that can be seen.
pub fn visible(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            ' ' => '\u{b7}',
            '\n' => '\u{21b5}',
            '\t' => '\u{21e5}',
            '\u{7f}' => '\u{2421}',
            control @ '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(control)).unwrap_or(control),
            control if control.is_control() => '\u{fffd}',
            other => other,
        })
        .collect()
}

/// The same for an axis: the word, or what can be seen of it.
pub fn name(text: &str) -> String {
    match text.trim() {
        "" => visible(text),
        word => visible(word),
    }
}

/// A share of attention: "81 %", "0.4 %".
pub fn percent(share: f32) -> String {
    let percent = 100.0 * f64::from(share);
    if percent > 0.0 && percent < 0.05 {
        return "under 0.1 %".into();
    }
    if percent > 99.95 && share < 1.0 {
        return "over 99.9 %".into();
    }
    format!(
        "{} %",
        number(percent, if percent >= 9.95 || percent == 0.0 { 0 } else { 1 })
    )
}

/// The same where there is little room: "<0.1 %".
pub fn percent_in_short(share: f32) -> String {
    let description = percent(share);
    description.replace("under ", "<").replace("over ", ">")
}

/// What `component` is on `side`, for people. The last component of a table is the bias of its side.
pub fn component_name(component: Component, side: Side) -> String {
    match component {
        Component::QueryBias | Component::KeyBias => Component::bias(side).name(),
        other => other.name(),
    }
}

/// The section with the attention of `result`.
pub(super) fn attention(result: &ResultFile) -> Result<&AttentionSection> {
    result
        .attention()
        .ok_or_else(|| Error::new(ErrorKind::Plot, "the result has no attention of a sentence"))
}

/// The section with the decomposition of a pair of `result`.
pub(super) fn pair(result: &ResultFile) -> Result<&PairSection> {
    result
        .pair()
        .ok_or_else(|| Error::new(ErrorKind::Plot, "the result has no decomposition of a score"))
}

/// The sentence's words at the positions of the pair: from, to. Positions where the texts are not known.
pub(super) fn pair_words(result: &ResultFile, dest: usize, src: usize) -> (String, String) {
    let word = |name: PositionName, position: usize| match result.attention() {
        Some(section) => quoted(&section.texts, position),
        None => format!("{name} ({})", quoted(&[], position)),
    };
    (word(PositionName::Dest, dest), word(PositionName::Src, src))
}

/// Where the head looks, in one sentence: head, from, to, attention, score, and the token that it looks to besides.
pub fn answer(section: &AttentionSection) -> String {
    let AttentionSection {
        head, dest, src, texts, ..
    } = section;
    let (scores, row) = (section.scores_of(*head), section.row(*head));
    let share = |position: usize| row.get(position).copied().unwrap_or_default();
    let score = |position: usize| {
        scores
            .get(position)
            .map(|score| format!("score {}", number(f64::from(*score), 2)))
    };
    // What of `parts` is known.
    let joined =
        |parts: [Option<String>; 2], between: &str| parts.into_iter().flatten().collect::<Vec<_>>().join(between);
    let in_brackets = |description: String| {
        if description.is_empty() {
            description
        } else {
            format!(" ({description})")
        }
    };
    let others = (0..row.len()).filter(|position| position != src);
    let other = others.max_by(|left, right| share(*left).total_cmp(&share(*right)));
    let (from, to, of_src) = (word(texts, *dest), word(texts, *src), percent(share(*src)));
    // The other token with its attention, and its score where that is known.
    let description = |other: usize, between: &str| {
        let attention = format!("{}{between}{}", word(texts, other), percent(share(other)));
        joined([Some(attention), score(other)], ", ")
    };
    match other {
        Some(other) if share(other) > share(*src) => format!(
            "Head {head} at {from} gives {to} {of_src} of its attention{}; most goes to {}.",
            in_brackets(joined([score(*src), None], "")),
            description(other, ": "),
        ),
        other => {
            let next = other.map(|other| format!("next best: {}", description(other, ", ")));
            format!(
                "Head {head} at {from} looks at {to} with {of_src} of its attention{}.",
                in_brackets(joined([score(*src), next], "; ")),
            )
        }
    }
}

/// The same in parts, each with whether it is what a reader looks for: the head, and its attention to the key.
pub fn answer_in_parts(section: &AttentionSection) -> Vec<(String, bool)> {
    let description = answer(section);
    let share = section.row(section.head).get(section.src).copied().unwrap_or_default();
    let mut parts = Vec::new();
    let mut rest = description.as_str();
    for mark in [section.head.to_string(), percent(share)] {
        if let Some((before, after)) = rest.split_once(&mark) {
            parts.extend([(before.to_owned(), false), (mark, true)]);
            rest = after;
        }
    }
    parts.push((rest.to_owned(), false));
    parts
}

/// The pair in a few words: from, to; its score and attention.
pub fn in_short(section: &AttentionSection) -> (String, String) {
    let AttentionSection {
        head, dest, src, texts, ..
    } = section;
    let plain = |position: usize| texts.get(position).map_or_else(String::new, |text| name(text));
    let (score, share) = (
        section.scores_of(*head).get(*src),
        section.row(*head).get(*src).copied(),
    );
    let score = score.map_or_else(String::new, |score| format!("{} \u{b7} ", number(f64::from(*score), 2)));
    (
        format!("{} \u{2192} {}", plain(*dest), plain(*src)),
        format!("{score}{}", percent(share.unwrap_or_default())),
    )
}

/// How a pair was chosen that nobody has: among all heads and the tokens up to the query.
pub fn how_chosen(section: &AttentionSection, next: &str) -> String {
    // The first token is chosen only where there is no other.
    let tokens = match section.dest {
        0 => String::new(),
        others => format!(" and {} after the first", counted(others, "token", "tokens")),
    };
    format!(
        "Chosen for a start: of {} heads{tokens}, this pair does most for or against {}, the likeliest next token, by itself.",
        section.known_heads().len(),
        quoted(&[next.to_owned()], 0)
    )
}

/// The same of a recording, in which nothing was computed to choose; `named` where it names the head to begin with.
pub fn how_chosen_of_recorded(section: &AttentionSection, named: bool) -> String {
    if named {
        return "The recording begins with this head, and with the token that it looks most to, the first one apart."
            .into();
    }
    format!(
        "Chosen for a start: of the {} heads that are recorded, this one looks most at a single token, the first and its own apart.",
        section.known_heads().len()
    )
}

/// That `specials` are spelt out in a sentence, and how they are read.
pub fn specials_words(specials: &[String], as_text: bool) -> String {
    let named: Vec<String> = specials.iter().map(|text| format!("\u{201c}{text}\u{201d}")).collect();
    let (named, several) = (named.join(", "), specials.len() > 1);
    match (as_text, several) {
        (false, false) => format!("{named} is read as one special token, not as these characters."),
        (false, true) => format!("{named} are read as special tokens, not as these characters."),
        (true, false) => format!("{named} is read as plain text, not as the special token of this name."),
        (true, true) => format!("{named} are read as plain text, not as the special tokens of these names."),
    }
}

/// What softmax ignores, and what the cells are relative to.
pub fn relative_words(section: &PairSection, texts: &[String]) -> String {
    match section.relative {
        None => "The score itself. What is added to the scores of all keys alike changes no attention: compare with the mean key to take \
                 that away."
            .into(),
        Some(Relative::Mean) => format!(
            "Relative to the mean of the {} keys that the query sees: what all keys have in common, which softmax ignores, is taken \
             away.",
            section.dest + 1
        ),
        Some(Relative::Attention) => "Relative to what the head attends to: the mean of all keys, weighted by its own attention. To first \
                                      order this is what each part adds to the logarithm of the attention."
            .into(),
        Some(Relative::Position(position)) => format!(
            "Minus the same for {} (position {position}): why the one, and not the other.",
            quoted(texts, position)
        ),
    }
}

/// What the score of the pair is, and what is held fixed while it is taken apart: on one `side`, or on both where there is none.
pub fn score_words(section: &PairSection, texts: &[String], side: Option<Side>) -> String {
    let (dest, src) = (word(texts, section.dest), word(texts, section.src));
    let what = if section.relative.is_some() {
        "Relative score"
    } else {
        "Score"
    };
    let parts = match side {
        Some(Side::Key) => format!(
            "everything that was written at {src} before layer {}, as the query of {dest} reads it",
            section.head.layer
        ),
        Some(Side::Query) if section.relative.is_some() => format!(
            "everything that was written at {dest} before layer {}, as the relative key of {src} takes it",
            section.head.layer
        ),
        Some(Side::Query) => format!(
            "everything that was written at {dest} before layer {}, as the key of {src} takes it",
            section.head.layer
        ),
        None => format!(
            "everything that was written at {dest} before layer {}, times everything that was written at {src}",
            section.head.layer
        ),
    };
    format!(
        "{what} {}: {parts} (the scales of LayerNorm are held as they are).",
        number(f64::from(section.score), 2),
    )
}

/// That the cells add up, with the numbers.
pub fn sums(section: &PairSection) -> String {
    let cells = section.table.data();
    let sum: f64 = cells.iter().map(|&cell| f64::from(cell)).sum();
    let total = if section.relative.is_some() {
        "relative score"
    } else {
        "score"
    };
    format!(
        "{} pairs of components add up to {}; the {total} is {}.",
        crate::quantities::grouped(cells.len()),
        number(sum, 4),
        number(f64::from(section.score), 4)
    )
}

/// A pair of components in words, and what it adds.
#[derive(Debug, Clone, PartialEq)]
pub struct PairWords {
    /// What was written at the query's token: "what 9.9 wrote at \u{201c}to\u{201d}".
    pub query: String,
    /// What was written at the key's.
    pub key: String,
    /// What the two add to the score.
    pub value: f32,
}

/// The largest pairs of components, `count` of them, in words.
pub fn largest_pairs(section: &PairSection, texts: &[String], count: usize) -> Vec<PairWords> {
    let width = section.components.len().max(1);
    let cells = section.table.data();
    let mut order: Vec<usize> = (0..cells.len()).collect();
    sort_descending(&mut order, |one| cells[*one].abs());
    order.truncate(count);
    let (dest, src) = (word(texts, section.dest), word(texts, section.src));
    let description = |index: usize| {
        let (query, key) = (section.components[index / width], section.components[index % width]);
        let part = |component: Component, side: Side, at: &str| match component {
            Component::QueryBias | Component::KeyBias => format!("the bias {}", Component::bias(side)),
            Component::TokenEmbedding => format!("the token {at}"),
            Component::PositionEmbedding => format!("the position of {at}"),
            Component::Head(head) => format!("what {head} wrote at {at}"),
            Component::Mlp(layer) => format!("what MLP {layer} wrote at {at}"),
            bias @ Component::AttentionBias(_) => format!("{bias} at {at}"),
        };
        PairWords {
            query: part(query, Side::Query, &dest),
            key: part(key, Side::Key, &src),
            value: cells[index],
        }
    };
    order.into_iter().map(description).collect()
}

/// What `head` is called where that is known.
pub(super) fn head_title(head: Head) -> String {
    format!("head {head}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::kinds_tests::sentence;

    #[test]
    fn what_is_said_over_a_decomposition_is_of_the_side_that_is_open() {
        let result = sentence();
        let (section, texts) = (pair(&result).expect("a decomposition"), vec!["a".to_owned(); 20]);
        let description = |side| score_words(section, &texts, side);
        let (dest, src) = (word(&texts, section.dest), word(&texts, section.src));
        assert!(
            description(Some(Side::Key)).contains(&format!("written at {src} before layer 2, as the query of {dest}"))
        );
        assert!(
            description(Some(Side::Query)).contains(&format!("written at {dest} before layer 2, as the key of {src}"))
        );
        assert!(description(None).contains(&format!(
            "{dest} before layer 2, times everything that was written at {src}"
        )));
    }

    #[test]
    fn special_tokens_are_told_with_how_they_are_read() {
        let one = ["<|endoftext|>".to_owned()];
        assert!(specials_words(&one, false).contains("\u{201c}<|endoftext|>\u{201d} is read as one special token"));
        assert!(specials_words(&one, true).contains("is read as plain text"));
        let two = [one[0].clone(), "[X]".to_owned()];
        assert!(
            specials_words(&two, true).contains("<|endoftext|>\u{201d}, \u{201c}[X]\u{201d} are read as plain text")
        );
    }
}
