//! Texts of the figures' controls.

use crate::names::{HistogramId, SplitBy};
use crate::plot::SeriesOrder;
use crate::quantities::{counted, grouped};
use crate::result::ResultFile;

/// Help text for the keyboard in a strip of prompts.
pub const STRIP_KEYS: &str = "Left and right walk from prompt to prompt by value; Home and End go to the least and the greatest. Enter \
    picks a prompt: its values are marked in every figure.";

/// Help text for keeping the value of a bar.
pub const KEEP_BAR: &str = "Click or tap a bar or a box to keep its values here.";

/// Help text for keeping the value of a cell.
pub const KEEP_CELL: &str = "Click or tap a cell to keep its value here.";

/// Numbers of bins to choose from.
pub const BIN_COUNTS: [usize; 6] = [10, 20, 40, 80, 160, 320];

/// The default number of bins, in words.
pub fn usual_bins(name: HistogramId) -> String {
    format!("{} (notebook)", if name.probs() { 100 } else { 120 })
}

/// The label of an order of series.
pub fn order(order: SeriesOrder) -> &'static str {
    match order {
        SeriesOrder::Mean => "mean",
        SeriesOrder::Median => "median",
        SeriesOrder::Label => "name",
    }
}

/// The caption of the table of prompt groups.
pub fn split_caption(by: SplitBy) -> String {
    let by = match by {
        SplitBy::Order => "order of the names",
        SplitBy::Template => "template, whatever the order of the names",
        SplitBy::Name => "name of IO",
    };
    format!("Mean of each series by {by}; the line is one standard deviation to either side.")
}

/// Number of prompts with values in a result.
pub fn prompt_count(result: &ResultFile) -> usize {
    result.prompt_count()
}

/// The selected prompt: "Prompt 8 of 1,200", and its text if it is known.
pub fn picked_prompt(result: &ResultFile, prompt: usize) -> (String, Option<String>) {
    let number = format!("Prompt {} of {}", grouped(prompt + 1), grouped(prompt_count(result)));
    (number, result.prompt_text(prompt))
}

/// The hint in place of a cell's prompts while no cell is selected. `cells` is the number of prompts with values in the
/// heatmap.
pub fn no_cell(cells: Option<usize>) -> String {
    match cells {
        Some(prompts) => format!(
            "Point at a cell to see what it contributes to each of the {}. Click it to keep them here.",
            counted(prompts, "prompt", "prompts")
        ),
        None => "This result keeps the mean of each cell only, not its value for each prompt: the recorded run was stored that \
                 way. A live run has them all."
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded() -> ResultFile {
        ResultFile::from_json(include_bytes!("../../public/recorded/gpt2-small-10.7.json")).expect("the recorded run")
    }

    #[test]
    fn a_prompt_is_counted_from_one_and_has_its_text_where_known() {
        let result = recorded();
        assert_eq!(prompt_count(&result), 1200);
        // The recorded run contains no texts: they are drawn from its seeds.
        let text = "When Sullivan and Charles got a kiss at the station, Sullivan decided to give it to Charles";
        assert_eq!(
            picked_prompt(&result, 7),
            ("Prompt 8 of 1,200".to_owned(), Some(text.to_owned()))
        );
    }

    #[test]
    fn results_without_values_of_prompts_say_so() {
        assert!(no_cell(Some(40)).contains("each of the 40 prompts"));
        assert!(no_cell(None).contains("A live run has them all"));
    }

    #[test]
    fn the_usual_bins_are_the_notebooks() {
        assert!(usual_bins(HistogramId::KeysFixedScores).starts_with("120 "));
        assert!(usual_bins(HistogramId::QueriesFixedProbs).starts_with("100 "));
    }
}
