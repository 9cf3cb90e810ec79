//! The tiny checkpoint against `fixtures/tiny-golden.json`: TransformerLens and the notebook's library
//! in float64 (heads 2.1 and 2.3, earlier head 1.3; 3 batches of 10 prompts).

#![allow(clippy::unwrap_used)]

mod common;
mod golden_file;

use std::cell::Cell;

use common::block_on;
use common::engines::{has_gpu, model_on, was_computed_by};
use golden_file::results;
use golden_file::{Golden, Recorder, analysis};
use keyside::analysis::{contributions, head_attention};
use keyside::forward::{Model, NoMonitor};
use keyside::names::{EngineName, Head};
use keyside::prompts::ioi::{Prompt, draw_batch};

/// IOI prompts as prompts like any others.
fn general(prompts: &[keyside::prompts::ioi::Prompt]) -> Vec<keyside::prompts::Prompt> {
    prompts.iter().cloned().map(Into::into).collect()
}

const GOLDEN: &str = "tiny-golden.json";
const TOLERANCE: f32 = 1e-4;

thread_local! {
    /// The engine of models on this thread.
    static ENGINE: Cell<EngineName> = const { Cell::new(EngineName::Gemm) };
}

fn model() -> Model {
    model_on(ENGINE.get())
}

/// All of the tests below with `engine`.
fn everything_with(engine: EngineName) {
    ENGINE.set(engine);
    residual_stream_and_log_probabilities();
    queries_keys_and_scores();
    substituted_vectors();
    histograms();
    every_heatmap_prompt_by_prompt();
    ENGINE.set(EngineName::Gemm);
}

#[test]
fn everything_with_the_kernels() {
    everything_with(EngineName::Packed);
}

/// On the GPU that there is: see `compute/contract_gpu`.
#[test]
fn everything_on_a_gpu() {
    if has_gpu() {
        everything_with(EngineName::Gpu);
    }
}

fn prompts(model: &Model) -> Vec<Prompt> {
    draw_batch(model.tokenizer(), 0, 10, false).unwrap().prompts
}

/// Prompt 0 of seed 0, padded as the golden batch was.
fn padded(model: &Model, prompts: &[Prompt]) -> Vec<u32> {
    let longest = prompts.iter().map(|prompt| prompt.tokens.len()).max().unwrap();
    let mut tokens = prompts[0].tokens.clone();
    tokens.resize(longest, model.config().bos_token_id.unwrap());
    tokens
}

#[test]
fn residual_stream_and_log_probabilities() {
    let mut golden = Golden::read(GOLDEN, TOLERANCE);
    let mut model = model();
    let prompts = prompts(&model);
    let tokens = padded(&model, &prompts);
    for layer in 0..3 {
        let resid = block_on(model.resid_pre(&tokens, layer, &NoMonitor)).unwrap();
        golden.check(&format!("dbg/resid_pre/{layer}"), &resid);
    }
    let to_end = &tokens[..=prompts[0].positions.end];
    let log_probs = block_on(model.log_probs(&[to_end], &NoMonitor)).unwrap();
    golden.check("dbg/final_logprob_end", &log_probs[0]);
    golden.finish();
    was_computed_by(ENGINE.get(), model);
}

#[test]
fn queries_keys_and_scores() {
    let mut golden = Golden::read(GOLDEN, TOLERANCE);
    let mut model = model();
    let tokens = padded(&model, &prompts(&model));
    let attention = block_on(head_attention(&mut model, &tokens, Head::new(2, 1), &NoMonitor)).unwrap();
    golden.check("dbg/q", &attention.queries);
    golden.check("dbg/k", &attention.keys);
    let expected = golden.array("dbg/attn_scores");
    let causal = expected
        .chunks_exact(tokens.len())
        .enumerate()
        .flat_map(|(query, row)| row[..=query].to_vec());
    golden.check_values(
        "dbg/attn_scores",
        &attention.scores.concat(),
        &causal.collect::<Vec<_>>(),
    );
    golden.finish();
    was_computed_by(ENGINE.get(), model);
}

#[test]
fn substituted_vectors() {
    let mut golden = Golden::read(GOLDEN, TOLERANCE);
    let mut model = model();
    let io_tokens: Vec<u32> = prompts(&model)[..4].iter().map(|prompt| prompt.io_token).collect();
    let tokens = io_tokens.iter().copied().collect();
    block_on(model.load_embedding(&tokens, &NoMonitor)).unwrap();
    let effective = block_on(model.effective_embedding(&io_tokens, &NoMonitor)).unwrap();
    let w_u: Vec<f32> = io_tokens.iter().flat_map(|&token| model.w_u(token).unwrap()).collect();
    golden.check("dbg/W_U_IO", &w_u);
    golden.check("dbg/W_EE_IO", &effective.resid_post);
    golden.check("dbg/W_EE_subE_IO", &effective.mlp_out);
    golden.finish();
    was_computed_by(ENGINE.get(), model);
}

#[test]
fn histograms() {
    let mut golden = Golden::read(GOLDEN, TOLERANCE);
    let mut model = model();
    for head in ["2.1", "2.3"] {
        let analysis = analysis(head, "1.3", 3, 10);
        let result = block_on(results::run(&mut model, &analysis, &Recorder::default())).unwrap();
        golden.check_histograms(&result);
    }
    assert_eq!(golden.compared, 2 * (6 + 6 + 4 + 4 + 2));
    golden.finish();
    was_computed_by(ENGINE.get(), model);
}

#[test]
fn every_heatmap_prompt_by_prompt() {
    let mut golden = Golden::read(GOLDEN, TOLERANCE);
    let mut model = model();
    let prompts = prompts(&model);
    for head in ["2.1", "2.3"] {
        let found = block_on(contributions(
            &mut model,
            &general(&prompts),
            head.parse().unwrap(),
            &NoMonitor,
        ))
        .unwrap();
        golden.check_contributions(head, &found);

        let analysis = analysis(head, "1.3", 2, 10);
        let result = block_on(results::run(&mut model, &analysis, &Recorder::default())).unwrap();
        assert_eq!(result.heatmap_names().len(), found.len());
        for (name, found) in &found {
            let heatmap = result.heatmap(name).unwrap();
            let cells = found.rows.len() * found.columns.len();
            let mean = |cell: usize| (0..10).map(|prompt| found.prompt(prompt)[cell]).sum::<f32>() / 10.0;
            let means: Vec<f32> = (0..cells).map(mean).collect();
            golden.check_values(
                &format!("{head} {name}, means"),
                &results::means(heatmap).concat(),
                &means,
            );
            if let Some(per_prompt) = results::per_prompt(heatmap) {
                golden.check_values(
                    &format!("{head} {name}, per prompt"),
                    &per_prompt.concat().concat(),
                    &found.values,
                );
            }
            assert_eq!(heatmap.per_prompt.is_none(), name.is_facet(), "{name}");
            assert!((heatmap.sum - heatmap.mean_score.unwrap()).abs() <= TOLERANCE);
        }
    }
    // Eleven arrays and two of scores; 23 tables of means, of which 7 with every prompt.
    assert_eq!(golden.compared, 2 * (11 + 2 + 23 + 7));
    golden.finish();
    was_computed_by(ENGINE.get(), model);
}
