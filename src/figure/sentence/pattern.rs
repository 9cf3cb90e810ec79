//! The pattern of one head: a triangle, whole or near the pair.

use super::keys::{PATTERN, take_pattern, write_pattern};
use super::script;
use super::view::PatternPart;
use super::words::{attention, head_title, name, percent, quoted};
use crate::analysis::AttentionSection;
use crate::error::Result;
use crate::export::{Field, Script, Table};
use crate::figure::keys::Query;
use crate::figure::kind::{FigureKind, Subject};
use crate::figure::view::View;
use crate::names::{FigureName, Side};
use crate::plot::{CellRange, CellSource, Colors, MatrixCells, MatrixPlot, Plot, Theme};

const NAME: FigureName = FigureName::new("pattern");
/// The table with every pair of tokens.
const ALL: &str = "pattern";

/// Where the head looks from every token.
pub struct Pattern;

/// The cells of a part of a pattern.
#[derive(PartialEq)]
struct Triangle {
    /// The sentence's tokens as they are quoted.
    texts: Vec<String>,
    /// Probabilities, row after row: 1 of position 0, 2 of position 1, ...
    shares: Vec<f32>,
    /// The first row and column that are shown.
    first: (usize, usize),
}

impl Triangle {
    /// Query and key of the cell in `row` and `column`, and the attention between them.
    fn at(&self, row: usize, column: usize) -> Option<(usize, usize, f32)> {
        let (dest, src) = (self.first.0 + row, self.first.1 + column);
        let share = self.shares.get(dest * (dest + 1) / 2 + src)?;
        (src <= dest).then_some((dest, src, *share))
    }
}

impl CellSource for Triangle {
    fn value(&self, row: usize, column: usize) -> Option<f32> {
        self.at(row, column).map(|(_, _, share)| share)
    }

    fn label(&self, _row: usize, _column: usize) -> String {
        String::new()
    }

    fn lines(&self, row: usize, column: usize) -> Vec<String> {
        let Some((dest, src, share)) = self.at(row, column) else {
            return Vec::new();
        };
        let text = |position: usize| self.texts.get(position).map_or("", String::as_str);
        vec![
            format!("from {} ({dest}) to {} ({src})", text(dest), text(src)),
            format!("attention {}", percent(share)),
        ]
    }
}

/// How much of the pattern of `section` is shown where `asked` is asked for.
pub fn pattern_part(section: &AttentionSection, asked: Option<PatternPart>) -> PatternPart {
    asked.unwrap_or_else(|| PatternPart::at_first(section.texts.len()))
}

/// The queries (rows) and keys (columns) of the pattern of `section` that are shown where `asked` is asked for.
pub fn shown_pattern(section: &AttentionSection, asked: Option<PatternPart>) -> CellRange {
    let count = section.texts.len();
    let last = count.saturating_sub(1);
    let near = |position: usize| {
        let first = position.saturating_sub(PatternPart::NEAR / 2);
        let first = first.min(count.saturating_sub(PatternPart::NEAR));
        (first, (first + PatternPart::NEAR - 1).min(last))
    };
    match pattern_part(section, asked) {
        PatternPart::Whole => CellRange {
            rows: (0, last),
            columns: (0, last),
        },
        PatternPart::NearPair => CellRange {
            rows: near(section.dest),
            columns: near(section.src),
        },
    }
}

fn matrix(subject: Subject<'_>) -> Result<MatrixPlot> {
    let section = attention(subject.result)?;
    let shown = shown_pattern(section, subject.view.sentence.pattern);
    let names = |(first, last): (usize, usize)| -> Vec<String> {
        let texts = section.texts.get(first..=last).unwrap_or_default();
        texts.iter().map(|text| name(text)).collect()
    };
    let (rows, columns) = (shown.rows, shown.columns);
    let triangle = Triangle {
        texts: (0..section.texts.len())
            .map(|position| quoted(&section.texts, position))
            .collect(),
        shares: section.pattern.data().to_vec(),
        first: (rows.0, columns.0),
    };
    let whole = title(section);
    let title = if rows.1 + 1 - rows.0 == section.texts.len() {
        whole
    } else {
        format!(
            "{whole}, queries {} to {}, keys {} to {}",
            rows.0, rows.1, columns.0, columns.1
        )
    };
    Ok(MatrixPlot {
        title,
        x_label: "Key".into(),
        y_label: "Query".into(),
        rows: names(rows),
        columns: names(columns),
        cells: MatrixCells::made(triangle),
        colors: Colors::UpTo(1.0),
        pick: section.dest.checked_sub(rows.0).zip(section.src.checked_sub(columns.0)),
    })
}

fn title(section: &AttentionSection) -> String {
    format!("Attention pattern of {}", head_title(section.head))
}

/// Where the head looks most from `dest`, and with how much of its attention.
fn largest(section: &AttentionSection, dest: usize) -> Option<(usize, f32)> {
    let shares = section.pattern_row(dest).iter().copied().enumerate();
    shares.max_by(|left, right| left.1.total_cmp(&right.1))
}

/// The names of the columns of both tables.
fn columns() -> Vec<String> {
    let of_side = |side: Side| [format!("{side} position"), side.to_string()];
    let sums = [Side::Query, Side::Key].into_iter().flat_map(of_side);
    sums.chain(["attention".to_owned()]).collect()
}

fn row(section: &AttentionSection, dest: usize, src: usize, share: f32) -> Vec<Field> {
    let text = |position: usize| {
        section
            .texts
            .get(position)
            .map_or(Field::Empty, |text| text.as_str().into())
    };
    vec![
        Field::Count(dest),
        text(dest),
        Field::Count(src),
        text(src),
        Field::Single(share),
    ]
}

impl FigureKind for Pattern {
    fn names(&self) -> &'static [FigureName] {
        &[NAME]
    }

    fn is_in(&self, subject: Subject<'_>) -> bool {
        subject.result.attention().is_some()
    }

    fn section(&self, _name: FigureName) -> &'static str {
        "Which head?"
    }

    fn heading(&self, _name: FigureName) -> &'static str {
        "Where does it look from every word?"
    }

    fn explanation(&self, _name: FigureName, _view: &View) -> String {
        "A row for each query, a column for each key: how much of the query's attention goes there. A head sees no later token. Where \
         there are more cells than can be seen, the largest of several is shown for them."
            .into()
    }

    fn title(&self, _name: FigureName) -> String {
        "Attention pattern".into()
    }

    fn summary(&self, subject: Subject<'_>) -> String {
        let Ok(section) = attention(subject.result) else {
            return "There is no attention of a sentence.".into();
        };
        let description: Vec<String> = (0..section.texts.len())
            .rev()
            .take(4)
            .filter_map(|dest| {
                let (src, share) = largest(section, dest)?;
                let (dest, src) = (quoted(&section.texts, dest), quoted(&section.texts, src));
                Some(format!("from {dest} to {src} ({})", percent(share)))
            })
            .collect();
        format!(
            "{} looks most {}.",
            head_title(section.head).replacen('h', "H", 1),
            description.join(", ")
        )
    }

    fn plot(&self, subject: Subject<'_>) -> Result<Plot> {
        matrix(subject).map(Plot::from)
    }

    fn tables(&self, subject: Subject<'_>) -> Result<Vec<Table>> {
        let section = attention(subject.result)?;
        let rows = (0..section.texts.len()).flat_map(|dest| {
            let shares = section.pattern_row(dest).iter().enumerate();
            shares.map(move |(src, share)| row(section, dest, src, *share))
        });
        let all = Table {
            name: ALL,
            title: title(section),
            caption:
                "A row per pair of tokens: the query's position and token, the key's, and the attention between them."
                    .into(),
            columns: columns(),
            rows: rows.collect(),
        };
        let most = (0..section.texts.len()).filter_map(|dest| {
            let (src, share) = largest(section, dest)?;
            Some(row(section, dest, src, share))
        });
        let most = Table {
            name: "most",
            title: title(section),
            caption: "A row per query: its position and token, those of the key that it looks most to, and how much of its attention goes there.".into(),
            columns: columns(),
            rows: most.collect(),
        };
        Ok(vec![most, all])
    }

    fn is_short(&self, table: &str) -> bool {
        table != ALL
    }

    fn script(&self, subject: Subject<'_>, theme: &Theme) -> Result<Script> {
        let shown = shown_pattern(attention(subject.result)?, subject.view.sentence.pattern);
        Ok(script::of_pattern(shown, &matrix(subject)?, theme))
    }

    fn is_key(&self, key: &str) -> bool {
        key == PATTERN
    }

    fn take(&self, view: &mut View, _key: &str, value: &str) -> Result<()> {
        take_pattern(view, value)
    }

    fn write(&self, view: &View, query: &mut Query) {
        write_pattern(view, query);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::analysis::{Array, Section};
    use crate::figure::list::{Figure, FigurePlace};
    use crate::plot::{DrawOptions, Scene, Target};
    use crate::result::ResultFile;

    /// A sentence of `count` tokens that all look at the first one.
    fn long(count: usize, (dest, src): (usize, usize)) -> ResultFile {
        let mut result =
            ResultFile::from_json(include_bytes!("../../../tests/fixtures/tiny-sentence-2.1.json")).unwrap();
        let attention = result.sections.iter_mut().find_map(|section| match section {
            Section::Attention(section) => Some(section),
            _ => None,
        });
        let section = attention.unwrap();
        (section.dest, section.src) = (dest, src);
        section.texts = (0..count).map(|position| format!(" t{position}")).collect();
        let of_row = |query: usize| (0..=query).map(|key| if key == 0 { 1.0 } else { 0.0 });
        section.pattern = Array::vector((0..count).flat_map(of_row).collect());
        result
    }

    fn figure(part: Option<PatternPart>) -> Figure {
        let mut view = View::default();
        view.sentence.pattern = part;
        Figure::at(FigurePlace::of(NAME).unwrap(), &view)
    }

    #[test]
    fn of_a_long_sentence_what_is_near_the_pair_is_shown_at_first() {
        let shown = |count: usize, pair: (usize, usize), part| {
            let result = long(count, pair);
            let shown = shown_pattern(result.attention().unwrap(), part);
            (shown.rows, shown.columns)
        };
        assert_eq!(shown(40, (39, 0), None), ((0, 39), (0, 39)));
        assert_eq!(shown(41, (40, 20), None), ((9, 40), (4, 35)));
        assert_eq!(shown(41, (40, 20), Some(PatternPart::Whole)), ((0, 40), (0, 40)));
        assert_eq!(shown(40, (3, 0), Some(PatternPart::NearPair)), ((0, 31), (0, 31)));
        assert_eq!(shown(5, (3, 0), Some(PatternPart::NearPair)), ((0, 4), (0, 4)));
        assert_eq!(shown(1, (0, 0), Some(PatternPart::NearPair)), ((0, 0), (0, 0)));
        assert_eq!(shown(1024, (500, 100), None), ((484, 515), (84, 115)));
    }

    #[test]
    fn a_part_says_what_the_whole_says() {
        let result = long(60, (50, 20));
        let scene = |part| {
            let plot = figure(Some(part)).plot(&result).unwrap();
            Scene::new(plot, 400.0, 400.0, &DrawOptions::canvas(1.0, Theme::light()))
        };
        let (part, whole) = (scene(PatternPart::NearPair), scene(PatternPart::Whole));
        let near = shown_pattern(result.attention().unwrap(), Some(PatternPart::NearPair));
        assert_eq!((near.rows, near.columns), ((28, 59), (4, 35)));
        let mut seen = 0;
        for (row, column) in (0..32).flat_map(|row| (0..32).map(move |column| (row, column))) {
            let said = part.hover(Target::Cell(row, column)).map(|hover| hover.lines);
            let same = whole.hover(Target::Cell(28 + row, 4 + column)).map(|hover| hover.lines);
            assert_eq!(said, same);
            seen += usize::from(said.is_some());
        }
        assert!(seen > 900 && seen < 1024, "{seen}");
        assert_eq!(
            part.hover(Target::Cell(22, 16)).unwrap().lines[0],
            "from \u{201c}t50\u{201d} (50) to \u{201c}t20\u{201d} (20)"
        );
        assert!(part.plot().title().ends_with("queries 28 to 59, keys 4 to 35"));
        let script = figure(None).script(&result, "r.json", &Theme::light()).unwrap();
        assert!(script.contains("FIRST_ROW, FIRST_COLUMN = 28, 4\n"), "{script}");
    }

    #[test]
    fn a_thousand_tokens_are_few_strokes() {
        let result = long(1024, (1000, 500));
        let plot = figure(Some(PatternPart::Whole)).plot(&result).unwrap();
        for (size, most) in [((330, 420), 40_000), ((1600, 1600), 90_000)] {
            let strokes = plot.strokes(size, &DrawOptions::canvas(1.0, Theme::light()));
            assert!(strokes.len() > 5_000 && strokes.len() < most, "{}", strokes.len());
        }
        let scene = Scene::new(plot, 330.0, 420.0, &DrawOptions::canvas(1.0, Theme::light()));
        let said = scene.hover(Target::Cell(1023, 0)).unwrap().lines;
        assert_eq!(said[1], "attention 100 %");
        assert_eq!(scene.hover(Target::Cell(1022, 1023)), None);
    }
}
