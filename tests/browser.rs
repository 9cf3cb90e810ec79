//! The golden numbers of the tiny checkpoint, computed in a worker of a real browser: the same comparisons as in
//! `golden.rs`, `edits.rs` and `own_prompts.rs`, with each engine; and runs that lose their GPU, as in `gpu.rs`. Natively
//! there is nothing to run.

#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used)]

mod golden_file;
mod gpu_faults;

use golden_file::continuation::{CONTINUATION, SAMPLING, TEXT};
use golden_file::own::{self, OWN_ARRAYS};
use golden_file::pairs::{self, PAIR_ARRAYS};
use golden_file::results;
use golden_file::sentence::{self, INTERVENTION_ARRAYS, SENTENCE_ARRAYS};
use golden_file::workers::Here;
use golden_file::{Golden, Recorder, analysis, fixture};
use keyside::analysis::{analyze, contributions};
use keyside::checkpoint::MemorySource;
use keyside::forward::{Model, NoMonitor, continue_with, native_engine};
use keyside::model::Processing;
use keyside::names::{EngineChoice, EngineName};
use keyside::prompts::ioi::draw_batch;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

/// IOI prompts as prompts like any others.
fn general(prompts: &[keyside::prompts::ioi::Prompt]) -> Vec<keyside::prompts::Prompt> {
    prompts.iter().cloned().map(Into::into).collect()
}

wasm_bindgen_test_configure!(run_in_dedicated_worker);

const TOLERANCE: f32 = 1e-4;

fn tiny() -> MemorySource {
    MemorySource::new()
        .with("config.json", include_bytes!("fixtures/tiny/config.json").to_vec())
        .with(
            "model.safetensors",
            include_bytes!("fixtures/tiny/model.safetensors").to_vec(),
        )
        .with(
            "tokenizer.json",
            include_bytes!("fixtures/tiny/tokenizer.json").to_vec(),
        )
}

/// The kernels as they are compiled into the worker, too (tests/kernel has their modules), and the GPU, which is
/// Chromium's SwiftShader here.
const ENGINES: [EngineName; 3] = [EngineName::Gemm, EngineName::Packed, EngineName::Gpu];

async fn model(engine: EngineName) -> Model {
    let mut model = Model::open(Box::new(tiny()), Processing::default()).await.unwrap();
    let choice = EngineChoice {
        engine: Some(engine),
        threads: None,
    };
    model.set_engine(native_engine(choice).await.unwrap());
    model
}

/// Checks that `model` was computed by `engine` to the end.
fn was_computed_by(engine: EngineName, mut model: Model) {
    assert!(model.take_engine_failure().is_none());
    assert_eq!(model.engine(), engine);
}

#[wasm_bindgen_test]
async fn residual_stream_and_log_probabilities() {
    for engine in ENGINES {
        let mut golden = Golden::read("tiny-golden.json", TOLERANCE);
        let mut model = model(engine).await;
        let prompts = draw_batch(model.tokenizer(), 0, 10, false).unwrap().prompts;
        let longest = prompts.iter().map(|prompt| prompt.tokens.len()).max().unwrap();
        let mut tokens = prompts[0].tokens.clone();
        tokens.resize(longest, model.config().bos_token_id.unwrap());
        for layer in 0..3 {
            let resid = model.resid_pre(&tokens, layer, &NoMonitor).await.unwrap();
            golden.check(&format!("dbg/resid_pre/{layer}"), &resid);
        }
        let to_end = &tokens[..=prompts[0].positions.end];
        let log_probs = model.log_probs(&[to_end], &NoMonitor).await.unwrap();
        golden.check("dbg/final_logprob_end", &log_probs[0]);
        golden.finish();
        was_computed_by(engine, model);
    }
}

#[wasm_bindgen_test]
async fn histograms() {
    for engine in ENGINES {
        let mut golden = Golden::read("tiny-golden.json", TOLERANCE);
        let mut model = model(engine).await;
        for head in ["2.1", "2.3"] {
            let analysis = analysis(head, "1.3", 3, 10);
            let recorder = Recorder::default();
            let result = results::run(&mut model, &analysis, &recorder).await.unwrap();
            assert_eq!(recorder.batches.borrow().len(), 3);
            golden.check_histograms(&result);
        }
        assert_eq!(golden.compared, 2 * (6 + 6 + 4 + 4 + 2));
        golden.finish();
        was_computed_by(engine, model);
    }
}

#[wasm_bindgen_test]
async fn every_heatmap_prompt_by_prompt() {
    for engine in ENGINES {
        let mut golden = Golden::read("tiny-golden.json", TOLERANCE);
        let mut model = model(engine).await;
        let prompts = draw_batch(model.tokenizer(), 0, 10, false).unwrap().prompts;
        for head in ["2.1", "2.3"] {
            let found = contributions(&mut model, &general(&prompts), head.parse().unwrap(), &NoMonitor)
                .await
                .unwrap();
            golden.check_contributions(head, &found);
        }
        assert_eq!(golden.compared, 2 * (11 + 2));
        golden.finish();
        was_computed_by(engine, model);
    }
}

#[wasm_bindgen_test]
async fn eight_pairs_through_taps_and_edits() {
    for engine in ENGINES {
        let mut golden = Golden::without_file(TOLERANCE);
        let mut model = model(engine).await;
        for case in pairs::Case::all(&model, &fixture("pairs-golden.json")) {
            pairs::check(&mut model, &mut golden, &case).await;
        }
        assert_eq!(golden.compared, PAIR_ARRAYS);
        golden.finish();
        was_computed_by(engine, model);
    }
}

#[wasm_bindgen_test]
async fn eight_pairs_as_own_prompts() {
    for engine in ENGINES {
        let mut golden = Golden::without_file(TOLERANCE);
        let mut model = model(engine).await;
        let cases = pairs::Case::all(&model, &fixture("pairs-golden.json"));
        for case in &cases {
            own::check_case(&mut model, &mut golden, case).await;
        }
        assert_eq!(golden.compared, 8 * OWN_ARRAYS);
        golden.finish();
        was_computed_by(engine, model);
    }
}

#[wasm_bindgen_test]
async fn eight_sentences_asked_of_the_worker() {
    for engine in ENGINES {
        let mut golden = Golden::without_file(TOLERANCE);
        sentence::check_answers(&mut golden, tiny(), &Here { model: tiny(), engine }).await;
        assert_eq!(golden.compared, 8 * SENTENCE_ARRAYS);
        golden.finish();
    }
}

#[wasm_bindgen_test]
async fn eight_sentences_with_interventions_by_the_worker() {
    for engine in ENGINES {
        let mut golden = Golden::without_file(TOLERANCE);
        sentence::check_interventions(&mut golden, tiny(), &Here { model: tiny(), engine }).await;
        assert_eq!(golden.compared, INTERVENTION_ARRAYS);
        golden.finish();
    }
}

#[wasm_bindgen_test]
async fn the_same_seed_goes_on_with_the_same_tokens() {
    let files = [
        (
            "config.json",
            &include_bytes!("../public/models/tiny-ioi/config.json")[..],
        ),
        (
            "model.safetensors",
            include_bytes!("../public/models/tiny-ioi/model.safetensors"),
        ),
        (
            "tokenizer.json",
            include_bytes!("../public/models/tiny-ioi/tokenizer.json"),
        ),
    ];
    let source = files.into_iter().fold(MemorySource::new(), |source, (name, bytes)| {
        source.with(name, bytes.to_vec())
    });
    let mut model = Model::open(Box::new(source), Processing::default()).await.unwrap();
    let tokens = model.tokenizer().encode(TEXT).unwrap();
    let found = continue_with(&mut model, &tokens, CONTINUATION.len(), &SAMPLING, &NoMonitor).await;
    assert_eq!(found.unwrap(), CONTINUATION);
}

#[wasm_bindgen_test]
fn odd_texts_have_the_tokens_of_gpt2() {
    assert_eq!(own::check_strings(), 43);
}

#[wasm_bindgen_test]
async fn a_run_can_be_cancelled() {
    let mut model = model(EngineName::Gemm).await;
    let recorder = Recorder {
        cancel_at: Some(2),
        ..Recorder::default()
    };
    let error = analyze(&mut model, &analysis("2.1", "1.3", 3, 10), &recorder)
        .await
        .unwrap_err();
    assert_eq!(error, keyside::Error::cancelled());
}

#[wasm_bindgen_test]
async fn a_gpu_that_is_lost_in_the_middle_is_followed_by_the_cpu() {
    gpu_faults::a_lost_gpu_is_followed_by_the_cpu(tiny).await;
}

#[wasm_bindgen_test]
async fn weights_come_and_go_within_the_budget() {
    gpu_faults::weights_come_and_go_within_the_budget(tiny).await;
}

#[wasm_bindgen_test]
async fn a_gpu_that_takes_no_matrix_is_followed_by_the_cpu_and_one_that_takes_few_rows_is_not() {
    gpu_faults::a_gpu_without_room_for_a_matrix_is_followed_by_the_cpu(tiny).await;
}

#[wasm_bindgen_test]
async fn a_run_goes_on_where_its_gpu_is_lost() {
    gpu_faults::a_run_goes_on_where_its_gpu_is_lost(tiny).await;
}
