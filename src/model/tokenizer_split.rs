//! The pre-tokenizer and normalizer of a tokenizer file: accepts the forms that are equivalent to GPT-2's, and no
//! others.

use serde::Deserialize;
use serde_json::Value;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;

/// GPT-2's pattern, as the `tokenizers` crate and as `tiktoken` write it. They match the same.
const PATTERNS: [&str; 3] = [
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s",
];

/// A step, or a sequence of steps.
#[derive(Deserialize)]
#[serde(tag = "type")]
enum Step {
    ByteLevel {
        #[serde(default)]
        add_prefix_space: bool,
        #[serde(default = "yes")]
        use_regex: bool,
    },
    Split {
        pattern: Value,
        behavior: String,
        #[serde(default)]
        invert: bool,
    },
    Sequence {
        pretokenizers: Vec<Value>,
    },
}

const fn yes() -> bool {
    true
}

impl Step {
    /// Whether it splits as GPT-2 does. Every character is part of a match, so that the treatment of the rest does not
    /// matter.
    fn is_gpt2_split(&self) -> bool {
        let Self::Split {
            pattern,
            behavior,
            invert,
        } = self
        else {
            return false;
        };
        let pattern = pattern.get("Regex").and_then(Value::as_str);
        let keeps_matches = behavior == "Isolated" || behavior == "Removed" && *invert;
        keeps_matches && pattern.is_some_and(|pattern| PATTERNS.contains(&pattern))
    }
}

/// Interprets the field `pre_tokenizer`, which must be equivalent to GPT-2's: splitting by its pattern, then mapping
/// bytes to characters; without the pattern if the field says so.
///
/// # Errors
/// A description of the mismatch.
pub(super) fn byte_level(value: &Value) -> Result<ByteLevel, String> {
    let mut steps = Vec::new();
    flatten(value, &mut steps)?;
    match &steps[..] {
        [
            Step::ByteLevel {
                add_prefix_space,
                use_regex,
            },
        ] => Ok(ByteLevel::new(*add_prefix_space, true, *use_regex)),
        // The step splits no piece of GPT-2's pattern further.
        [
            split,
            Step::ByteLevel {
                add_prefix_space: false,
                ..
            },
        ] if split.is_gpt2_split() => Ok(ByteLevel::new(false, true, true)),
        [Step::Split { .. }, ..] if !steps[0].is_gpt2_split() => {
            Err("a pre_tokenizer that splits by another pattern than GPT-2's".to_owned())
        }
        _ => Err(format!("the pre_tokenizer {}", kind(value))),
    }
}

fn flatten(value: &Value, steps: &mut Vec<Step>) -> Result<(), String> {
    let step: Step = serde_json::from_value(value.clone()).map_err(|_| format!("the pre_tokenizer {}", kind(value)))?;
    match step {
        Step::Sequence { pretokenizers } => pretokenizers.iter().try_for_each(|value| flatten(value, steps)),
        step => {
            steps.push(step);
            Ok(())
        }
    }
}

/// The type that `value` names.
pub(super) fn kind(value: &Value) -> &Value {
    value.get("type").unwrap_or(&Value::Null)
}

/// The first step of the field `normalizer` that may change a text; None if there is none.
pub(super) fn changing_step(value: &Value) -> Option<&Value> {
    let is = |name: &str, expected: Value| value.get(name) == Some(&expected);
    let changes = match kind(value).as_str() {
        None => !value.is_null(),
        Some("Sequence") => {
            let steps = value.get("normalizers").and_then(Value::as_array);
            return match steps {
                Some(steps) => steps.iter().find_map(changing_step),
                None => Some(value),
            };
        }
        Some("Strip") => !(is("strip_left", false.into()) && is("strip_right", false.into())),
        Some("Prepend") => !is("prepend", "".into()),
        Some("Replace") => {
            let pattern = value.get("pattern").and_then(|pattern| pattern.get("String"));
            pattern.is_none() || pattern != value.get("content")
        }
        Some(_) => true,
    };
    changes.then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn forms_of_gpt2s_splitting_are_one() {
        let bytes = |prefix: bool, regex: bool| json!({"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": true, "use_regex": regex});
        let split = |pattern: &str, behavior: &str, invert: bool| json!({"type": "Split", "pattern": {"Regex": pattern}, "behavior": behavior, "invert": invert});
        let sequence = |steps: &[Value]| json!({"type": "Sequence", "pretokenizers": steps});
        let gpt2 = ByteLevel::new(false, true, true);
        for pattern in PATTERNS {
            for (behavior, invert) in [("Isolated", false), ("Isolated", true), ("Removed", true)] {
                for regex in [false, true] {
                    let value = sequence(&[split(pattern, behavior, invert), bytes(false, regex)]);
                    assert_eq!(byte_level(&value), Ok(gpt2), "{value}");
                }
            }
        }
        assert_eq!(byte_level(&bytes(false, true)), Ok(gpt2));
        assert_eq!(byte_level(&sequence(&[sequence(&[bytes(false, true)])])), Ok(gpt2));
        assert_eq!(byte_level(&bytes(true, true)), Ok(ByteLevel::new(true, true, true)));
        assert_eq!(byte_level(&json!({"type": "ByteLevel"})), Ok(gpt2));
        for (value, part) in [
            (
                sequence(&[split(r"\s+", "Isolated", false), bytes(false, false)]),
                "another pattern",
            ),
            (
                sequence(&[split(PATTERNS[0], "Removed", false), bytes(false, false)]),
                "another pattern",
            ),
            (
                sequence(&[split(PATTERNS[0], "MergedWithNext", false), bytes(false, false)]),
                "another pattern",
            ),
            // The space would be added before every piece.
            (
                sequence(&[split(PATTERNS[0], "Isolated", false), bytes(true, false)]),
                "Sequence",
            ),
            (sequence(&[bytes(false, true), bytes(false, true)]), "Sequence"),
            (sequence(&[]), "Sequence"),
            (sequence(&[json!({"type": "Digits"}), bytes(false, true)]), "Digits"),
            (json!({"type": "Whitespace"}), "Whitespace"),
            (json!(null), "null"),
        ] {
            let error = byte_level(&value).expect_err("refused");
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn patterns_that_are_taken_for_the_same_split_alike() {
        use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
        use tokenizers::{OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer, SplitDelimiterBehavior};

        let texts = [
            "When Mary and John  went\n\n to the store, it's 12'30 \u{e9}t\u{e9}  ",
            "''s 'll'd've I'm\tyou're 'T   x\u{a0}y \u{3000}\u{1F600}1\u{b2}",
            " \n \n a",
            "   ",
            "",
        ];
        for text in texts {
            let pieces = |pattern: &str| {
                let split = Split::new(
                    SplitPattern::Regex(pattern.into()),
                    SplitDelimiterBehavior::Isolated,
                    false,
                );
                let mut pieces = PreTokenizedString::from(text);
                split.expect("a pattern").pre_tokenize(&mut pieces).expect("splits");
                let splits = pieces.get_splits(OffsetReferential::Original, OffsetType::Byte);
                splits
                    .into_iter()
                    .map(|(piece, ..)| piece.to_owned())
                    .collect::<Vec<_>>()
            };
            for pattern in &PATTERNS[1..] {
                assert_eq!(pieces(pattern), pieces(PATTERNS[0]), "{text:?}");
            }
        }
    }

    #[test]
    fn normalizers_that_change_nothing_are_none() {
        for value in [
            json!(null),
            json!({"type": "Sequence", "normalizers": []}),
            json!({"type": "Sequence", "normalizers": [{"type": "Sequence", "normalizers": []}, {"type": "Prepend", "prepend": ""}]}),
            json!({"type": "Strip", "strip_left": false, "strip_right": false}),
            json!({"type": "Replace", "pattern": {"String": "a"}, "content": "a"}),
        ] {
            assert_eq!(changing_step(&value), None, "{value}");
        }
        for value in [
            json!({"type": "NFC"}),
            json!({"type": "Strip", "strip_left": true, "strip_right": false}),
            json!({"type": "Prepend", "prepend": " "}),
            json!({"type": "Replace", "pattern": {"Regex": "a"}, "content": "a"}),
            json!({"type": "Sequence"}),
            json!({}),
            json!(3),
        ] {
            assert_eq!(changing_step(&value), Some(&value));
        }
        let nested = json!({"type": "Sequence", "normalizers": [{"type": "Lowercase"}]});
        assert_eq!(changing_step(&nested).map(kind), Some(&json!("Lowercase")));
    }
}
