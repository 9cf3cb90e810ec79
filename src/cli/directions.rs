//! `keyside directions`: a score as a sum over the singular directions of its head.

use std::collections::BTreeMap;
use std::io::Write;

use super::listing::{LINES, largest_sizes, line};
use super::sentence::{PairArguments, Sentence, shown, write};
use crate::analysis::Array;
use crate::analysis::pair::{
    self, AlongDirection, DirectionTokens, Directions, Pair, QkSvd, ScoreDecomposition, direction_tokens,
};
use crate::error::Result;
use crate::forward::NoMonitor;
use crate::math;
use crate::names::{Component, Relative, Side};

/// `keyside directions`: the singular directions of the head that make up the score between two positions.
///
/// # Errors
/// Those of [`pair::decomposition`], and of writing.
pub async fn run_directions(arguments: &PairArguments, out: &mut dyn Write) -> Result<()> {
    let mut sentence = Sentence::read(&arguments.sentence).await?;
    let pair = sentence.pair(arguments)?;
    let minus = sentence.position("minus", arguments.minus.as_ref(), &arguments.sentence)?;
    let decomposition = pair::decomposition(&mut sentence.model, &pair, &NoMonitor).await?;
    let svd = QkSvd::new(&sentence.model.head_weights(pair.head, &NoMonitor).await?);
    let found = decomposition.directions(&svd, None)?;
    let to_attention = decomposition.directions(&svd, Some(Relative::Attention))?;
    let mut description = of_score(&sentence, &pair, &found);
    description.push_str(&listed(&found, "the score"));
    description.push_str(&listed(&to_attention, "the score relative to what the head attends to"));
    if let Some(minus) = minus {
        let relative = decomposition.directions(&svd, Some(Relative::Position(minus)))?;
        let name = format!("the score relative to {:?} (position {minus})", sentence.token(minus));
        description.push_str(&listed(&relative, &name));
    }
    let direction = found.largest();
    let along = decomposition.along(&svd, direction, None)?;
    description.push_str(&describe_along(&sentence, (&pair, &decomposition), (direction, &along)));
    let tokens = direction_tokens(&sentence.model, &svd, direction, &NoMonitor).await?;
    let tokens = match found.flip_sign.get(direction) {
        Some(true) => tokens.negated(),
        _ => tokens,
    };
    description.push_str(&describe_tokens(&sentence, tokens));
    let [.., of_key, _] = to_attention.biases;
    let arrays: BTreeMap<&'static str, Array> = [
        ("svd_singular_values", Array::vector(found.values)),
        ("svd_contributions", Array::vector(found.contributions)),
        ("svd_biases", Array::vector(found.biases.to_vec())),
        (
            "svd_contributions_minus_attention",
            Array::vector(to_attention.contributions),
        ),
        ("svd_bias_minus_attention", Array::vector(vec![of_key])),
    ]
    .into();
    let written = sentence.written(pair.head, arrays);
    write(arguments.sentence.json.as_deref(), &written, &description, out)
}

fn of_score(sentence: &Sentence, pair: &Pair, found: &Directions) -> String {
    let (dest, src) = (sentence.token(pair.dest), sentence.token(pair.src));
    let all = [&found.contributions[..], &found.biases].concat();
    format!(
        "Head {}: the score from {dest:?} (position {}) to {src:?} (position {}) is {:.4}; {} directions and three terms with biases add up to {:.4}.\n",
        pair.head,
        pair.dest,
        pair.src,
        found.score,
        found.contributions.len(),
        math::sum(&all)
    )
}

/// The groups that contribute most to `found`, the decomposition of the score called `name`.
fn listed(found: &Directions, name: &str) -> String {
    let sums = found.of_groups();
    let mut description = format!(
        "To {name}, {:.4}, these directions add most, {} of {} make up 90 %:\n",
        found.score,
        found.explaining(),
        sums.len()
    );
    for index in largest_sizes(&sums).take(LINES) {
        let group = &found.groups[index];
        let name = match group.len() {
            1 => format!("direction {}", group.start),
            _ => format!("directions {} to {}", group.start, group.end - 1),
        };
        line(
            &mut description,
            format_args!(
                "{:>+9.4}  {name} (singular value {:.4})",
                sums[index], found.values[group.start]
            ),
        );
    }
    let names = [
        "the query and the key's bias",
        "the query's bias and the key",
        "both biases",
    ];
    for (value, name) in found.biases.iter().zip(names) {
        line(&mut description, format_args!("{value:>+9.4}  {name}"));
    }
    description
}

/// The contributions of components at both ends along a direction.
fn describe_along(
    sentence: &Sentence,
    (pair, decomposition): (&Pair, &ScoreDecomposition),
    (direction, along): (usize, &AlongDirection),
) -> String {
    let mut description = String::new();
    for (side, values, position) in [
        (Side::Query, &along.query, pair.dest),
        (Side::Key, &along.key, pair.src),
    ] {
        let token = sentence.token(position);
        line(
            &mut description,
            format_args!("Along direction {direction}, what was written at {token:?} adds to the {side} side:"),
        );
        for index in largest_sizes(values).take(LINES) {
            let name = decomposition.components[index].name();
            line(&mut description, format_args!("{:>+9.4}  {name}", values[index]));
        }
    }
    description
}

/// The tokens whose vectors are closest to the direction or its opposite.
fn describe_tokens(sentence: &Sentence, tokens: DirectionTokens) -> String {
    let tokenizer = sentence.model.tokenizer();
    let mut description = String::new();
    for (matrix, ends) in [
        (Component::TokenEmbedding.label(), tokens.w_e),
        ("W_U".to_owned(), tokens.w_u),
    ] {
        for (side, ends) in Side::ALL.into_iter().zip(ends) {
            for (how, tokens) in [("along", ends.along), ("against", ends.against)] {
                let texts: Vec<String> = tokens
                    .into_iter()
                    .map(|(token, cosine)| format!("{:?} {cosine:.2}", shown(tokenizer, token)))
                    .collect();
                line(
                    &mut description,
                    format_args!(
                        "Rows of {matrix} that lie {how} it on the {side} side: {}",
                        texts.join(", ")
                    ),
                );
            }
        }
    }
    description
}
