//! Sentences about a heatmap: the largest and smallest cells, and the total of each kind of component.

use super::{MIN_TOTAL, both, list, percent, score};
use crate::analysis::Heatmap;
use crate::figure::heatmap_words::absent;
use crate::math::sort_descending;
use crate::names::Component;
use crate::plot::HeatmapView;
use crate::quantities::{counted, grouped, number};
use crate::result::{ResultFile, two_groups};

/// A cell: name, kind of component, value.
#[derive(Debug, Clone, PartialEq)]
struct Cell {
    component: Component,
    name: String,
    kind: ComponentKind,
    value: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ComponentKind {
    Embedding,
    Head,
    Mlp,
    Bias,
}

/// The name of `component` in a sentence, and its kind.
fn name_and_kind(component: Component) -> (String, ComponentKind) {
    match component {
        Component::TokenEmbedding => (format!("the token embedding {component}"), ComponentKind::Embedding),
        Component::PositionEmbedding => (format!("the position embedding {component}"), ComponentKind::Embedding),
        Component::QueryBias | Component::KeyBias => ("the bias".to_owned(), ComponentKind::Embedding),
        Component::Mlp(_) => (component.name(), ComponentKind::Mlp),
        Component::AttentionBias(_) => (component.name(), ComponentKind::Bias),
        Component::Head(_) => (component.name(), ComponentKind::Head),
    }
}

/// The components of `heatmap` with their `values`, without b_O if `as_in_notebook`.
fn cells(heatmap: &Heatmap, values: &[f32], as_in_notebook: bool) -> Vec<Cell> {
    let cell = |(component, value): (&Component, &f32)| {
        let (name, kind) = name_and_kind(*component);
        let value = f64::from(*value);
        Cell {
            component: *component,
            name,
            kind,
            value,
        }
    };
    let mut cells: Vec<Cell> = heatmap.components.iter().zip(values).map(cell).collect();
    cells.retain(|cell| cell.value.is_finite() && !(as_in_notebook && cell.kind == ComponentKind::Bias));
    cells
}

/// Sentences about the heatmap in `view`, for `prompt` if its cells are known; one sentence where there is no heatmap.
pub fn heatmap(result: &ResultFile, view: &HeatmapView, prompt: Option<usize>) -> Vec<String> {
    let Some(heatmap) = result.heatmap(&view.name) else {
        return vec![absent(result)];
    };
    let (prompt, values) = heatmap.of_prompt_or_mean(prompt);
    let mut cells = cells(heatmap, values, view.as_in_notebook);
    sort_descending(&mut cells, |cell| cell.value);
    let (value, basis) = match (prompt, heatmap.mean_score) {
        (Some(prompt), _) => {
            let sum = values.iter().copied().map(f64::from).sum();
            (sum, TotalBasis::Prompt(prompt))
        }
        (None, Some(mean)) => {
            // A note names the prompts, which are not the run's.
            let prompts = heatmap.note.is_none().then(|| result.heatmap_prompts());
            (f64::from(mean), TotalBasis::MeanScore(prompts))
        }
        (None, None) => (f64::from(heatmap.sum), TotalBasis::Sum),
    };
    let total = Total {
        value,
        basis,
        size: cells.iter().map(|cell| cell.value.abs()).sum(),
    };
    let mut description = vec![extremes(&cells, total), kinds(&cells, total)];
    if prompt.is_none() {
        description.extend(in_how_many(heatmap, &cells));
    }
    description
}

/// The number of prompts in which the largest cell is positive, if the result has the cells of every prompt.
fn in_how_many(heatmap: &Heatmap, cells: &[Cell]) -> Option<String> {
    let most = cells.first().filter(|cell| cell.value > 0.0)?;
    let at = heatmap
        .components
        .iter()
        .position(|component| *component == most.component)?;
    let values = heatmap.of_component(at)?;
    let positive = values.iter().filter(|value| **value > 0.0).count();
    let positive_of_all = format!(
        "{} of {}",
        grouped(positive),
        counted(values.len(), "prompt", "prompts")
    );
    let name = capitalized(&most.name);
    match two_groups(&values) {
        _ if values.is_empty() => None,
        Some(groups) => Some(format!(
            "{name} adds in {positive_of_all}, but falls into two groups: {}.",
            both(&groups, score)
        )),
        None => Some(format!("{name} adds in {positive_of_all}.")),
    }
}

/// The name of a cell at the beginning of a sentence. b_O is a symbol and stays.
fn capitalized(name: &str) -> String {
    match name.strip_prefix(['h', 't']) {
        Some(rest) => format!("{}{rest}", if name.starts_with('h') { 'H' } else { 'T' }),
        None => name.to_owned(),
    }
}

fn description(cell: &Cell) -> String {
    format!("{} ({})", cell.name, number(cell.value, 2))
}

/// The total that cells are compared with.
#[derive(Debug, Clone, Copy)]
enum TotalBasis {
    /// The mean score, over this number of prompts if known.
    MeanScore(Option<usize>),
    /// The sum of all cells, if the score was not recorded.
    Sum,
    /// The sum of all cells of one prompt.
    Prompt(usize),
}

/// A total and its value.
#[derive(Debug, Clone, Copy)]
struct Total {
    value: f64,
    basis: TotalBasis,
    /// Sum of the absolute cells.
    size: f64,
}

impl Total {
    /// `part` relative to it: "42 % of the mean score of 4.51"; as a number where it is more than the total, or where
    /// shares are meaningless.
    fn share(self, part: f64) -> String {
        let value = number(self.value, 2);
        let total = match self.basis {
            TotalBasis::MeanScore(Some(prompts)) => format!(
                "the mean score of {value} over {}",
                counted(prompts, "prompt", "prompts")
            ),
            TotalBasis::MeanScore(None) => format!("the mean score of {value}"),
            TotalBasis::Sum => format!("the sum of all cells, {value}"),
            TotalBasis::Prompt(prompt) => format!("the sum of all cells in prompt {}, {value}", grouped(prompt + 1)),
        };
        match self.percent(part) {
            Some(percent) => format!("{percent} of {total}"),
            None if self.has_shares() && part > 0.0 => {
                format!("{}, more than {total}, as others take off", number(part, 2))
            }
            None => format!("{} beside {total}", number(part, 2)),
        }
    }

    /// `part` as a percentage; None where it is more than the total, or where shares are meaningless.
    fn percent(self, part: f64) -> Option<String> {
        (self.has_shares() && part > 0.0 && part <= 1.005 * self.value).then(|| percent(part / self.value))
    }

    /// Whether shares are meaningful: the total is positive, and not the small difference of large cells.
    fn has_shares(self) -> bool {
        self.value > 0.0 && self.value >= MIN_TOTAL * self.size
    }
}

/// The largest cells and the smallest one. `cells` are in descending order.
fn extremes(cells: &[Cell], total: Total) -> String {
    let most: Vec<&Cell> = cells.iter().take(3).filter(|cell| cell.value > 0.0).collect();
    let least = cells.last().filter(|cell| cell.value < 0.0);
    let takes_off = |cell: &Cell| format!("{} takes off most", description(cell));
    if most.is_empty() {
        return match least {
            Some(cell) => format!("No cell adds to the score; {}.", takes_off(cell)),
            None => "No cell adds to the score, and none takes anything off.".into(),
        };
    }
    let sum: f64 = most.iter().map(|cell| cell.value).sum();
    let names: Vec<String> = most.iter().map(|cell| description(cell)).collect();
    let adds = if most.len() == 1 {
        format!("Only {} adds to the score, {}", names[0], total.share(sum))
    } else {
        format!("{} add most, together {}", list(&names), total.share(sum))
    };
    let adds = capitalized(&adds);
    match least {
        Some(cell) => format!("{adds}; {}.", takes_off(cell)),
        None => format!("{adds}; nothing takes anything off."),
    }
}

/// The totals of MLPs, heads, embeddings and biases, the largest first.
fn kinds(cells: &[Cell], total: Total) -> String {
    let kinds = [
        (ComponentKind::Mlp, "the MLPs"),
        (ComponentKind::Head, "the heads"),
        (ComponentKind::Embedding, "embeddings and the bias"),
        (ComponentKind::Bias, "the biases b_O"),
    ];
    let mut sums: Vec<(&str, f64)> = kinds
        .into_iter()
        .filter(|(kind, _)| cells.iter().any(|cell| cell.kind == *kind))
        .map(|(kind, name)| {
            let of_kind = cells.iter().filter(|cell| cell.kind == kind);
            (name, of_kind.map(|cell| cell.value).sum())
        })
        .collect();
    sort_descending(&mut sums, |sum| sum.1);
    let Some((first, sum)) = sums.first() else {
        return "There are no components before this head.".into();
    };
    let rest: Vec<String> = sums[1..]
        .iter()
        .map(|(name, sum)| format!("{name} {}", number(*sum, 2)))
        .collect();
    let basis = match total.basis {
        TotalBasis::MeanScore(_) => "the score",
        TotalBasis::Sum | TotalBasis::Prompt(_) => "all",
    };
    let share = total.percent(*sum).map(|percent| format!(", {percent} of {basis}"));
    let share = share.unwrap_or_default();
    let others = match rest.len() {
        0 => String::new(),
        _ => format!("; {}", list(&rest)),
    };
    format!("Added up by kind, {first} give {} net{share}{others}.", number(*sum, 2))
}
