//! `merges.txt` and `vocab.json`: parses either, and encodes short texts with the resulting tokenizer.
#![no_main]

use keyside::model::{Config, Tokenizer, TokenizerParts};
use keyside_fuzz::{CONFIG, checked};
use libfuzzer_sys::fuzz_target;
use std::collections::HashMap;
use std::sync::LazyLock;

static MODEL: LazyLock<Config> = LazyLock::new(|| Config::from_json(CONFIG.as_bytes()).expect("is valid"));

fuzz_target!(|bytes: &[u8]| {
    let usual = || ["a", "b", "\u{120}", "ab", "\u{120}a", "\u{120}ab", "##", "#"].into_iter().zip(0..);
    let usual = || usual().map(|(token, id)| (token.to_owned(), id)).collect::<HashMap<String, u32>>();
    let merges = checked(TokenizerParts::read_merges(bytes));
    let vocabulary = checked(TokenizerParts::read_vocabulary(bytes));
    let parts = TokenizerParts {
        vocabulary: vocabulary.clone().unwrap_or_else(usual),
        merges: merges.unwrap_or_default(),
        added: vocabulary.unwrap_or_default(),
    };
    let Some(tokenizer) = checked(Tokenizer::from_parts(parts, &MODEL)) else {
        return;
    };
    for text in ["", "ab", " ab ab<|endoftext|>", "##a", "When\n went, \u{e9}\u{1F600}"] {
        for token in checked(tokenizer.encode(text)).into_iter().flatten() {
            assert!((token as usize) < tokenizer.d_vocab(), "token {token}");
        }
        checked(tokenizer.encode_as_text(text));
    }
});
