use super::*;
use crate::analysis::Timing;
use crate::figure::{Figure, FigurePlace, View};
use crate::names::{FigureName, HeatmapId};
use crate::prompts::PromptSet;

fn recorded() -> ResultFile {
    let bytes = include_bytes!("../../public/recorded/gpt2-small-10.7.json");
    ResultFile::from_json(bytes).expect("the recorded run reads")
}

fn with_b_o() -> Heatmap {
    Heatmap {
        mean_score: Some(2.25),
        max_abs_residual: Some(3.2e-6),
        max_relative_residual: None,
        ..Heatmap::of_table(
            &["misc", "0", "1"],
            &["L.0", "L.1", "MLP", "b_O"],
            &[
                vec![0.5, 0.25, 0.25, 0.0],
                vec![1.0, -0.5, 0.5, 0.25],
                vec![0.0, 1.0, -1.5, 0.5],
            ],
        )
    }
}

fn progress(phase: Phase) -> Progress {
    Progress {
        phase,
        batches_done: 2,
        batches: 10,
        layers_done: 1,
        layers: 4,
        bytes_read: 2_000_000,
        bytes: 8_000_000,
        bytes_from_network: 0,
        bytes_from_storage: 0,
        bytes_per_second: None,
        linear_memory: None,
        computed: 0.0,
        positions_done: 1300,
        seconds: 0.5,
        positions_per_second: Some(5230.4),
        seconds_left: Some(83.0),
    }
}

#[test]
fn the_identity_is_said_in_numbers() {
    let heatmap = with_b_o();
    assert_eq!(
        identity(&heatmap, 40, false),
        "The 11 cells add up to 2.2500; the mean score is 2.2500; largest difference over 40 prompts 3e-6."
    );
    let relative = Heatmap {
        max_relative_residual: Some(4.4e-7),
        ..heatmap.clone()
    };
    let text = identity(&relative, 40, false);
    let end = "over 40 prompts sum and score differ by at most 4e-7 of the sum of the absolute cells.";
    assert!(text.ends_with(end), "{text}");
    let notebook = identity(&heatmap, 40, true);
    assert!(
        notebook.contains("the 9 cells add up to 1.5000") && notebook.contains("other 0.7500"),
        "{notebook}"
    );
    assert!(has_b_o(&heatmap));
}

#[test]
fn a_marked_prompt_has_a_sum_and_words_of_its_own() {
    let mut result = recorded();
    let section = result.contributions_mut().expect("recorded");
    let heatmap = section.heatmaps.get_mut(&HeatmapId::KEY).expect("key");
    let cells = heatmap.components.len();
    let mut numbers = vec![0.0; 40 * cells];
    // In prompt 8: 2.5 for head 0.1, the second-last of the layers' components, and -1 for W_E.
    (numbers[7 * cells], numbers[7 * cells + 4]) = (-1.0, 2.5);
    heatmap.per_prompt = Some(crate::analysis::Array::of_rows(numbers, cells));
    let mean = sums(&result, &HeatmapId::KEY, None, false).expect("a heatmap");
    assert_eq!(
        sums(&result, &HeatmapId::KEY, Some(40), false).as_ref(),
        Some(&mean),
        "no cells of prompt 41"
    );
    let of_prompt = |result: &ResultFile| sums(result, &HeatmapId::KEY, Some(7), false).expect("a heatmap");
    assert_eq!(
        of_prompt(&result),
        format!("In prompt 8 the {cells} cells add up to 1.5000.")
    );
    let marked = View {
        prompt: Some(7),
        ..View::default()
    };
    let place = FigurePlace::of(FigureName::HEATMAP).expect("a place");
    let summary = Figure::at(place, &marked).summary(&result);
    assert!(summary.contains("in prompt 8. Largest: 0.1 2.500"), "{summary}");
    let view = crate::plot::HeatmapView::default();
    let description = crate::app::story::heatmap(&result, &view, Some(7));
    assert!(
        description[0].starts_with("Only head 0.1 (2.50) adds to the score, 2.50, more than the sum of all cells in prompt 8, 1.50, as others take off; the token embedding W_E"),
        "{description:?}"
    );
    let truth: Vec<f32> = (0..1200).map(|i| i as f32).collect();
    result.substitution_mut().expect("recorded").true_score = Some(crate::analysis::Array::vector(truth));
    assert!(
        of_prompt(&result).ends_with("; the head\u{2019}s score there is 7.0000."),
        "{}",
        of_prompt(&result)
    );
}

#[test]
fn a_mean_that_differs_from_the_histograms_says_why() {
    let mut result = recorded();
    let text = sums(&result, &HeatmapId::KEY, None, false).expect("a heatmap");
    assert!(
        text.ends_with(
            "The histogram\u{2019}s No patching has the mean 4.41: it is over all 1,200 prompts, and its vector is divided by its \
             standard deviation, where the head divides by ln_scale."
        ),
        "{text}"
    );
    // Other prompts, or not the whole score: nothing to compare with.
    for name in ["query", "key_subWU"] {
        let text = sums(&result, &name.into(), None, false).expect("a heatmap");
        assert!(!text.contains("histogram"), "{text}");
    }
    let section = result.contributions_mut().expect("recorded");
    section.heatmaps.get_mut(&HeatmapId::KEY).expect("key").mean_score = Some(4.4123);
    let same = sums(&result, &HeatmapId::KEY, None, false).expect("a heatmap");
    assert!(!same.contains("histogram"), "{same}");
}

#[test]
fn the_recorded_run_does_not_add_up_and_says_why() {
    let result = recorded();
    let heatmap = result.heatmap(&HeatmapId::KEY).expect("recorded");
    assert!(!has_b_o(heatmap));
    let text = identity(heatmap, result.heatmap_prompts(), false);
    for part in ["133 cells", "3.667", "4.505", "0.838 is b_O", "40 prompts"] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    assert_eq!(identity(heatmap, result.heatmap_prompts(), true), text);
}

#[test]
fn summaries_name_head_prompts_and_means() {
    let mut result = recorded();
    assert_eq!(
        settings(&result),
        "head 10.7, earlier head 9.9 \u{b7} 1,200 prompts (30 \u{d7} 40, seeds 0\u{2013}29)"
    );
    if let Some(PromptSet::Ioi(set)) = &mut result.prompt_set {
        (set.batches, set.prepend_bos) = (1, true);
    }
    result.timing = Some(Timing {
        seconds: 8.14,
        positions_per_second: 950.2,
        ..Timing::default()
    });
    let text = settings(&result);
    assert!(
        text.ends_with("40 prompts (1 \u{d7} 40, seed 0, with BOS) \u{b7} 8.1 s (950 positions/s)"),
        "{text}"
    );
    if let Some(timing) = &mut result.timing {
        timing.resumed_from = Some(10);
    }
    let text = settings(&result);
    assert!(
        text.ends_with("8.1 s (from layer 10 on, as the run before had left it)"),
        "{text}"
    );
    assert_eq!(file_name(&result), "keyside-gpt-2-small-10.7.json");
}

#[test]
fn progress_is_said_in_words() {
    let running = Run::Running(progress(Phase::Computing));
    assert_eq!(phase(&running), "Computing batch 3 of 10");
    assert_eq!(
        phase(&Run::Cancelling(Some(progress(Phase::Computing)))),
        "Cancelling at batch 3 of 10"
    );
    assert_eq!(
        phase(&Run::Running(progress(Phase::Loading))),
        "Reading weights, batch 3 of 10"
    );
    assert!(phase(&Run::Cancelled(0)).contains("Nothing changed"));
    assert!(phase(&Run::Cancelled(3)).contains("3 batches"));
    assert_eq!(
        details(&progress(Phase::Computing)),
        "layer 2 of 4 \u{b7} 5,230 positions/s \u{b7} about 1 min 23 s left"
    );
}
