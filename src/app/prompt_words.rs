//! Texts about the user's own prompts while they are being typed.

use super::address::MAX_PROMPTS;
use super::form::Form;
use crate::analysis::settings::CSV;
use crate::prompts::text::{Format, TextPrompts};
use crate::quantities::{counted, grouped};

/// Example prompts.
pub const EXAMPLE: &str = "When [[Mary]] and John went to the store, John gave a drink [[to]]\n\
    After [[John]] and Mary went to the store, Mary gave a ring [[to]]\n\
    Then, [[Anna]] and Paul went to the garden, and Paul gave a book [[to]]";

/// The text below the field of own prompts: instructions, the number of prompts, or the first error.
pub fn description(form: &Form) -> String {
    if form.own.trim().is_empty() {
        return "In [[ ]] first the word that the head looks to (src), then the one that it looks from (dest).".into();
    }
    let format = if form.text(&CSV) == "1" {
        Format::Csv
    } else {
        Format::Lines
    };
    let read = TextPrompts {
        text: form.own.clone(),
        format,
        ..TextPrompts::default()
    };
    let count = match read.check() {
        Ok(count) => counted(count, "prompt", "prompts"),
        Err(error) => return error.to_string(),
    };
    match form.own.chars().count() {
        length if length > MAX_PROMPTS => format!("{count}, too long for a link ({} characters).", grouped(length)),
        _ => format!("{count}. They stay in this browser; a link to the page has them after #, which no server sees."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn describe(own: &str) -> String {
        description(&Form {
            own: own.to_owned(),
            ..Form::default()
        })
    }

    #[test]
    fn prompts_are_counted_or_the_first_error_is_said() {
        assert!(describe(" \n").starts_with("In [[ ]] first the word"));
        assert!(describe(EXAMPLE).starts_with("3 prompts. They stay"));
        assert!(describe("a [[b]] c").starts_with("1 prompt. "));
        let error = describe("one [[two]]\nthree [[four");
        assert!(
            error.contains("line 2") && error.contains("a mark does not end"),
            "{error}"
        );
        let long = format!("{} [[b]]", "a".repeat(1495));
        assert!(
            describe(&long).contains("too long for a link (1,501 characters)"),
            "{}",
            describe(&long)
        );
        assert!(describe(&long[1..]).contains("after #"));
    }

    #[test]
    fn csv_is_read_as_csv() {
        let mut form = Form {
            own: "text,dest,src,a,b\nMary and John,2,0,,\n".to_owned(),
            ..Form::default()
        };
        assert!(
            description(&form).starts_with("2 prompts"),
            "two lines: {}",
            description(&form)
        );
        form.set(&CSV, "1");
        assert!(description(&form).starts_with("1 prompt."), "{}", description(&form));
    }
}
