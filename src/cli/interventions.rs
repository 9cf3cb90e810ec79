//! The interventions of `keyside effects`, recomputed and linearly predicted.

use super::listing::line;
use super::progress::Bar;
use super::sentence::{PairArguments, Sentence};
use crate::analysis::pair::{
    Between, Extent, Intervention, InterventionRequest, InterventionSection, Outcome, Pair, Predicted, Question,
    QuestionCache, Replacement, Vector, intervene,
};
use crate::analysis::{Array, Section};
use crate::error::{Error, ErrorKind, Result};
use crate::names::{Component, Head, HeadActivation, Normalization, Side};

/// An intervention, the names of its arrays, and its description.
struct NamedIntervention {
    effect: &'static str,
    prediction: Option<&'static str>,
    words: String,
    intervention: Intervention,
}

/// The effects of interventions.
pub(super) struct Interventions {
    asked: Vec<NamedIntervention>,
    section: InterventionSection,
}

/// Applies interventions at `pair` of `sentence`: to the pair's head, and to an earlier one or with a second sentence
/// if `arguments` name those.
///
/// # Errors
/// Those of [`intervene`].
pub(super) async fn find(
    sentence: &mut Sentence,
    (pair, targets): (&Pair, Between),
    arguments: &PairArguments,
) -> Result<Interventions> {
    let asked = asked(sentence, (pair, targets), arguments);
    let question = Question {
        text: arguments.sentence.text.clone(),
        prepend_bos: arguments.sentence.bos,
        dest: Some(pair.dest),
        src: Some(pair.src),
        head: Some(pair.head),
        targets: targets.into(),
        normalization: Normalization::of(arguments.exact_ln),
        ..Question::default()
    };
    let intervening = InterventionRequest {
        interventions: asked.iter().map(|asked| asked.intervention).collect(),
        second: arguments.second.clone(),
        ..InterventionRequest::default()
    };
    let mut found = None;
    let give = |_: &_, _: &_, section, _| {
        if let Section::Intervention(section) = section {
            found = Some(section);
        }
    };
    let (cache, bar) = (&mut QuestionCache::default(), Bar::new());
    intervene(&mut sentence.model, cache, (&question, &intervening), &bar, give).await?;
    let section = found.ok_or_else(|| Error::new(ErrorKind::Internal, "interventions have given nothing"))?;
    Ok(Interventions { asked, section })
}

/// All requested interventions, in order of output.
fn asked(sentence: &Sentence, (pair, targets): (&Pair, Between), arguments: &PairArguments) -> Vec<NamedIntervention> {
    let head = pair.head;
    let named = |effect, words, intervention| NamedIntervention {
        effect,
        prediction: None,
        words,
        intervention,
    };
    let set = |head, activation, to, at| Intervention::Set {
        head,
        activation,
        to,
        at,
    };
    let substitute = |side, token| Intervention::Substitute {
        side,
        vector: Vector::Unembedding(token),
    };
    let (z, zero) = (HeadActivation::Z, Replacement::Zero);
    let (a, src) = (sentence.text(targets.a), sentence.token(pair.src));
    let mut all = vec![
        named(
            "effect/query=W_U[a]",
            format!("the query made from the W_U row of {a:?}"),
            substitute(Side::Query, targets.a),
        ),
        named(
            "effect/key=W_U[src]",
            format!("the key made from the W_U row of {src:?}"),
            substitute(Side::Key, pair.tokens[pair.src]),
        ),
        named(
            "effect/zero head",
            format!("head {head} zero"),
            set(head, z, zero, Extent::All),
        ),
        named(
            "effect/zero head at dest",
            format!("head {head} zero here alone"),
            set(head, z, zero, Extent::Pair),
        ),
    ];
    if let Some(earlier) = arguments.earlier {
        all.extend(of_earlier(earlier));
        let words = format!("head {earlier} zero");
        all.push(named(
            "effect/zero earlier head",
            words,
            set(earlier, z, zero, Extent::All),
        ));
    }
    if arguments.second.is_some() {
        let second = |effect, activation: HeadActivation, at| {
            let places = match at {
                Extent::All => "everywhere",
                Extent::Pair => "at the pair",
            };
            let words = format!("{activation} of head {head} from the second sentence, {places}");
            named(effect, words, set(head, activation, Replacement::Second, at))
        };
        all.extend([
            second("effect/z of second", z, Extent::All),
            second("effect/v of second", HeadActivation::V, Extent::All),
            second("effect/q of second at dest", HeadActivation::Q, Extent::Pair),
            second("effect/k of second at src", HeadActivation::K, Extent::Pair),
            second("effect/pattern of second", HeadActivation::Pattern, Extent::All),
        ]);
    }
    all
}

/// Removals of an earlier head's output from either side.
fn of_earlier(earlier: Head) -> [NamedIntervention; 2] {
    let remove = |side, effect, prediction| NamedIntervention {
        effect,
        prediction: Some(prediction),
        words: format!("the {side} without head {earlier}"),
        intervention: Intervention::Remove {
            side,
            component: Component::Head(earlier),
            scale: 1.0,
        },
    };
    [
        remove(
            Side::Query,
            "effect/query without earlier head",
            "prediction/query without earlier head",
        ),
        remove(
            Side::Key,
            "effect/key without earlier head",
            "prediction/key without earlier head",
        ),
    ]
}

impl Interventions {
    /// The arrays for JSON with their names: recomputed attention, logit difference and log-probability; predicted
    /// attention, logit difference and score.
    pub(super) fn arrays(&self) -> Vec<(&'static str, Array)> {
        let src = self.section.src;
        let reported = |outcome: &Outcome| {
            Array::vector(vec![
                outcome.attention(src),
                outcome.logit_difference,
                outcome.logprob_a,
            ])
        };
        let mut arrays = vec![("effect/none", reported(&self.section.before))];
        for (asked, effect) in self.asked.iter().zip(&self.section.effects) {
            arrays.push((asked.effect, reported(&effect.after)));
            let Predicted {
                attention,
                score,
                logit_difference,
            } = effect.predicted;
            let predicted = Array::vector(vec![attention, logit_difference, score]);
            arrays.extend(asked.prediction.map(|prediction| (prediction, predicted)));
        }
        arrays
    }

    /// A table of attention and logit difference with each intervention, recomputed and predicted.
    pub(super) fn description(&self) -> String {
        let (mut description, src) = (String::new(), self.section.src);
        let InterventionSection { a, b, before, .. } = &self.section;
        line(
            &mut description,
            format_args!(
                "Recomputed to the end (and linearly predicted): attention, logit of {:?} minus that of {:?}",
                a.text, b.text
            ),
        );
        let told_before = format!("{:>6.1} %", 100.0 * before.attention(src));
        line(
            &mut description,
            format_args!(
                "{told_before:<21} {:>+9.4}             as it is",
                before.logit_difference
            ),
        );
        for (asked, effect) in self.asked.iter().zip(&self.section.effects) {
            let (after, predicted) = (&effect.after, &effect.predicted);
            line(
                &mut description,
                format_args!(
                    "{:>6.1} % ({:>6.1} %)   {:>+9.4} ({:>+9.4})  {}",
                    100.0 * after.attention(src),
                    100.0 * predicted.attention,
                    after.logit_difference,
                    predicted.logit_difference,
                    asked.words
                ),
            );
        }
        description
    }
}
