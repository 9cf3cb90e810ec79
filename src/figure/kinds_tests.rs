//! What holds for every kind of figure, and what the tests of figures begin with.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use futures::executor::block_on;
use futures::future::LocalBoxFuture;

use super::keys::Query;
use super::kind::Controls;
use super::list::{Figure, FigurePlace, KINDS};
use super::scatter::{ListView, ScatterView};
use super::sentence::consequence_words::{
    by_source, copies, describe_lens, difference, effects_sum, groups_by_size, token_name,
};
use super::sentence::{ComponentGroup, Effect, Measure, PatternPart, SentenceView};
use super::view::View;
use crate::analysis::pair::{LabeledToken, Question};
use crate::analysis::{Analysis, Array, BatchValues, ChangesSection, Observer, Progress, Section, analyze};
use crate::checkpoint::FileSource;
use crate::export::Field;
use crate::forward::Model;
use crate::names::{ChangeMeasure, Component, FigureName, Head, HeatmapId, HistogramId, Side, SplitBy};
use crate::plot::{CellRange, HeatmapView, HistogramView, SeriesOrder, Theme, plot_svg};
use crate::prompts::IoiSet;
use crate::result::{Recording, ResultFile};

pub fn recorded() -> ResultFile {
    ResultFile::from_json(include_bytes!("../../public/recorded/gpt2-small-10.7.json")).unwrap()
}

/// A sentence on the tiny checkpoint.
pub fn sentence() -> ResultFile {
    ResultFile::from_json(include_bytes!("../../tests/fixtures/tiny-sentence-2.1.json")).unwrap()
}

/// The same with all that the head does: direct effects, what it writes, the model after each layer, directions.
pub fn consequences() -> ResultFile {
    ResultFile::from_json(include_bytes!("../../tests/fixtures/tiny-so-what-2.1.json")).unwrap()
}

/// The same sentence with interventions and a causal map.
pub fn causes() -> ResultFile {
    ResultFile::from_json(include_bytes!("../../tests/fixtures/tiny-causes-2.1.json")).unwrap()
}

/// A recorded sentence: of 13 heads, whose scores are not known.
pub fn recorded_sentence() -> ResultFile {
    let bytes = include_bytes!("../../public/recorded/gpt2-small-sentences.json");
    let recording = Recording::from_json(bytes).unwrap();
    let question = Question {
        text: recording.sentences[0].text.clone(),
        prepend_bos: true,
        ..Question::default()
    };
    recording.answer(&question).unwrap()
}

/// Recorded effects of heads.
pub fn recorded_effects() -> ResultFile {
    ResultFile::from_json(include_bytes!("../../public/recorded/gpt2-small-head-effects.json")).unwrap()
}

/// The recorded run as if something had been done to its first prompts.
pub fn changes() -> ResultFile {
    let mut result = recorded();
    let mut section = ChangesSection::empty(Head::new(10, 7), "query without 9.9".parse().unwrap());
    let target = |token, text: &str| LabeledToken {
        token,
        text: text.to_owned(),
    };
    for prompt in 0..40u8 {
        let offset = f32::from(prompt % 7) / 10.0;
        section.a.push(target(5335, " Mary"));
        section.b.push(target(1757, " John"));
        section.before.push([0.75, 3.0 + offset, -1.0]);
        section
            .after
            .push([0.5 - offset / 10.0, 2.0 + offset * offset, -1.5 - offset]);
        section.predicted.attention.extend([0.45]);
        section.predicted.logit_difference.extend([1.0 + offset]);
    }
    result.sections.push(section.into());
    result.check().unwrap();
    result
}

/// A run on the tiny checkpoint with all that the head does over the prompts.
pub fn over_prompts() -> ResultFile {
    struct Nobody;
    impl Observer for Nobody {
        fn progress(&self, _: &Progress) {}

        fn batch(&self, _: usize, _: &BatchValues) {}

        fn yield_now(&self) -> LocalBoxFuture<'_, crate::error::Result<()>> {
            Box::pin(std::future::ready(Ok(())))
        }
    }
    let set = IoiSet {
        batches: 2,
        batch_size: 5,
        ..IoiSet::default()
    };
    let analysis = Analysis {
        head: Head::new(1, 2),
        earlier_head: Head::new(0, 3),
        prompts: set.into(),
        writes: true,
        ..Analysis::default()
    };
    let result = block_on(async {
        let source = Box::new(FileSource::new("tests/fixtures/tiny"));
        let mut model = Model::open(source, analysis.processing).await?;
        let found = analyze(&mut model, &analysis, &Nobody).await?;
        Ok::<_, crate::Error>(ResultFile::new(&model, &analysis, found))
    });
    result.unwrap()
}

/// The histogram `name`, shown as `view` says.
pub fn of_histogram(name: HistogramId, histogram: HistogramView) -> Figure {
    let mut view = View::default();
    view.update_histogram(name, |shown| *shown = histogram);
    Figure::at(FigurePlace::of(FigureName::of(name)).unwrap(), &view)
}

/// The heatmap that `heatmap` names, shown as it says, of one prompt or of their mean.
pub fn of_heatmap(heatmap: HeatmapView, prompt: Option<usize>) -> Figure {
    let view = View {
        heatmap,
        prompt,
        ..View::default()
    };
    Figure::at(FigurePlace::of(FigureName::HEATMAP).unwrap(), &view)
}

/// A view in which nothing that a key of an address says is as it is at first.
fn changed() -> View {
    let histogram = HistogramView {
        toggled: ["W_U[IO]".into(), "a & b".into()].into(),
        max_bins: Some(30),
        log_counts: true,
        zoom: Some((-1.5, 2.25)),
        order: SeriesOrder::Label,
        split: Some(SplitBy::Order),
    };
    let mut view = View {
        heatmap: HeatmapView {
            name: "query_subS1".into(),
            as_in_notebook: true,
            zoom: Some(CellRange {
                rows: (1, 3),
                columns: (0, 4),
            }),
            pick: Some((2, 1)),
        },
        scatter: ScatterView {
            x: Some("keys_fixed_probs:W_U[S]".parse().unwrap()),
            y: Some("queries_fixed_scores:a & b".parse().unwrap()),
            list: ListView {
                sort: Some("keys_fixed_scores:W_U[IO]".parse().unwrap()),
                descending: true,
                // It is in no query.
                text: String::new(),
                bounded_series: Some("keys_fixed_scores:W_U[S]".parse().unwrap()),
                least: Some(-1.5),
                most: Some(12.0),
                group: Some((SplitBy::Order, 1)),
            },
        },
        sentence: SentenceView {
            side: Side::Query,
            measure: Measure::Entropy,
            effect: Effect::Change,
            dots: HistogramId::QueriesFixedProbs,
            pattern: Some(PatternPart::NearPair),
            layer: true,
            causal: crate::names::Measure::LnAttention,
            causal_side: Side::Query,
            rows: Some(ComponentGroup::Layer(1)),
            columns: Some(ComponentGroup::Embeddings),
        },
        ..View::default()
    };
    for name in HistogramId::ALL {
        view.update_histogram(name, |shown| shown.clone_from(&histogram));
    }
    view
}

/// The recorded run with the cells of each prompt of its first heatmap.
fn with_cells_of_prompts() -> ResultFile {
    let mut result = recorded();
    let section = result.contributions_mut().unwrap();
    let prompts = section.prompts;
    let heatmap = section.heatmaps.get_mut(&HeatmapId::KEY).unwrap();
    let cells = heatmap.mean.data().repeat(prompts);
    heatmap.per_prompt = Some(Array::of_rows(cells, heatmap.components.len()));
    result
}

#[test]
fn every_figure_of_a_result_can_be_drawn_told_and_taken_along() {
    let mut seen = BTreeSet::new();
    for result in [
        recorded(),
        with_cells_of_prompts(),
        sentence(),
        consequences(),
        causes(),
        changes(),
        recorded_sentence(),
        recorded_effects(),
        over_prompts(),
    ] {
        for view in [View::default(), changed()] {
            for figure in Figure::all(&result, &view) {
                let id = figure.id();
                assert!(figure.is_in(&result), "{id}");
                let plot = figure.plot(&result).unwrap();
                assert!(plot.height(800.0) > 100.0 && !plot.title().is_empty(), "{id}");
                let svg = plot_svg(&plot, plot.picture_size(), &Theme::dark()).unwrap();
                assert!(
                    svg.matches("<rect").count() + svg.matches("<circle").count() > 10,
                    "{id}"
                );

                let tables = figure.tables(&result).unwrap();
                let names: Vec<&str> = tables.iter().map(|table| table.name).collect();
                let mut offered: Vec<&str> = figure.offered(&result).into_iter().map(|(name, _)| name).collect();
                offered.sort_unstable_by_key(|name| names.iter().position(|table| table == name));
                assert_eq!(
                    offered, names,
                    "{id}: every table is offered, and every offer is a table"
                );
                for table in &tables {
                    assert!(
                        !table.rows.is_empty() || table.name == "outliers",
                        "{id}: {}",
                        table.name
                    );
                    assert!(table.rows.iter().all(|row| row.len() == table.columns.len()));
                }
                assert!(figure.markdown(&result).unwrap().contains("\n| ---"), "{id}");
                let script = figure.script(&result, "result.json", &Theme::light()).unwrap();
                assert!(script.contains("PICTURE") && script.contains("savefig"), "{id}");
                assert!(figure.summary(&result).ends_with('.'), "{id}");
                assert!(
                    Figure::named(&result, &id.to_string(), &view).unwrap() == figure,
                    "{id}"
                );
                seen.insert(id.to_string());
            }
        }
    }
    println!("{seen:?}");
    assert!(seen.len() > 4 + 8 + 6);
    for place in FigurePlace::all().filter(|place| *place != FigurePlace::of(FigureName::HEATMAP).unwrap()) {
        assert!(seen.contains(place.as_str()), "{place} is a figure of no result");
    }
}

#[test]
fn changes_have_the_numbers_of_their_prompts() {
    let result = changes();
    let section = result.changes().unwrap();
    let figure = |name: &str| Figure::named(&result, name, &View::default()).unwrap();
    let tables = figure("change_logits").tables(&result).unwrap();
    let rows: Vec<&Field> = tables[0].rows.iter().map(|row| &row[0]).collect();
    assert_eq!(rows.len(), 3, "{rows:?}");
    let change = section.change(ChangeMeasure::LogitDifference);
    let mean = f64::from(change.iter().sum::<f32>()) / 40.0;
    let Field::Double(found) = tables[0].rows[0][2] else {
        panic!("{:?}", tables[0].rows[0])
    };
    assert!((found - mean).abs() < 1e-6, "{found} and {mean}");
    assert_eq!(tables[1].rows.len(), 40);
    let row = &tables[1].rows[3];
    assert!(row.contains(&Field::Text("\u{b7}Mary".into())), "{row:?}");
    assert!(row.contains(&Field::Single(change[3])));
    // There is no linear prediction of log-probabilities.
    assert_eq!(figure("change_logprob").tables(&result).unwrap()[0].rows.len(), 1);
    let script = figure("change_attention")
        .script(&result, "r.json", &Theme::light())
        .unwrap();
    assert!(script.contains("MEASURE = \"attention\"\n"), "{script}");
    let description = FigurePlace::of(FigureName::new("change_attention")).unwrap();
    let description = description.description(&result, &View::default()).join(" ");
    assert!(
        description.contains("falls on average over 40 prompts") && description.contains("The linear prediction is"),
        "{description}"
    );
}

#[test]
fn what_is_not_recorded_is_not_shown() {
    let result = recorded_sentence();
    let mut view = View::default();
    // What the view asks for is not there: attention is.
    view.sentence.measure = Measure::Score;
    let figure = |name: &str| Figure::named(&result, name, &view).unwrap();
    let title = figure("heads").plot(&result).unwrap().title().to_owned();
    assert!(title.starts_with("Attention of 13 of 144 heads"), "{title}");
    assert_eq!(figure("heads").tables(&result).unwrap()[0].rows.len(), 13);
    for name in ["heads", "tokens"] {
        for table in figure(name).tables(&result).unwrap() {
            assert!(!table.columns.contains(&"score".to_owned()), "{:?}", table.columns);
        }
    }
    let description = figure("tokens").summary(&result);
    assert!(
        description.contains("Head 10.7") && description.contains("“Mary” with 81 %"),
        "{description}"
    );
    let others = figure("heads").summary(&result);
    assert!(
        !description.contains("score") && others.starts_with("Of 13 heads"),
        "{description} {others}"
    );
    let script = figure("heads").script(&result, "result.json", &Theme::light()).unwrap();
    assert!(script.contains("MEASURE = \"attention\""), "{script}");
}

#[test]
fn direct_effects_are_on_the_map_of_heads_where_they_are_known() {
    let mut view = View::default();
    view.sentence.measure = Measure::DirectEffect;
    let title = |result: &ResultFile| {
        let figure = Figure::named(result, "heads", &view).unwrap();
        figure.plot(result).unwrap().title().to_owned()
    };
    let mut result = consequences();
    assert!(
        title(&result).starts_with("Direct effect of every head at"),
        "{}",
        title(&result)
    );
    let figure = Figure::named(&result, "heads", &view).unwrap();
    let tables = figure.tables(&result).unwrap();
    let column = tables[0].columns.iter().position(|name| name == "direct").unwrap();
    let effects = result.effects().unwrap();
    let effect = effects.of(Component::Head(Head::new(1, 2))).unwrap();
    let row = tables[0]
        .rows
        .iter()
        .find(|row| row[0] == Field::Text("1.2".into()))
        .unwrap();
    assert_eq!(row[column], Field::Single(effect));
    // Those at another position are of an earlier question.
    for section in &mut result.sections {
        if let Section::Effects(effects) = section {
            effects.dest -= 1;
        }
    }
    assert!(
        title(&result).starts_with("Attention of every head"),
        "{}",
        title(&result)
    );
}

#[test]
fn what_is_said_of_a_head_has_the_numbers_of_the_data() {
    let result = consequences();
    let effects = result.effects().unwrap();
    let description = effects_sum(effects);
    assert!((effects.sum() - effects.difference).abs() < 1e-4);
    assert!(
        description.contains("and b_U (") && description.contains(&difference(effects)),
        "{description}"
    );
    let texts = &result.attention().unwrap().texts;
    let sources: f64 = by_source(effects, texts).iter().map(|line| line.value).sum();
    let of_head = effects.of(Component::Head(effects.head)).unwrap();
    assert!((sources - f64::from(of_head)).abs() < 1e-4, "{sources} and {of_head}");
    let mut writes = result.writes().unwrap().clone();
    writes.source.value = 0.5;
    assert!(copies(&writes, 1.0).contains("adds +0.500") && copies(&writes, 1.0).contains("copies"));
    writes.source.value = -0.5;
    assert!(copies(&writes, 0.5).contains("adds \u{2212}0.250") && copies(&writes, 0.5).contains("suppresses"));
    let directions = result.directions().unwrap();
    let groups = groups_by_size(directions);
    assert!(groups.windows(2).all(|two| two[0].value.abs() >= two[1].value.abs()));
    let biases: f32 = directions.biases.data().iter().sum();
    let all = groups.last().unwrap().so_far + biases;
    assert!((all - directions.score).abs() < 1e-4, "{all} and {}", directions.score);
    let lens = result.lens().unwrap();
    let next = &result.next().unwrap().tokens[0];
    assert!(
        describe_lens(lens).contains(&token_name(&next.text)),
        "{}",
        describe_lens(lens)
    );
}

#[test]
fn every_place_has_a_name_and_words_of_its_own() {
    let (mut names, mut headings) = (BTreeSet::new(), BTreeSet::new());
    let over_prompts = over_prompts();
    for place in FigurePlace::all() {
        let name = place.as_str();
        assert!(names.insert(name) && headings.insert(place.heading()), "{name}");
        assert!(
            name.bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'),
            "{name}"
        );
        assert_eq!(name.parse(), Ok(place));
        let embedding = include_str!("../../docs/embedding.md");
        assert!(embedding.contains(&format!("`{name}`")), "{name} is not documented");
        for words in [
            place.section(),
            place.exported(),
            place.keys_help(),
            &place.title(),
            &place.explanation(&View::default()),
        ] {
            assert!(!words.is_empty(), "{name}");
        }
        let results = [
            recorded(),
            sentence(),
            consequences(),
            causes(),
            changes(),
            recorded_effects(),
            over_prompts.clone(),
        ];
        let mut shown = results
            .iter()
            .filter(|result| place.is_on_page(Some(result), &View::default()));
        assert!(shown.next().is_some(), "{name}");
        // Which stay where there is nothing yet.
        assert_eq!(
            place.is_on_page(None, &View::default()),
            matches!(place.controls(), Controls::Histogram(_) | Controls::Heatmap),
            "{name}"
        );
    }
    for text in ["", "heatmap_key", "key", "keys_fixed_scores "] {
        let error = text.parse::<FigurePlace>().unwrap_err();
        assert!(names.iter().all(|name| error.expected.contains(name)), "{error}");
    }
}

#[test]
fn every_key_is_read_as_it_is_written() {
    let view = changed();
    let mut query = Query::default();
    for kind in KINDS {
        kind.write(&view, &mut query);
    }
    let query = query.finish();
    let (mut read, mut count) = (View::default(), 0);
    for (key, value) in form_urlencoded::parse(query.as_bytes()) {
        let knowing: Vec<_> = KINDS.into_iter().filter(|kind| kind.is_key(&key)).collect();
        assert_eq!(knowing.len(), 1, "{key} is a key of one kind");
        knowing[0].take(&mut read, &key, &value).unwrap();
        assert!(knowing[0].take(&mut View::default(), &key, "\u{1}").is_err(), "{key}");
        count += 1;
    }
    assert_eq!(read, view, "{query}");
    assert_eq!(count, 4 * 7 + 4 + 8 + 10);
    for kind in KINDS {
        kind.clean(&mut read);
    }
    assert_eq!(read, view, "what can be read is clean");
}
