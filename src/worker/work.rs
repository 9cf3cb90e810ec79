//! Estimates how much a request computes, to decide whether a GPU pays.
//!
//! Counts the floating-point operations of blocks from the request alone: prompts are not drawn yet, so shared prefixes are counted once for each prompt.

use crate::analysis::Analysis;
use crate::analysis::pair::Question;
use crate::model::Config;
use crate::prompts::PromptSource;

/// The smallest number of operations for which a GPU pays: opening and testing one takes a third of a second, weights in the CPU's memory are
/// read again, and the CPU's kernels compute this many in a second or two.
pub(super) const PAYS: f64 = 1e11;

/// Tokens of a prompt of the dataset, about.
const OF_PROMPT: usize = 17;
/// Bytes of a text for each token, about.
const OF_TOKEN: usize = 4;

/// One row through one block.
fn of_row(config: &Config) -> f64 {
    let (d, d_mlp) = (config.d_model as f64, config.d_mlp as f64);
    2.0 * (4.0 * d * d + 2.0 * d * d_mlp)
}

/// A run.
pub(super) fn of_run(analysis: &Analysis, config: &Config) -> f64 {
    let tokens = match &analysis.prompts {
        PromptSource::Ioi(set) => set.count().saturating_mul(OF_PROMPT),
        PromptSource::Text(prompts) => prompts.text.len() / OF_TOKEN,
    };
    let layers = match (&analysis.intervention, analysis.writes) {
        // Every prompt as it is, and with what is put in.
        (Some(_), _) => 2 * config.n_layer,
        (None, true) => config.n_layer,
        (None, false) => analysis.head.layer,
    };
    tokens as f64 * layers as f64 * of_row(config)
}

/// A causal map: every component is taken out at half of the positions, and what comes after it is computed again, half of the layers.
pub(super) fn of_causal_map(question: &Question, config: &Config) -> f64 {
    let tokens = (question.text.len() / OF_TOKEN) as f64;
    let layers = config.n_layer as f64;
    let components = layers * (config.n_head + 1) as f64;
    components * tokens / 2.0 * layers / 2.0 * of_row(config)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::Head;
    use crate::prompts::IoiSet;
    use crate::prompts::text::TextPrompts;

    #[test]
    fn a_run_of_many_prompts_pays_and_a_sentence_does_not() {
        let small = Config::default();
        let mut run = Analysis::default();
        assert!(of_run(&run, &small) > 20.0 * PAYS);
        run.prompts = IoiSet {
            batches: 1,
            ..IoiSet::default()
        }
        .into();
        assert!(of_run(&run, &small) < PAYS);
        run.writes = true;
        assert!(
            of_run(&run, &small)
                > of_run(
                    &Analysis {
                        writes: false,
                        ..run.clone()
                    },
                    &small
                )
        );
        run.prompts = TextPrompts {
            text: "When Mary and John went to the store, John gave a drink to Mary\n".repeat(1200),
            ..TextPrompts::default()
        }
        .into();
        assert!(of_run(&run, &small) > PAYS);
        run.head = Head::new(0, 1);
        run.writes = false;
        assert!(of_run(&run, &small) < PAYS);
    }

    #[test]
    fn a_causal_map_of_a_long_sentence_pays() {
        let question = |text: &str| Question {
            text: text.to_owned(),
            ..Question::default()
        };
        let small = Config::default();
        let long = "When Mary and John went to the store, John gave a drink to Mary and said that ".repeat(2);
        assert!(of_causal_map(&question(&long), &small) > PAYS);
        assert!(of_causal_map(&question("Then Tom"), &small) < PAYS);
    }
}
