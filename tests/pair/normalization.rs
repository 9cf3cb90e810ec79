//! Vectors through exact LayerNorm: substituting the residual stream for itself changes nothing.

use keyside::analysis::pair::{Intervention, InterventionRequest, Question, Vector};
use keyside::analysis::{Analysis, analyze};
use keyside::checkpoint::MemorySource;
use keyside::forward::Model;
use keyside::model::Processing;
use keyside::names::{
    Facet, Head, HeatmapId, HeatmapParts, HeatmapVariant, HistogramId, Normalization, SeriesId, Side,
};
use keyside::prompts::{IoiSet, Prompt};
use keyside::result::ResultFile;
use rand_mt::Mt;

use crate::common::{block_on, tiny};
use crate::golden_file::largest_difference;
use crate::golden_file::results::Nobody;
use crate::intervene::{effects, processings, random_question};

const TOLERANCE: f32 = 1e-4;

/// The tiny checkpoint with another eps of LayerNorm.
fn with_eps(eps: f64) -> MemorySource {
    let mut config: serde_json::Value =
        serde_json::from_slice(include_bytes!("../fixtures/tiny/config.json")).expect("JSON");
    config["layer_norm_epsilon"] = eps.into();
    tiny().with("config.json", config.to_string())
}

fn open(eps: f64, processing: Processing) -> Model {
    block_on(Model::open(Box::new(with_eps(eps)), processing)).unwrap()
}

fn run(model: &mut Model, head: Head, normalization: Normalization) -> ResultFile {
    let analysis = Analysis {
        head,
        earlier_head: Head::new(0, 3),
        prompts: IoiSet {
            seed: 3,
            batches: 1,
            batch_size: 8,
            prepend_bos: false,
        }
        .into(),
        processing: model.processing(),
        normalization,
        ..Analysis::default()
    };
    let found = block_on(analyze(model, &analysis, &Nobody)).unwrap();
    ResultFile::new(model, &analysis, found)
}

/// How far the stream in its own place is from the head's own values, at most.
fn farthest(result: &ResultFile, histogram: HistogramId) -> f32 {
    let values = result.values(histogram, &SeriesId::NoPatching);
    largest_difference(values, result.true_values(histogram))
}

#[test]
fn with_exact_layer_norm_no_patching_is_the_true_score() {
    // Also where eps is no small part of the scale, and where LayerNorm has weights of its own.
    for (eps, head) in [(1e-5, Head::new(2, 1)), (0.3, Head::new(1, 2))] {
        for processing in processings() {
            let mut model = open(eps, processing);
            let exact = run(&mut model, head, Normalization::LayerNorm);
            let notebook = run(&mut model, head, Normalization::Notebook);
            let mut apart = 0f32;
            for histogram in HistogramId::ALL {
                let found = farthest(&exact, histogram);
                assert!(found <= TOLERANCE, "eps {eps}, {processing:?}, {histogram}: {found}");
                apart = apart.max(farthest(&notebook, histogram));
            }
            assert!(
                apart > 10.0 * TOLERANCE,
                "the notebook\u{2019}s way gives the same: {apart}"
            );
            // The other end of a split heatmap is the stream as it is: its facets add up to the score.
            for side in Side::ALL {
                let facets = Facet::ALL.map(|facet| {
                    let parts = HeatmapParts {
                        variant: HeatmapVariant::Facet(facet),
                        ..HeatmapParts::of(side)
                    };
                    exact.heatmap(&parts.into()).unwrap().sum
                });
                let mean = exact.heatmap(&HeatmapId::KEY).unwrap().mean_score.unwrap();
                let total: f32 = facets.iter().sum();
                assert!((total - mean).abs() <= TOLERANCE, "{side}: {total} for {mean}");
            }
            // The contribution for W_U[IO] is the same in the heatmap of the key as in the histogram.
            let of_io = exact.values(HistogramId::KeysFixedScores, &SeriesId::WuIo);
            let parts = HeatmapParts {
                variant: HeatmapVariant::FromWu,
                ..HeatmapParts::of(Side::Key)
            };
            let sum = exact.heatmap(&parts.into()).unwrap().sum;
            let mean = of_io.iter().sum::<f32>() / of_io.len() as f32;
            assert!((sum - mean).abs() <= TOLERANCE, "{sum} for {mean}");
        }
    }
}

#[test]
fn a_stream_in_its_own_place_changes_nothing_with_exact_layer_norm() {
    let mut random = Mt::new(31);
    let mut below = |end: usize| random.next_u32() as usize % end;
    for processing in processings() {
        let mut model = open(0.1, processing);
        let (question, tokens) = random_question(&model, &mut below);
        // The mean of the stream over twice the same prompt is the stream.
        let prompt = Prompt {
            tokens,
            positions: [
                ("dest".into(), question.dest.unwrap()),
                ("src".into(), question.src.unwrap()),
            ]
            .into(),
            ..Prompt::default()
        };
        let vector = Vector::Mean;
        let intervening = InterventionRequest {
            interventions: Side::ALL.map(|side| Intervention::Substitute { side, vector }).into(),
            run: vec![prompt.clone(), prompt],
            ..InterventionRequest::default()
        };
        let exact = Question {
            normalization: Normalization::LayerNorm,
            ..question.clone()
        };
        let [notebook, exact] = [question, exact].map(|question| effects(&mut model, &question, intervening.clone()));
        assert_eq!(exact.normalization, Normalization::LayerNorm);
        let before = &exact.before;
        for effect in &exact.effects {
            assert!((effect.after.score - before.score).abs() <= 1e-5 * before.score.abs().max(1.0));
            assert!((effect.after.logit_difference - before.logit_difference).abs() <= 1e-5);
            assert!((effect.predicted.score - before.score).abs() <= 1e-5 * before.score.abs().max(1.0));
        }
        let apart = notebook
            .effects
            .iter()
            .map(|effect| (effect.after.score - before.score).abs());
        assert!(
            apart.fold(0.0, f32::max) > 1e-3,
            "the notebook\u{2019}s way changes nothing"
        );
    }
}
