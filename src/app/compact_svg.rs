//! The same drawing with fewer elements: a histogram's bars, hundreds of rectangles in a row, become a few paths. What
//! has fewer elements is read and painted sooner.

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

/// `svg` (text of plotters' SVG backend, an element a line) with rectangles in a row made into paths.
pub fn compact(svg: &str) -> String {
    let mut compact = String::with_capacity(svg.len());
    let mut run = Run::default();
    for line in svg.lines() {
        let Some((bar, opacity, fill)) = bar_of(line) else {
            run.end(&mut compact);
            compact.push_str(line);
            compact.push('\n');
            continue;
        };
        if !run.takes(opacity, fill) {
            run.end(&mut compact);
            run.opacity = opacity;
        }
        run.add(bar, fill);
    }
    run.end(&mut compact);
    compact
}

/// Place, opacity and fill of a line that is a filled rectangle.
fn bar_of(line: &str) -> Option<(Bar, &str, &str)> {
    let mut rest = line.strip_prefix("<rect ")?.strip_suffix(" stroke=\"none\"/>")?;
    let mut next = |name: &str| {
        let value = rest.strip_prefix(name)?.strip_prefix("=\"")?;
        let (value, after) = value.split_once('"')?;
        rest = after.trim_start();
        Some(value)
    };
    let bar = Bar {
        x: next("x")?.parse().ok()?,
        y: next("y")?.parse().ok()?,
        width: next("width")?.parse().ok()?,
        height: next("height")?.parse().ok()?,
    };
    Some((bar, next("opacity")?, next("fill")?))
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

    #[test]
    fn other_elements_are_left_alone() {
        let svg = "<rect x=\"1\" y=\"1\" width=\"x\" height=\"2\" opacity=\"1\" fill=\"#111111\" stroke=\"none\"/>\n<circle/>\n";
        assert_eq!(compact(svg), svg);
    }
}
