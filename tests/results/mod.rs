//! Results for the tests, and access to their parts.

#![allow(dead_code, clippy::unwrap_used, reason = "every test uses a part of it")]

use std::collections::BTreeMap;

use futures::future::LocalBoxFuture;
use keyside::analysis::{Analysis, Array, BatchValues, Heatmap, Observer, Progress, SubstitutionSection, analyze};
use keyside::forward::Model;
use keyside::names::{Column, Component, HeatmapId, HistogramId, Row, SeriesId, Side};
use keyside::prompts::{IoiSet, PromptSet};
use keyside::result::ResultFile;
use serde_json::Value;

const DOCUMENT: &str = include_str!("../../docs/result-file.md");

/// Runs `analysis` and makes its result.
pub async fn run(model: &mut Model, analysis: &Analysis, observer: &dyn Observer) -> keyside::Result<ResultFile> {
    let found = analyze(model, analysis, observer).await?;
    Ok(ResultFile::new(model, analysis, found))
}

/// The heatmap `name` of `result`.
pub fn heatmap<'r>(result: &'r ResultFile, name: &HeatmapId) -> &'r Heatmap {
    result.heatmap(name).unwrap_or_else(|| panic!("no heatmap {name}"))
}

/// The heatmap "key" of `result`.
pub fn key(result: &ResultFile) -> &Heatmap {
    heatmap(result, &HeatmapId::KEY)
}

/// All heatmaps of `result`, to change.
pub fn heatmaps_mut(result: &mut ResultFile) -> &mut BTreeMap<HeatmapId, Heatmap> {
    &mut result.contributions_mut().unwrap().heatmaps
}

/// The section behind the histograms of `result`, to change.
pub fn substitution_mut(result: &mut ResultFile) -> &mut SubstitutionSection {
    result.substitution_mut().unwrap()
}

/// The values of the series `id`.
pub fn values<'r>(result: &'r ResultFile, histogram: HistogramId, id: &SeriesId) -> &'r [f32] {
    let section = result.substitution().unwrap();
    let found = section.values(histogram, id);
    found.unwrap_or_else(|| panic!("{histogram} has no series {id}"))
}

/// The head's true scores.
pub fn true_score(result: &ResultFile) -> &[f32] {
    result.true_values(HistogramId::KeysFixedScores)
}

/// The source of the prompts of `result`.
pub fn ioi(result: &ResultFile) -> &IoiSet {
    result.ioi().unwrap()
}

/// The same, to change. The contributions are of its first batch.
pub fn set_ioi(result: &mut ResultFile, change: impl FnOnce(&mut IoiSet)) {
    let Some(PromptSet::Ioi(set)) = &mut result.prompt_set else {
        panic!("{:?}", result.prompt_set)
    };
    change(set);
    let size = set.batch_size;
    if let Some(section) = result.contributions_mut() {
        section.prompts = size;
    }
}

/// `values` of the components of `heatmap` as a table, 0 where no component is.
pub fn table(heatmap: &Heatmap, values: &[f32]) -> Vec<Vec<f32>> {
    let value = |cell: Option<(Component, f32)>| cell.map_or(0.0, |(_, value)| value);
    let rows = heatmap.table(values).into_iter();
    rows.map(|row| row.into_iter().map(value).collect()).collect()
}

/// The means of `heatmap` as a table, 0 where no component is.
pub fn means(heatmap: &Heatmap) -> Vec<Vec<f32>> {
    table(heatmap, heatmap.mean.data())
}

/// The contributions in every prompt as tables, where they are known.
pub fn per_prompt(heatmap: &Heatmap) -> Option<Vec<Vec<Vec<f32>>>> {
    let prompts = heatmap.per_prompt.as_ref()?.shape()[0];
    let table_of = |prompt| table(heatmap, heatmap.of_prompt(prompt).unwrap());
    Some((0..prompts).map(table_of).collect())
}

/// Puts contributions in every prompt into `heatmap`, given as tables.
pub fn set_per_prompt(heatmap: &mut Heatmap, tables: &[Vec<Vec<f32>>]) {
    let cells = Heatmap::cells(side(heatmap), &heatmap.rows(), &heatmap.columns()).unwrap();
    let cells_of = |table: &Vec<Vec<f32>>| {
        cells
            .iter()
            .map(|(_, (row, column))| table[*row][*column])
            .collect::<Vec<_>>()
    };
    heatmap.per_prompt = Some(Array::of_rows(tables.iter().flat_map(cells_of).collect(), cells.len()));
}

fn side(heatmap: &Heatmap) -> Side {
    if heatmap.components.contains(&Component::QueryBias) {
        Side::Query
    } else {
        Side::Key
    }
}

/// A heatmap of the key's side with these rows, columns and means, whose score was not recorded. What stands beyond the third
/// column of row `misc` is left out.
pub fn heatmap_of(rows: &[Row], columns: &[Column], means: &[Vec<f32>]) -> Heatmap {
    let cells = Heatmap::cells(Side::Key, rows, columns).unwrap();
    Heatmap {
        mean: Array::vector(cells.iter().map(|(_, (row, column))| means[*row][*column]).collect()),
        components: cells.into_iter().map(|(component, _)| component).collect(),
        sum: means.iter().flatten().sum(),
        mean_score: None,
        max_abs_residual: None,
        max_relative_residual: None,
        per_prompt: None,
        note: None,
    }
}

/// A run on the checkpoint of `source`, 2 batches of 3 prompts with BOS.
#[cfg(not(target_arch = "wasm32"))]
pub fn live(source: Box<dyn keyside::checkpoint::Source>) -> ResultFile {
    let set = IoiSet {
        seed: 5,
        batches: 2,
        batch_size: 3,
        prepend_bos: true,
    };
    live_of(source, set.into())
}

/// A run on the checkpoint of `source`, of `prompts`.
#[cfg(not(target_arch = "wasm32"))]
pub fn live_of(source: Box<dyn keyside::checkpoint::Source>, prompts: keyside::prompts::PromptSource) -> ResultFile {
    live_with(source, prompts, false)
}

/// The same, also with what the head `writes`.
#[cfg(not(target_arch = "wasm32"))]
pub fn live_with(
    source: Box<dyn keyside::checkpoint::Source>,
    prompts: keyside::prompts::PromptSource,
    writes: bool,
) -> ResultFile {
    let analysis = Analysis {
        writes,
        head: "2.1".parse().unwrap(),
        earlier_head: "1.3".parse().unwrap(),
        prompts,
        ..Analysis::default()
    };
    let result = async {
        let mut model = Model::open(source, analysis.processing).await?;
        run(&mut model, &analysis, &Nobody).await
    };
    futures::executor::block_on(result).unwrap()
}

/// A run on the tiny checkpoint with an intervention in every prompt.
#[cfg(not(target_arch = "wasm32"))]
pub fn live_with_intervention(intervention: &str) -> ResultFile {
    let set = IoiSet {
        seed: 5,
        batches: 2,
        batch_size: 3,
        prepend_bos: true,
    };
    let analysis = Analysis {
        head: "2.1".parse().unwrap(),
        earlier_head: "1.3".parse().unwrap(),
        prompts: set.into(),
        intervention: Some(intervention.parse().unwrap()),
        ..Analysis::default()
    };
    let result = async {
        let source = Box::new(keyside::checkpoint::FileSource::new("tests/fixtures/tiny"));
        let mut model = Model::open(source, analysis.processing).await?;
        run(&mut model, &analysis, &Nobody).await
    };
    futures::executor::block_on(result).unwrap()
}

/// A sentence that went through the tiny checkpoint: what head 2.1 looks at from its last token, its score relative to `relative`.
#[cfg(not(target_arch = "wasm32"))]
pub fn sentence(relative: Option<keyside::names::Relative>) -> ResultFile {
    asked(keyside::analysis::pair::Question {
        relative,
        layer: true,
        ..Default::default()
    })
}

/// The same with all else that can be asked: effects, lens, directions.
#[cfg(not(target_arch = "wasm32"))]
pub fn sentence_in_full(relative: Option<keyside::names::Relative>) -> ResultFile {
    asked(keyside::analysis::pair::Question {
        relative,
        effects: true,
        writes: true,
        lens: true,
        directions: true,
        ..Default::default()
    })
}

/// The answer to `question` about that sentence and head.
#[cfg(not(target_arch = "wasm32"))]
fn asked(question: keyside::analysis::pair::Question) -> ResultFile {
    use keyside::analysis::Section;
    use keyside::analysis::pair::{Question, QuestionCache, SubstitutionRequest, ask};
    use keyside::names::Head;
    use keyside::prompts::Prompt;

    let question = Question {
        text: "When Mary and John went to the store, John gave a drink to".to_owned(),
        head: Some(Head::new(2, 1)),
        substituted: Some(SubstitutionRequest {
            earlier_heads: [(Head::new(2, 1), Head::new(1, 3))].into(),
        }),
        ..question
    };
    let source = keyside::checkpoint::FileSource::new("tests/fixtures/tiny");
    let mut result: Option<ResultFile> = None;
    let give = |model: &Model, prompt: &Prompt, section: Section, _| {
        let part = ResultFile::of_sentence(model, &question, prompt, section);
        match &mut result {
            Some(result) => result.take(part),
            None => result = Some(part),
        }
    };
    let asked = async {
        let mut model = Model::open(Box::new(source), keyside::model::Processing::default()).await?;
        ask(&mut model, &mut QuestionCache::default(), &question, &Nobody, give).await
    };
    futures::executor::block_on(asked).unwrap();
    let mut result = result.unwrap();
    // Beside a run over many prompts.
    let run = live(Box::new(keyside::checkpoint::FileSource::new("tests/fixtures/tiny")));
    let section = result.substituted_mut().unwrap();
    section.run = run.bands(section, false);
    result
}

/// Interventions at a pair of head 2.1 of the tiny checkpoint, and its causal map.
#[cfg(not(target_arch = "wasm32"))]
pub fn intervened() -> ResultFile {
    use keyside::analysis::Section;
    use keyside::analysis::pair::{
        Extent, Intervention, InterventionRequest, Question, QuestionCache, Replacement, Vector, causal_map, intervene,
    };
    use keyside::names::{Head, HeadActivation};
    use keyside::prompts::Prompt;

    let question = Question {
        text: "When Mary and John went to the store, John gave a drink to".to_owned(),
        head: Some(Head::new(2, 1)),
        src: Some(1),
        ..Question::default()
    };
    let intervening = InterventionRequest {
        interventions: vec![
            Intervention::Substitute {
                side: Side::Query,
                vector: Vector::Embedding(3),
            },
            Intervention::Remove {
                side: Side::Key,
                component: Component::Mlp(0),
                scale: 0.5,
            },
            Intervention::Set {
                head: Head::new(1, 2),
                activation: HeadActivation::Pattern,
                to: Replacement::Second,
                at: Extent::Pair,
            },
        ],
        second: Some("When John and Mary went to the store, Mary gave a drink to".to_owned()),
        ..InterventionRequest::default()
    };
    let source = keyside::checkpoint::FileSource::new("tests/fixtures/tiny");
    let result: std::cell::RefCell<Option<ResultFile>> = Default::default();
    let give = |model: &Model, prompt: &Prompt, section: Section, _| {
        let part = ResultFile::of_sentence(model, &question, prompt, section);
        let mut result = result.borrow_mut();
        match &mut *result {
            Some(result) => result.take(part),
            None => *result = Some(part),
        }
    };
    let asked = async {
        let mut model = Model::open(Box::new(source), keyside::model::Processing::default()).await?;
        let known = &mut QuestionCache::default();
        intervene(&mut model, known, (&question, &intervening), &Nobody, give).await?;
        causal_map(&mut model, known, &question, &Nobody, give).await
    };
    futures::executor::block_on(asked).unwrap();
    result.into_inner().unwrap()
}

/// Ignores all events.
pub struct Nobody;

impl Observer for Nobody {
    fn progress(&self, _: &Progress) {}
    fn batch(&self, _: usize, _: &BatchValues) {}
    fn yield_now(&self) -> LocalBoxFuture<'_, keyside::Result<()>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// Reads a result file, whose sections begin with their kind as in files that the program writes.
pub fn read(value: &Value) -> keyside::Result<ResultFile> {
    let mut value = value.clone();
    let sections = match value.get_mut("sections").map(Value::take) {
        Some(Value::Array(sections)) => sections.into_iter().map(kind_first).collect::<Vec<_>>().join(","),
        Some(other) => panic!("sections are {other}"),
        None => return ResultFile::from_json(value.to_string().as_bytes()),
    };
    let text = value
        .to_string()
        .replace("\"sections\":null", &format!("\"sections\":[{sections}]"));
    ResultFile::from_json(text.as_bytes())
}

/// A section as JSON that begins with its kind.
fn kind_first(mut section: Value) -> String {
    let Some(kind) = section.as_object_mut().and_then(|fields| fields.remove("kind")) else {
        return section.to_string();
    };
    let rest = section.to_string();
    let comma = if rest == "{}" { "" } else { "," };
    format!("{{\"kind\":{kind}{comma}{}", &rest[1..])
}

/// Reads a result file, whose sections have their fields in the order of the alphabet.
pub fn read_sorted(value: &Value) -> keyside::Result<ResultFile> {
    ResultFile::from_json(value.to_string().as_bytes())
}

/// The file that is written of `result`.
pub fn written(result: &ResultFile) -> Value {
    serde_json::from_str(&result.to_json().unwrap()).unwrap()
}

/// The example of the result file's document.
pub fn example() -> Value {
    let block = DOCUMENT.split("```json\n").nth(1).unwrap();
    serde_json::from_str(block.split("```").next().unwrap()).unwrap()
}
