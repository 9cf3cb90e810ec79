//! A tokenizer for Rust source.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// `test` and `all(test, ...)`, but not `not(test)`.
pub fn asks_for_tests(condition: TokenStream) -> bool {
    let tokens: Vec<TokenTree> = condition.into_iter().collect();
    tokens.iter().enumerate().any(|(at, token)| match token {
        TokenTree::Ident(ident) => ident == "test",
        TokenTree::Group(group) => {
            at > 0 && word(tokens.get(at - 1)).as_deref() == Some("all") && asks_for_tests(group.stream())
        }
        _ => false,
    })
}

/// The inside of the attribute at `at`, and where it ends.
pub fn attribute(tokens: &[TokenTree], at: usize) -> Option<(Vec<TokenTree>, usize)> {
    match tokens.get(at + 1) {
        Some(TokenTree::Group(inside)) if is_punct(tokens.get(at), '#') && inside.delimiter() == Delimiter::Bracket => {
            Some((inside.stream().into_iter().collect(), at + 2))
        }
        _ => None,
    }
}

/// The word that `token` is, if it is one.
pub fn word(token: Option<&TokenTree>) -> Option<String> {
    match token {
        Some(TokenTree::Ident(ident)) => Some(ident.to_string().trim_start_matches("r#").to_owned()),
        _ => None,
    }
}

/// The line that it is in, from 1.
pub fn line(token: &TokenTree) -> usize {
    token.span().start().line
}

/// Whether it is this mark.
pub fn is_punct(token: Option<&TokenTree>, character: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == character)
}

/// Whether it is a pair of these brackets.
pub fn is_group(token: Option<&TokenTree>, delimiter: Delimiter) -> bool {
    matches!(token, Some(TokenTree::Group(group)) if group.delimiter() == delimiter)
}

/// Whether the word at `at` goes on with what is before it: a field, a lifetime, what follows `<T as Trait>::`.
pub fn is_inside_path(tokens: &[TokenTree], at: usize) -> bool {
    let is_double = |end: usize, character: char| {
        end >= 2
            && is_punct(tokens.get(end - 1), character)
            && matches!(&tokens[end - 2], TokenTree::Punct(punct) if punct.as_char() == character && punct.spacing() == Spacing::Joint)
    };
    let before = at.checked_sub(1).and_then(|before| tokens.get(before));
    is_punct(before, '\'') || is_double(at, ':') || (is_punct(before, '.') && !is_double(at, '.'))
}

/// Whether the `use` at `at` is a `pub use` of any reach.
pub fn is_public(tokens: &[TokenTree], at: usize) -> bool {
    let is_pub = |back: usize| {
        at.checked_sub(back)
            .and_then(|place| word(tokens.get(place)))
            .as_deref()
            == Some("pub")
    };
    is_pub(1) || (is_pub(2) && is_reach(tokens.get(at - 1)))
}

/// The `(crate)` of `pub(crate)`.
pub fn is_reach(token: Option<&TokenTree>) -> bool {
    let inside = match token {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => {
            group.stream().into_iter().next()
        }
        _ => None,
    };
    word(inside.as_ref()).is_some_and(|word| ["crate", "super", "self", "in"].contains(&word.as_str()))
}

/// The end of the item that begins at `at`.
pub fn end_of_item(tokens: &[TokenTree], at: usize) -> usize {
    let is_end = |&place: &usize| is_punct(tokens.get(place), ';') || is_group(tokens.get(place), Delimiter::Brace);
    let end = (at..tokens.len()).find(is_end).map_or(tokens.len(), |end| end + 1);
    if is_punct(tokens.get(end), ';') { end + 1 } else { end }
}

/// Every word of `text` that is code, tests among it, with its line.
pub fn words(file: &str, text: &str) -> Vec<(String, usize)> {
    fn take(tokens: TokenStream, words: &mut Vec<(String, usize)>) {
        for token in tokens {
            match &token {
                TokenTree::Group(group) => take(group.stream(), words),
                token => words.extend(word(Some(token)).map(|word| (word, line(token)))),
            }
        }
    }
    let mut words = vec![];
    take(text.parse().unwrap_or_else(|e| panic!("{file}: {e}")), &mut words);
    words
}
