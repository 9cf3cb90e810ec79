use super::*;
use crate::model::Config;

const TINY: &[u8] = include_bytes!("../../../tests/fixtures/tiny/tokenizer.json");
const N_CTX: usize = 128;
const IOI: &str = "When Mary and John went to the store, John gave a drink to";

fn tokenizer() -> Tokenizer {
    let config = include_bytes!("../../../tests/fixtures/tiny/config.json");
    Tokenizer::from_json(TINY, &Config::from_json(config).expect("a config")).expect("a tokenizer")
}

fn lines(text: &str) -> TextPrompts {
    TextPrompts {
        text: text.to_owned(),
        ..TextPrompts::default()
    }
}

fn csv(text: &str) -> TextPrompts {
    TextPrompts {
        format: Format::Csv,
        ..lines(text)
    }
}

fn one(prompts: &TextPrompts) -> Prompt {
    let read = prompts.read(&tokenizer(), N_CTX).expect("prompts");
    let [prompt] = &read.prompts[..] else {
        panic!("{read:?}")
    };
    prompt.clone()
}

/// The texts of source and destination.
fn pair(prompt: &Prompt) -> (String, String) {
    let tokenizer = tokenizer();
    let text = |name| {
        let position = prompt.position(&name).expect("a position");
        tokenizer.token_text(prompt.tokens[position]).expect("a token")
    };
    (text(PositionName::Src), text(PositionName::Dest))
}

fn told(prompts: &TextPrompts) -> String {
    let error = prompts.read(&tokenizer(), N_CTX).expect_err("bad input");
    assert_eq!(error.kind, ErrorKind::Prompt);
    assert!(!error.to_string().contains('\n'), "{error}");
    error.to_string()
}

#[test]
fn marks_name_source_and_destination() {
    for (text, src, dest) in [
        (
            "When [[Mary]] and John went to the store, John gave a drink [[to]]",
            " Mary",
            " to",
        ),
        (
            "When[[ Mary]] and John went to the store, John gave a drink[[ to]]",
            " Mary",
            " to",
        ),
        (
            "When [[Mary]] and John went to the store, John gave a drink to",
            " Mary",
            " to",
        ),
        (
            "[[When]] Mary and John went to the [[store]], John gave a drink to",
            "When",
            " store",
        ),
        (
            "When Mary and John went to the store, John gave a drink [[to]]",
            " to",
            " to",
        ),
    ] {
        let prompt = one(&lines(text));
        assert_eq!(prompt.text, IOI);
        assert_eq!(pair(&prompt), (src.to_owned(), dest.to_owned()), "{text}");
        assert!(prompt.targets.is_empty() && prompt.names.is_empty());
    }
    let literal = one(&lines("\\[[ [[Mary]] and"));
    assert_eq!(
        (literal.text.as_str(), pair(&literal).0.as_str()),
        ("[[ Mary and", " Mary")
    );
}

#[test]
fn numbers_and_bos_count_alike() {
    let given = |dest, src, prepend_bos| TextPrompts {
        dest,
        src,
        prepend_bos,
        ..lines(IOI)
    };
    assert_eq!(
        pair(&one(&given(None, Some(1), false))),
        (" Mary".to_owned(), " to".to_owned())
    );
    assert_eq!(
        pair(&one(&given(Some(5), Some(2), true))),
        (" Mary".to_owned(), " went".to_owned())
    );
    let marked = TextPrompts {
        prepend_bos: true,
        ..lines("When [[Mary]] and [[John]] went")
    };
    let prompt = one(&marked);
    assert_eq!(prompt.tokens.len(), 6);
    assert_eq!(pair(&prompt), (" Mary".to_owned(), " John".to_owned()));
    assert_eq!(prompt.position(&PositionName::Src), Some(2));
}

#[test]
fn lines_differ_in_length_and_blank_ones_are_skipped() {
    let read = lines("\n[[Mary]] and John\r\n   \nWhen [[John]] went to the store, [[Mary]] gave\n")
        .read(&tokenizer(), N_CTX)
        .expect("prompts");
    assert_eq!(read.prompts.len(), 2);
    assert_eq!(read.prompts[0].text, "Mary and John");
    assert_eq!(pair(&read.prompts[1]), (" John".to_owned(), " Mary".to_owned()));
    let random: Vec<u32> = read.prompts.iter().map(|prompt| prompt.drawn[RANDOM]).collect();
    assert!(
        random.iter().all(|token| *token < 989) && random[0] != random[1],
        "{random:?}"
    );
    let again = lines("[[Mary]] and John").read(&tokenizer(), N_CTX).expect("prompts");
    assert_eq!(again.prompts[0].drawn, read.prompts[0].drawn, "drawn with the seed");
}

#[test]
fn of_several_tokens_the_last_is_the_position_and_that_is_said() {
    let read = lines("When [[Zanzibar]] and John went")
        .read(&tokenizer(), N_CTX)
        .expect("prompts");
    let prompt = &read.prompts[0];
    let john = tokenizer().single_token(" John").expect("a token");
    let at = prompt.tokens.iter().position(|token| *token == john).expect("John");
    assert_eq!(prompt.position(&PositionName::Src), Some(at - 2), "before and");
    let [note] = &read.notes[..] else { panic!("{read:?}") };
    assert!(
        note.starts_with("In line 1 \"Zanzibar\" is ") && note.contains("the last of these tokens"),
        "{note}"
    );
}

#[test]
fn csv_has_positions_and_targets() {
    let read = csv(&format!(
        "text,dest,src,a,b\r\n\"{IOI}\",13,1, Mary, John\r\n\"[[Mary]] and, John\",,,,\r\n"
    ))
    .read(&tokenizer(), N_CTX)
    .expect("prompts");
    let mary = tokenizer().single_token(" Mary").ok();
    assert_eq!(read.prompts[0].targets.a, mary);
    assert_eq!(pair(&read.prompts[0]), (" Mary".to_owned(), " to".to_owned()));
    assert_eq!(read.prompts[1].text, "Mary and, John");
    let turned = csv("b,a,src,dest,text\n,,1,2,When Mary went")
        .read(&tokenizer(), N_CTX)
        .expect("prompts");
    assert_eq!(pair(&turned.prompts[0]), (" Mary".to_owned(), " went".to_owned()));
}

#[test]
fn bad_lines_are_named_and_shown() {
    let long = format!("fine [[Mary]]\n[[Mary]] {}", "and ".repeat(25_000));
    let many = "[[Mary]] and John\n".repeat(1001);
    for (text, words) in [
        ("", &["there is no prompt"][..]),
        (" \n\t\n", &["there is no prompt"]),
        (
            "[[Mary]] and\nWhen Mary went",
            &["line 2 (\"When Mary went\")", "no mark"],
        ),
        (
            "[[Mary]] [[and]] [[John]]",
            &["line 1", "it has 3 marks", "at most two"],
        ),
        (
            "When [[Mar]]y went",
            &[
                "line 1 (\"When [[Mar]]y went\")",
                "the mark \"Mar\" cuts a token",
                "\" Mary\"",
            ],
        ),
        ("When M[[ary]] went", &["cuts a token", "\" Mary\""]),
        ("When [[]] went", &["line 1", "nothing in it"]),
        ("When [[Mary went", &["line 1", "does not end"]),
        (&long, &["line 2 (\"[[Mary]] and and", "\u{2026}", "characters"]),
        (&many, &["1001 prompts", "line 1001", "at most 1000"]),
    ] {
        let told = told(&lines(text));
        for word in words {
            assert!(told.contains(word), "{text:.60}: {told}");
        }
        assert!(told.len() < 400, "{told}");
    }
    let long = format!("[[Mary]] {}", "and ".repeat(200));
    assert!(told(&lines(&long)).contains("at most 128, the model's context"));
    let given = |dest, src| TextPrompts {
        dest,
        src,
        ..lines(IOI)
    };
    assert!(told(&given(Some(0), Some(1))).contains("its destination, 0, is before its source, 1"));
    assert!(told(&given(Some(14), Some(1))).contains("its dest is position 14, outside of its 14 tokens"));
    assert!(told(&given(None, Some(99))).contains("its src is position 99"));
}

#[test]
fn bad_tables_are_named_and_shown() {
    for (text, words) in [
        ("", &["there is no header"][..]),
        ("text,dest,src,a,b\n", &["there is no prompt"]),
        (
            "text,dest\nx,1",
            &["line 1 (\"text,dest\")", "lacks src, a, b", "text,dest,src,a,b"],
        ),
        ("text,dest,src,a,b,c\n", &["a column \"c\""]),
        ("text,text,dest,src,a,b\n", &["twice"]),
        (
            "text,dest,src,a,b\n\"When,1",
            &["line 2: a field in quotes does not end"],
        ),
        (
            "text,dest,src,a,b\nWhen,1",
            &["line 2 (\"When,1\") has 2 fields", "5 fields"],
        ),
        ("text,dest,src,a,b\nWhen,x,,,", &["line 2: dest is \"x\""]),
        (
            "text,dest,src,a,b\n[[When]] Mary,,0,,",
            &["line 2", "both marked and given"],
        ),
        (
            "text,dest,src,a,b\n[[When]] Mary,,,Zanzibar,",
            &["line 2", "its a: \"Zanzibar\" is"],
        ),
        ("text,dest,src,a,b\n\" \",,0,,", &["line 2", "its text is empty"]),
    ] {
        let told = told(&csv(text));
        for word in words {
            assert!(told.contains(word), "{text:?}: {told}");
        }
    }
}

#[test]
fn bytes_that_are_no_text_are_named() {
    let error = TextPrompts::text_of(b"fine\nna\xefve").expect_err("Latin-1");
    assert!(
        error.to_string().contains("line 2") && error.to_string().contains("not UTF-8"),
        "{error}"
    );
    assert_eq!(TextPrompts::text_of("\u{feff}a".as_bytes()), Ok("a"));
    assert!(TextPrompts::text_of(&vec![b'a'; MAX_BYTES + 1]).is_err());
}
