//! A run of the former bundled model, whose head 1.4 attends to the second name in every order of names.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used)]

mod results;

use keyside::analysis::{Analysis, analyze};
use keyside::app::story;
use keyside::checkpoint::FileSource;
use keyside::forward::Model;
use keyside::model::Processing;
use keyside::names::{Head, HistogramId, SeriesId, SplitBy};
use keyside::prompts::IoiSet;
use keyside::result::{ResultFile, at_once};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/stand-in");
const RESULT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/second-name-head-1.4.json");

fn run() -> ResultFile {
    let source = Box::new(FileSource::new(FOLDER));
    let analysis = Analysis {
        head: Head::new(1, 4),
        earlier_head: Head::new(0, 4),
        prompts: IoiSet {
            seed: 0,
            batches: 10,
            batch_size: 40,
            prepend_bos: false,
        }
        .into(),
        ..Analysis::default()
    };
    futures::executor::block_on(async {
        let mut model = Model::open(source, Processing::default()).await.unwrap();
        let found = analyze(&mut model, &analysis, &results::Nobody).await.unwrap();
        ResultFile::new(&model, &analysis, found)
    })
}

#[test]
fn a_run_gives_the_result_that_was_kept_and_says_that_there_are_two_kinds_of_prompts() {
    let (run, kept) = (run(), ResultFile::from_json(&std::fs::read(RESULT).unwrap()).unwrap());
    for name in HistogramId::ALL {
        let (found, expected) = (
            run.values(name, &SeriesId::NoPatching),
            kept.values(name, &SeriesId::NoPatching),
        );
        assert_eq!(found.len(), 400);
        let differences = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
        let largest = differences.fold(0f32, f32::max);
        println!("{name}: {largest}");
        assert!(largest <= 1e-3, "{name}: {largest}");
    }
    let counts = |result: &ResultFile| -> Vec<usize> {
        let groups = result.split(SplitBy::Order).into_iter();
        groups.map(|group| group.prompts.len()).collect()
    };
    assert_eq!((counts(&run), counts(&kept)), (vec![189, 211], vec![189, 211]));
    let told = story::question(&run, &at_once(&run));
    assert_eq!(told, story::question(&kept, &at_once(&kept)));
    assert!(
        told.contains("a mean of two kinds of prompts") && told.contains("with S first (BABA) 211 of 211"),
        "{told}"
    );
}
