//! The same drawing with fewer elements: a histogram's bars, hundreds of rectangles in a row, become a few paths, and so
//! do the outliers of a box. What has fewer elements is read and painted sooner. Labels take the page's own font, which is
//! asked for in any case.

use std::fmt::Write as _;

/// A rectangle of plotters' SVG backend, in its units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bar {
    x: i32,
    y: i32,
    width: i32,
    height: i32,
}

/// Bars of one colour that do not overlap, so that one path is as translucent as they are.
#[derive(Debug)]
struct Layer<'a> {
    fill: &'a str,
    bars: Vec<Bar>,
}

/// Rectangles that follow each other and have one opacity and at most two colours: a series' bars and their edges.
#[derive(Debug, Default)]
struct Run<'a> {
    opacity: &'a str,
    layers: Vec<Layer<'a>>,
}

/// `svg` (text of plotters' SVG backend, an element a line) with rectangles in a row, and dots in a row, made into paths.
pub fn compact(svg: &str) -> String {
    let mut compact = String::with_capacity(svg.len());
    let mut run = Run::default();
    let mut dots = Dots::default();
    for line in svg.lines() {
        let (bar, dot) = (bar_of(line), dot_of(line));
        if bar.is_none_or(|(_, opacity, fill)| !run.takes(opacity, fill)) {
            run.end(&mut compact);
        }
        if dot.is_none_or(|(_, fill)| dots.fill != fill) {
            dots.end(&mut compact);
        }
        if let Some((bar, opacity, fill)) = bar {
            run.opacity = opacity;
            run.add(bar, fill);
        } else if let Some((dot, fill)) = dot {
            dots.fill = fill;
            dots.add(dot);
        } else {
            let (before, after) = around_font(line).unwrap_or((line, ""));
            compact.extend([before, after, "\n"]);
        }
    }
    run.end(&mut compact);
    dots.end(&mut compact);
    compact
}

/// The attributes of an element, in the order in which plotters writes them.
struct Attributes<'a>(&'a str);

impl<'a> Attributes<'a> {
    /// The next attribute's value, when `name` is its name.
    fn next(&mut self, name: &str) -> Option<&'a str> {
        let value = self.0.strip_prefix(name)?.strip_prefix("=\"")?;
        let (value, after) = value.split_once('"')?;
        self.0 = after.trim_start();
        Some(value)
    }

    fn number(&mut self, name: &str) -> Option<i32> {
        self.next(name)?.parse().ok()
    }
}

/// Place, opacity and fill of a line that is a filled rectangle.
fn bar_of(line: &str) -> Option<(Bar, &str, &str)> {
    let mut has = Attributes(line.strip_prefix("<rect ")?.strip_suffix(" stroke=\"none\"/>")?);
    let bar = Bar {
        x: has.number("x")?,
        y: has.number("y")?,
        width: has.number("width")?,
        height: has.number("height")?,
    };
    Some((bar, has.next("opacity")?, has.next("fill")?))
}

/// What is before and after the font of a line that begins a label.
fn around_font(line: &str) -> Option<(&str, &str)> {
    let (before, font) = line
        .split_once(" font-family=\"")
        .filter(|(before, _)| before.starts_with("<text "))?;
    Some((before, font.split_once('"')?.1))
}

/// Centre (x, y), radius and fill of a line that is a filled, opaque circle: opaque ones may overlap in one path.
fn dot_of(line: &str) -> Option<([i32; 3], &str)> {
    let mut has = Attributes(
        line.strip_prefix("<circle ")?
            .strip_suffix(" stroke=\"none\" stroke-width=\"1\"/>")?,
    );
    let dot = [has.number("cx")?, has.number("cy")?, has.number("r")?];
    let opaque = has.next("opacity")? == "1";
    has.next("fill").filter(|_| opaque).map(|fill| (dot, fill))
}

/// Opaque circles of one colour that follow each other.
#[derive(Debug, Default)]
struct Dots<'a> {
    fill: &'a str,
    path: String,
}

impl Dots<'_> {
    fn add(&mut self, [x, y, radius]: [i32; 3]) {
        let (left, across) = (x - radius, 2 * radius);
        // Two half circles. Writing to a string can't fail.
        let _ = write!(
            self.path,
            "M{left} {y}a{radius} {radius} 0 1 0 {across} 0a{radius} {radius} 0 1 0-{across} 0z"
        );
    }

    fn end(&mut self, svg: &mut String) {
        if !self.path.is_empty() {
            let _ = writeln!(svg, r#"<path opacity="1" fill="{}" d="{}"/>"#, self.fill, self.path);
            self.path.clear();
        }
    }
}

impl<'a> Run<'a> {
    fn takes(&self, opacity: &str, fill: &str) -> bool {
        let first = self.layers.first().map(|layer| layer.fill);
        let second = self
            .layers
            .iter()
            .map(|layer| layer.fill)
            .find(|fill| Some(*fill) != first);
        self.opacity == opacity && (first.is_none() || second.is_none() || first == Some(fill) || second == Some(fill))
    }

    /// Bars come from left to right: one that begins before another of its colour has ended goes on top of it.
    fn add(&mut self, bar: Bar, fill: &'a str) {
        let free =
            |layer: &Layer<'_>| layer.fill == fill && layer.bars.last().is_none_or(|last| last.x + last.width <= bar.x);
        match self.layers.iter_mut().find(|layer| free(layer)) {
            Some(layer) => layer.bars.push(bar),
            None => self.layers.push(Layer { fill, bars: vec![bar] }),
        }
    }

    fn end(&mut self, svg: &mut String) {
        for Layer { fill, bars } in self.layers.drain(..) {
            let mut path = String::new();
            for Bar { x, y, width, height } in bars {
                // Writing to a string can't fail.
                let _ = write!(path, "M{x} {y}h{width}v{height}h-{width}z");
            }
            let _ = writeln!(svg, r#"<path opacity="{}" fill="{fill}" d="{path}"/>"#, self.opacity);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rect(x: i32, width: i32, opacity: &str, fill: &str) -> String {
        format!(
            "<rect x=\"{x}\" y=\"1\" width=\"{width}\" height=\"2\" opacity=\"{opacity}\" fill=\"{fill}\" stroke=\"none\"/>\n"
        )
    }

    #[test]
    fn bars_in_a_row_are_one_path() {
        let svg = [
            "<svg>\n",
            &rect(0, 5, "0.6", "#111111"),
            &rect(5, 5, "0.6", "#111111"),
            "</svg>\n",
        ]
        .concat();
        let path = r##"<path opacity="0.6" fill="#111111" d="M0 1h5v2h-5zM5 1h5v2h-5z"/>"##;
        assert_eq!(compact(&svg), format!("<svg>\n{path}\n</svg>\n"));
    }

    #[test]
    fn labels_take_the_font_of_the_page() {
        let svg = "<text x=\"1\" font-family=\"&apos;A&apos;, serif\" font-size=\"8\">\n font-family=\"B\"\n</text>\n";
        assert_eq!(
            compact(svg),
            "<text x=\"1\" font-size=\"8\">\n font-family=\"B\"\n</text>\n"
        );
    }

    #[test]
    fn what_overlaps_or_lies_above_stays_so() {
        // Two edges at one place are twice as opaque as one.
        let edges = [
            rect(0, 5, "0.6", "#111111"),
            rect(4, 2, "0.6", "#FFFFFF"),
            rect(4, 2, "0.6", "#FFFFFF"),
        ]
        .concat();
        assert_eq!(compact(&edges).matches("<path").count(), 3);
        // The next series lies above the edges of this one.
        let next = [edges, rect(3, 5, "0.6", "#222222"), rect(7, 2, "0.6", "#FFFFFF")].concat();
        let fills: Vec<&str> = compact(&next)
            .lines()
            .filter_map(|line| line.split('"').nth(3))
            .map(|fill| match fill {
                "#111111" => "first",
                "#222222" => "second",
                _ => "edge",
            })
            .collect();
        assert_eq!(fills, ["first", "edge", "edge", "second", "edge"]);
        // Another opacity is another path.
        let opacities = [rect(0, 5, "1", "#111111"), rect(5, 5, "0.6", "#111111")].concat();
        assert_eq!(compact(&opacities).matches("<path").count(), 2);
    }

    fn circle(x: i32, opacity: &str, fill: &str) -> String {
        format!(
            "<circle cx=\"{x}\" cy=\"9\" r=\"2\" opacity=\"{opacity}\" fill=\"{fill}\" stroke=\"none\" stroke-width=\"1\"/>\n"
        )
    }

    #[test]
    fn opaque_dots_in_a_row_are_one_path() {
        let svg = [
            circle(5, "1", "#111111"),
            circle(6, "1", "#111111"),
            circle(5, "1", "#222222"),
        ]
        .concat();
        let dot = |x: i32| format!("M{} 9a2 2 0 1 0 4 0a2 2 0 1 0-4 0z", x - 2);
        let path = |fill: &str, d: String| format!("<path opacity=\"1\" fill=\"{fill}\" d=\"{d}\"/>\n");
        let expected = [path("#111111", dot(5) + &dot(6)), path("#222222", dot(5))];
        assert_eq!(compact(&svg), expected.concat());
        // What comes between them lies above the first and below the second.
        let between = [
            circle(5, "1", "#111111"),
            rect(5, 5, "1", "#222222"),
            circle(5, "1", "#111111"),
        ]
        .concat();
        assert_eq!(compact(&between).matches("<path").count(), 3);
        assert!(
            compact(&between)
                .lines()
                .nth(1)
                .is_some_and(|line| line.contains("#222222"))
        );
    }

    #[test]
    fn other_elements_are_left_alone() {
        let rect = rect(1, 2, "1", "#111111").replace("\"1\"", "\"x\"");
        let svg = [rect, "<circle/>\n".into(), circle(1, "0.5", "#111111")].concat();
        assert_eq!(compact(&svg), svg);
    }
}
