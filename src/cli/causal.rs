//! `keyside causal`: the causal map of a pair of positions.

use std::collections::BTreeMap;
use std::io::Write;

use super::effects;
use super::listing::{LINES, line};
use super::progress::Bar;
use super::sentence::{PairArguments, Sentence, write};
use crate::analysis::pair::{CausalCell, CausalSection, Question, QuestionCache, causal_map};
use crate::analysis::{Array, Section};
use crate::error::{Error, ErrorKind, Result};
use crate::names::{Measure, Side};

/// `keyside causal`: the effect of removing each component of either side, recomputed to the end of the model, and the
/// linear prediction.
///
/// # Errors
/// Those of [`causal_map`], [`crate::ErrorKind::Target`] for targets that are not two tokens, and those of writing.
pub async fn run_causal(arguments: &PairArguments, out: &mut dyn Write) -> Result<()> {
    let mut sentence = Sentence::read(&arguments.sentence).await?;
    let pair = sentence.pair(arguments)?;
    let question = Question {
        text: arguments.sentence.text.clone(),
        prepend_bos: arguments.sentence.bos,
        dest: Some(pair.dest),
        src: Some(pair.src),
        head: Some(pair.head),
        targets: effects::targets(sentence.model.tokenizer(), arguments)?,
        ..Question::default()
    };
    let mut found = None;
    let give = |_: &_, _: &_, section, _| {
        if let Section::Causal(section) = section {
            found = Some(section);
        }
    };
    let (cache, bar) = (&mut QuestionCache::default(), Bar::new());
    causal_map(&mut sentence.model, cache, &question, &bar, give).await?;
    // The last map given is complete.
    let map = found.filter(CausalSection::is_whole);
    let map = map.ok_or_else(|| Error::new(ErrorKind::Internal, "the causal map is not whole"))?;
    let written = sentence.written(pair.head, arrays(&map));
    write(
        arguments.sentence.json.as_deref(),
        &written,
        &description(&sentence, &map),
        out,
    )
}

/// The arrays for JSON with their names: the values of the pair and, for each side and measure, the changes caused by
/// removing each component, recomputed and predicted, `[components]`.
fn arrays(map: &CausalSection) -> BTreeMap<String, Array> {
    let before = Array::vector(vec![map.score, map.attention, map.logit_difference]);
    let mut arrays = BTreeMap::from([("causal/none".to_owned(), before)]);
    for side in Side::ALL {
        for measure in Measure::ALL {
            let of_side = map.side(side);
            for (what, changes) in [
                ("causal", &of_side.recomputed),
                ("causal_predicted", &of_side.predicted),
            ] {
                let values = Array::vector(changes.of(measure).to_vec());
                arrays.insert(format!("{what}/{side}/{measure}"), values);
            }
        }
    }
    arrays
}

fn description(sentence: &Sentence, map: &CausalSection) -> String {
    let (dest, src) = (sentence.token(map.dest), sentence.token(map.src));
    let mut description = format!(
        "Head {} from {dest:?} (position {}) to {src:?} (position {}): score {:.4}, attention {:.1} %, logit of {:?} minus that of {:?} {:.4}.\n",
        map.head,
        map.dest,
        map.src,
        map.score,
        100.0 * map.attention,
        map.a.text,
        map.b.text,
        map.logit_difference
    );
    for measure in Measure::ALL {
        let agreement = map.agreement(measure);
        let correlation = match agreement.correlation {
            Some(correlation) => format!("correlates with the linear prediction by {correlation:.3}"),
            None => "is the same number everywhere, or predicted so".to_owned(),
        };
        line(
            &mut description,
            format_args!(
                "Without a component the change of {measure} {correlation} ({} cells).",
                agreement.cells
            ),
        );
        let mut cells = map.cells(measure);
        cells.sort_by(|one, other| other.recomputed.abs().total_cmp(&one.recomputed.abs()));
        cells.truncate(LINES);
        line(&mut description, format_args!("Largest, recomputed (and predicted):"));
        cells.iter().for_each(|cell| tell(&mut description, cell));
        line(&mut description, format_args!("Furthest from what is predicted:"));
        agreement.worst.iter().for_each(|cell| tell(&mut description, cell));
    }
    description
}

fn tell(description: &mut String, cell: &CausalCell) {
    let CausalCell {
        side,
        component,
        recomputed,
        predicted,
    } = cell;
    line(
        description,
        format_args!(
            "{recomputed:>+9.4} ({predicted:>+9.4})  the {side} without {}",
            component.name()
        ),
    );
}
