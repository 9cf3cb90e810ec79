//! Reduces GPT-2's tokenizer to the words of the IOI dataset and the most frequent others.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value, json};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::{OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer};

use crate::error::{Error, ErrorKind, Result};
use crate::prompts::ioi::{Dataset, Words};

/// Symbols of a byte-level alphabet.
const BYTES: usize = 256;

/// Number of the most frequent merges of GPT-2's tokenizer that the bundled model keeps in any case.
pub const FIRST_MERGES: usize = 3000;

/// Sentences that are not training prompts whose words should stay whole tokens.
pub const EXAMPLES: [&str; 1] = ["The keys to the cabinet are on the table."];

/// Texts that together contain every word of `dataset`: each template once, every name with and without a leading
/// space, every place and object after a space.
pub fn texts_of(dataset: &Dataset) -> Vec<String> {
    let after_a_space = [&dataset.names, &dataset.places, &dataset.objects];
    let mut texts: Vec<String> = after_a_space
        .iter()
        .flat_map(|words| words.iter())
        .map(|word| format!(" {word}"))
        .collect();
    texts.extend(dataset.names.iter().cloned());
    if let ([io, s, ..], [place, ..], [object, ..]) = (&dataset.names[..], &dataset.places[..], &dataset.objects[..]) {
        let words = Words { io, s, place, object };
        let templates = dataset.baba_templates.iter().chain(&dataset.abba_templates);
        texts.extend(templates.map(|template| words.fill(template)));
    }
    texts
}

/// The `tokenizer.json` of a tokenizer that cuts `texts` as `gpt2` (GPT-2's `tokenizer.json`) does: the 256 bytes,
/// the merges used and the `first_merges` first of GPT-2's list, in its order, and `<|endoftext|>` last. Other texts
/// fall into smaller pieces, in the end bytes; with 0 for `first_merges` nearly all words do.
///
/// Byte-pair encoding always applies the first merge of the list that fits. Leaving out merges that were
/// never applied to a word changes nothing in how that word is cut.
///
/// # Errors
/// [`ErrorKind::Tokenizer`] when `gpt2` is not a byte-level BPE tokenizer as GPT-2's.
pub fn cut_tokenizer(gpt2: &[u8], texts: &[String], first_merges: usize) -> Result<Vec<u8>> {
    let mut tokenizer: Value = serde_json::from_slice(gpt2).map_err(|error| unlike_gpt2(&error.to_string()))?;
    let merges = merges(&tokenizer).ok_or_else(|| unlike_gpt2("its merges are not a list of pairs"))?;
    let mut used = used_merges(&merges, texts)?;
    used.extend(0..first_merges.min(merges.len()));

    let mut vocab = Map::new();
    for symbol in bytes_in_order(&tokenizer)? {
        vocab.insert(symbol, json!(vocab.len()));
    }
    for &rank in &used {
        let (left, right) = merges[rank];
        vocab.insert(format!("{left}{right}"), json!(vocab.len()));
    }
    vocab.insert("<|endoftext|>".to_owned(), json!(vocab.len()));
    let end_of_text = vocab.len() - 1;
    let kept: Vec<String> = used
        .iter()
        .map(|&rank| format!("{} {}", merges[rank].0, merges[rank].1))
        .collect();

    tokenizer["added_tokens"][0]["id"] = json!(end_of_text);
    tokenizer["model"]["vocab"] = Value::Object(vocab);
    tokenizer["model"]["merges"] = json!(kept);
    serde_json::to_vec(&tokenizer).map_err(|error| unlike_gpt2(&error.to_string()))
}

fn unlike_gpt2(why: &str) -> Error {
    Error::new(ErrorKind::Tokenizer, format!("GPT-2's tokenizer can't be cut: {why}"))
        .expected("the tokenizer.json that is published with GPT-2, merges as strings")
}

fn merges(tokenizer: &Value) -> Option<Vec<(&str, &str)>> {
    let merges = tokenizer["model"]["merges"].as_array()?;
    merges.iter().map(|merge| merge.as_str()?.split_once(' ')).collect()
}

/// The 256 symbols that stand for bytes, in the order of their ids.
fn bytes_in_order(tokenizer: &Value) -> Result<Vec<String>> {
    let mut symbols: Vec<(u64, &String)> = tokenizer["model"]["vocab"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(token, _)| token.chars().count() == 1)
        .filter_map(|(token, id)| Some((id.as_u64()?, token)))
        .collect();
    symbols.sort_unstable();
    if symbols.len() != BYTES {
        return Err(unlike_gpt2(
            "its vocabulary has not exactly 256 symbols of one character",
        ));
    }
    Ok(symbols.into_iter().map(|(_, symbol)| symbol.clone()).collect())
}

/// Ranks of the merges that are applied to any word of `texts`.
fn used_merges(merges: &[(&str, &str)], texts: &[String]) -> Result<BTreeSet<usize>> {
    let ranks: HashMap<(&str, &str), usize> = merges.iter().copied().zip(0..).collect();
    let mut used = BTreeSet::new();
    for text in texts {
        let mut pieces = PreTokenizedString::from(text.as_str());
        ByteLevel::new(false, true, true)
            .pre_tokenize(&mut pieces)
            .map_err(|error| unlike_gpt2(&error.to_string()))?;
        for (word, _, _) in pieces.get_splits(OffsetReferential::Original, OffsetType::Byte) {
            apply_merges(word, &ranks, &mut used);
        }
    }
    Ok(used)
}

/// Byte-pair encoding of one word; records the merges used.
fn apply_merges(word: &str, ranks: &HashMap<(&str, &str), usize>, used: &mut BTreeSet<usize>) {
    let mut symbols: Vec<String> = word.chars().map(String::from).collect();
    loop {
        let ranked = symbols.windows(2).enumerate().filter_map(|(at, pair)| {
            let rank = ranks.get(&(pair[0].as_str(), pair[1].as_str()))?;
            Some((*rank, at))
        });
        let Some((rank, at)) = ranked.min() else { return };
        used.insert(rank);
        let right = symbols.remove(at + 1);
        symbols[at].push_str(&right);
    }
}
