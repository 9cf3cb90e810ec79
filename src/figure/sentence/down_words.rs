//! Texts about an opened component of a score.

use super::words::{quoted, word};
use crate::analysis::DrillDownSection;
use crate::analysis::pair::{Part, Step};
use crate::math::sort_descending;
use crate::names::{Component, Side};
use crate::quantities::{grouped, number};

/// One line of what was opened: its name, what it adds, and the step that opens it, where that goes.
#[derive(Debug, Clone, PartialEq)]
pub struct BarLine {
    /// What it is: a token, a neuron, a component, or what is left.
    pub name: String,
    /// What it adds to the score.
    pub value: f64,
    /// Opens it.
    pub step: Option<Step>,
}

/// The step that opens `component`; None for one that is no sum.
pub fn step_into(component: Component) -> Option<Step> {
    match component {
        Component::Head(_) | Component::Mlp(_) => Some(Step::Component(component)),
        _ => None,
    }
}

/// The lines of `section`, from the largest to the least; most neurons are one line, the last.
pub fn lines(section: &DrillDownSection, texts: &[String]) -> Vec<BarLine> {
    let (parts, rest) = section.decomposition.shown();
    let line = |(part, value): (Part, f32)| {
        let (name, step) = match part {
            Part::Source(position) => (
                format!("{} ({position})", quoted(texts, position)),
                Some(Step::Source(position)),
            ),
            Part::Neuron(neuron) => (format!("neuron {neuron}"), None),
            Part::OutBias => ("b_out".to_owned(), None),
            Part::Component(component) => (component.name(), step_into(component)),
            Part::ValueBias => ("b_V".to_owned(), None),
        };
        BarLine {
            name,
            value: f64::from(value),
            step,
        }
    };
    let mut lines: Vec<BarLine> = parts.into_iter().map(line).collect();
    sort_descending(&mut lines, |line| line.value);
    lines.extend(rest.map(|rest| BarLine {
        name: format!("{} other neurons", grouped(rest.count)),
        value: f64::from(rest.sum),
        step: None,
    }));
    lines
}

/// What a step leads to, for the crumbs that lead back.
pub fn crumb(step: Step, texts: &[String]) -> String {
    match step {
        Step::Component(component) => component.label(),
        Step::Source(position) => word(texts, position),
    }
}

/// That the parts add up to what was opened, with the numbers.
pub fn adds_up(section: &DrillDownSection, texts: &[String]) -> String {
    let decomposition = &section.decomposition;
    let count = |is: fn(&Part) -> bool| decomposition.parts.iter().filter(|(part, _)| is(part)).count();
    let what = match decomposition.parts.first() {
        Some((Part::Source(_), _)) => format!("{} source tokens", count(|part| matches!(part, Part::Source(_)))),
        Some((Part::Neuron(_), _)) => {
            format!(
                "{} neurons and b_out",
                grouped(count(|part| matches!(part, Part::Neuron(_))))
            )
        }
        _ => format!("{} components", decomposition.parts.len()),
    };
    let decomposed = match section.part_path.path.last() {
        Some(Step::Source(position)) => format!("what was read at {}", word(texts, *position)),
        Some(Step::Component(component)) => component.name(),
        None => String::new(),
    };
    let at = match section.part_path.side {
        Side::Query => section.dest,
        Side::Key => section.src,
    };
    let at = match section.part_path.path.len() {
        1 => format!(" at {}", word(texts, at)),
        _ => String::new(),
    };
    format!(
        "{what} add up to {}; {decomposed}{at} adds {}.",
        number(f64::from(decomposition.sum), 4),
        number(f64::from(decomposition.cell), 4)
    )
}
