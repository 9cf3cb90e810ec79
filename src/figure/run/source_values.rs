//! The head's effect on the logit of the attended token: copying or suppression.

use super::words::{self, WRITES};
use crate::analysis::RunWritesSection;
use crate::error::{Error, ErrorKind, Result};
use crate::export::{Field, Script, Table, double, hex, quoted};
use crate::figure::kind::{FigureKind, Subject};
use crate::figure::prompts::{parts, prompt_columns, prompt_fields};
use crate::figure::view::View;
use crate::names::FigureName;
use crate::plot::{HistogramPlot, OF_NO_VECTOR, Plot, Series, Theme};
use crate::result::{Bins, BoxStats, ResultFile};

const NAME: FigureName = FigureName::new("source_values");
/// What follows the constants of the script.
const BODY: &str = include_str!("source_values.py");
/// Most bins.
const BINS: usize = 60;
/// The series, by their numbers of colors: their labels and what they are.
const SERIES: [(usize, &str, &str); 2] = [
    (
        OF_NO_VECTOR[0],
        "the source token itself",
        "What a unit of attention to the source adds to the logit of the token that stands there",
    ),
    (
        OF_NO_VECTOR[1],
        "other tokens of the prompt",
        "The mean of what the same adds to the logits of the other tokens of the prompt: a control",
    ),
];

/// A histogram of what the head adds to the token that it reads, and to others.
pub struct SourceValues;

pub(super) fn section(result: &ResultFile) -> Result<&RunWritesSection> {
    result.run_writes().ok_or_else(|| {
        Error::new(
            ErrorKind::Plot,
            "the result does not say what the head writes over its prompts",
        )
    })
}

fn title(section: &RunWritesSection) -> String {
    format!(
        "What head {} adds to logits per unit of attention to the source",
        section.head
    )
}

fn histogram(section: &RunWritesSection, prompt: Option<usize>) -> HistogramPlot {
    let others: Vec<f32> = section.others.iter().flatten().copied().collect();
    let values = [section.source.data(), &others];
    let bins = Bins::of(values, BINS);
    let of_prompt = |index: usize| match index {
        0 => section.source.data().get(prompt?).copied(),
        _ => *section.others.get(prompt?)?,
    };
    let series = SERIES.iter().zip(values).enumerate();
    let series = series.map(|(index, ((color, label, note), values))| Series {
        id: (*label).into(),
        label: (*label).to_owned(),
        note: (*note).to_owned(),
        color: *color,
        visible: true,
        counts: bins.map(|bins| bins.counts(values)).unwrap_or_default(),
        stats: BoxStats::of(values),
        mark: of_prompt(index).map(f64::from),
    });
    HistogramPlot {
        title: title(section),
        x_label: "Added to the logit, relative to the mean over the vocabulary".into(),
        y_label: "count".into(),
        legend_title: "Logit of".into(),
        bins,
        log_counts: false,
        zoom: None,
        series: series.collect(),
    }
}

impl FigureKind for SourceValues {
    fn names(&self) -> &'static [FigureName] {
        &[NAME]
    }

    fn is_in(&self, subject: Subject<'_>) -> bool {
        subject.result.run_writes().is_some()
    }

    fn section(&self, _name: FigureName) -> &'static str {
        WRITES
    }

    fn heading(&self, _name: FigureName) -> &'static str {
        "Does the head copy the token that it reads, or suppress it?"
    }

    fn explanation(&self, _name: FigureName, _view: &View) -> String {
        "What the head reads at the source, through its values and W_O, past all later layers and with the scale of the final LayerNorm as it is: \
         what a unit of attention adds to the logit of the very token that stands there. To the right of 0 it copies, to the left it \
         suppresses. The other tokens of the same prompt are the control."
            .into()
    }

    fn title(&self, _name: FigureName) -> String {
        "What the head writes over the prompts".into()
    }

    fn summary(&self, subject: Subject<'_>) -> String {
        match section(subject.result) {
            Ok(section) => words::source(section).join(" "),
            Err(_) => "Nothing is known of what the head writes.".into(),
        }
    }

    fn description(&self, subject: Subject<'_>) -> Vec<String> {
        section(subject.result).map(words::source).unwrap_or_default()
    }

    fn plot(&self, subject: Subject<'_>) -> Result<Plot> {
        Ok(histogram(section(subject.result)?, subject.view.prompt).into())
    }

    fn tables(&self, subject: Subject<'_>) -> Result<Vec<Table>> {
        let section = section(subject.result)?;
        let series = histogram(section, None).series.into_iter().map(|series| {
            let stats = series.stats;
            let subject =
                |read: fn(&BoxStats) -> f64| stats.as_ref().map_or(Field::Empty, |stats| Field::Double(read(stats)));
            vec![
                Field::Text(series.label),
                Field::Count(stats.as_ref().map_or(0, |stats| stats.count)),
                subject(|stats| stats.mean),
                stats
                    .as_ref()
                    .and_then(|stats| stats.standard_deviation)
                    .map_or(Field::Empty, Field::Double),
                subject(|stats| stats.q1),
                subject(|stats| stats.median),
                subject(|stats| stats.q3),
            ]
        });
        let columns = [
            "series",
            "count",
            "mean",
            "standard deviation",
            "first quartile",
            "median",
            "third quartile",
        ];
        let statistics = Table {
            name: "statistics",
            title: title(section),
            caption: "Statistics of both series over all prompts.".into(),
            columns: columns.map(str::to_owned).to_vec(),
            rows: series.collect(),
        };
        Ok(vec![statistics, of_prompts(subject.result, section)])
    }

    fn is_short(&self, table: &str) -> bool {
        table == "statistics"
    }

    fn script(&self, subject: Subject<'_>, theme: &Theme) -> Result<Script> {
        let plot = histogram(section(subject.result)?, None);
        let mut script = Script::new("", BODY);
        script.texts(&[
            ("TITLE", &plot.title),
            ("X_LABEL", &plot.x_label),
            ("Y_LABEL", &plot.y_label),
        ]);
        let (start, size, count) = plot
            .bins
            .map_or((0.0, 1.0, 1), |bins| (bins.start, bins.size, bins.count));
        script.comment("Equal bins: where the first one starts, their size, their number.");
        script.line(
            "START, SIZE, COUNT",
            &format!("{}, {}, {count}", double(start), double(size)),
        );
        script.comment("Field of the section, label and color of each series.");
        let fields = ["source", "others"].into_iter().zip(&plot.series);
        let rows = fields.map(|(field, series)| {
            let color = hex(theme.series_color(series.color));
            format!("({}, {}, {color})", quoted(field), quoted(&series.label))
        });
        script.rows("SERIES", &rows.collect::<Vec<_>>());
        script.line("OPACITY", &double(theme.bar_opacity));
        script.colors(theme);
        Ok(script)
    }
}

/// A row per prompt.
fn of_prompts(result: &ResultFile, section: &RunWritesSection) -> Table {
    let parts = parts(result);
    let text = |token: u32| Field::Text(section.text(token).to_owned());
    let named = |tokens: &[Option<u32>], prompt: usize| {
        let token = tokens.get(prompt).copied().flatten();
        token.map_or(Field::Empty, text)
    };
    let given = |tokens: &[u32], prompt: usize| tokens.get(prompt).map_or(Field::Empty, |token| text(*token));
    let single = |values: &[f32], prompt: usize| values.get(prompt).map_or(Field::Empty, |value| Field::Single(*value));
    let row = |prompt: usize| {
        let mut row = prompt_fields(result, &parts, prompt);
        row.extend([
            single(section.attention.data(), prompt),
            single(section.source.data(), prompt),
            section
                .rank
                .get(prompt)
                .map_or(Field::Empty, |rank| Field::Count(*rank)),
            section
                .others
                .get(prompt)
                .copied()
                .flatten()
                .map_or(Field::Empty, Field::Single),
            given(&section.a, prompt),
            given(&section.b, prompt),
            single(section.direct_effect.data(), prompt),
            named(&section.attended, prompt),
            named(&section.second, prompt),
            given(&section.suppressed, prompt),
            single(section.lowest.data(), prompt),
        ]);
        row
    };
    let columns = [
        "attention",
        "source_value",
        "source_rank",
        "other_tokens",
        "first_target",
        "second_target",
        "direct_effect",
        "attended",
        "second_attended",
        "lowered_most",
        "lowered_by",
    ];
    Table {
        name: "prompts",
        title: title(section),
        caption: "A row per prompt: the attention to the source, what a unit of it adds to the source token's logit, its rank (1 is the most \
                  raised) and the mean over other tokens of the prompt; both targets and the head's direct effect on their difference; the \
                  tokens that are attended to most, and the one that the head lowers most."
            .into(),
        columns: prompt_columns(result).into_iter().chain(columns).map(str::to_owned).collect(),
        rows: (0..section.rank.len()).map(row).collect(),
    }
}
