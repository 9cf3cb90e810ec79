//! `tokenizer.json`: parses it, and encodes and decodes short texts with it.
#![no_main]

use keyside::model::{Config, Tokenizer};
use keyside_fuzz::{CONFIG, checked};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static MODEL: LazyLock<Config> = LazyLock::new(|| Config::from_json(CONFIG.as_bytes()).expect("is valid"));

fuzz_target!(|bytes: &[u8]| {
    let Some(tokenizer) = checked(Tokenizer::from_json(bytes, &MODEL)) else {
        return;
    };
    for text in [
        "",
        "ab",
        " ab ab<|endoftext|>",
        "When Mary and John\n went, \u{e9}\u{1F600}",
    ] {
        for token in checked(tokenizer.encode(text)).into_iter().flatten() {
            assert!((token as usize) < tokenizer.d_vocab(), "token {token}");
        }
        checked(tokenizer.single_token(text));
    }
    for token in 0..=tokenizer.d_vocab() as u32 {
        tokenizer.token_text(token);
    }
});
