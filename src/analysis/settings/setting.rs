//! The definition of a setting.

use crate::analysis::{Analysis, RunIntervention};
use crate::error::{Error, ErrorKind, Result};
use crate::names::{EngineChoice, Head};
use crate::prompts::PromptSource;

/// Limit of positions.
const MAX_POSITION: usize = 999_999;
/// Limit of layer and head in the page and its URLs.
const MAX_HEAD: Head = Head::new((1 << 10) - 1, (1 << 16) - 1);

/// Which runs have a setting, and its group in the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// The heads: every run.
    Heads,
    /// How prompts are made: every run.
    Prompts,
    /// How IOI prompts are drawn.
    Ioi,
    /// How the user's own prompts are read.
    Text,
    /// How substituted vectors are treated: every run.
    Vectors,
    /// The intervention: every run.
    Intervention,
    /// Optional analyses that take more time: every run.
    More,
    /// Weight processing: every run.
    Weights,
    /// The compute engine: every run.
    Engine,
}

impl Group {
    /// Whether runs on prompts of `source` have the settings of this group.
    pub fn is_of(self, source: &PromptSource) -> bool {
        match self {
            Self::Heads
            | Self::Prompts
            | Self::Vectors
            | Self::Intervention
            | Self::More
            | Self::Weights
            | Self::Engine => true,
            Self::Ioi => matches!(source, PromptSource::Ioi(_)),
            Self::Text => matches!(source, PromptSource::Text(_)),
        }
    }
}

/// The type of a setting's value, and how to access it in an [`Analysis`].
#[derive(Clone, Copy)]
pub enum Field {
    /// A head.
    Head {
        /// Reads the value.
        get: fn(&Analysis) -> Head,
        /// Sets the value.
        set: fn(&mut Analysis, Head),
    },
    /// An integer.
    Whole {
        /// Smallest and largest value that the page accepts.
        limits: (u64, u64),
        /// Reads the value, if the analysis has it.
        get: fn(&Analysis) -> Option<u64>,
        /// Sets the value.
        set: fn(&mut Analysis, u64),
    },
    /// A position, for prompts that don't mark one themselves. None is written as an empty text.
    Position {
        /// Reads the value, if the analysis has it.
        get: fn(&Analysis) -> Option<usize>,
        /// Sets the value.
        set: fn(&mut Analysis, usize),
    },
    /// An intervention. None is written as an empty text.
    Intervention {
        /// Reads the value.
        get: fn(&Analysis) -> Option<&RunIntervention>,
        /// Sets or removes the value.
        set: fn(&mut Analysis, Option<RunIntervention>),
    },
    /// A compute engine.
    Engine {
        /// Reads the value.
        get: fn(&Analysis) -> EngineChoice,
        /// Sets the value.
        set: fn(&mut Analysis, EngineChoice),
    },
    /// On or off, written 1 and 0.
    Switch {
        /// Reads the value.
        get: fn(&Analysis) -> bool,
        /// Sets the value.
        set: fn(&mut Analysis, bool),
    },
}

/// A setting of a run.
#[derive(Clone, Copy)]
pub struct Setting {
    /// The key in URLs.
    pub key: &'static str,
    /// The option on the command line, without the leading hyphens. The option of a switch that is on by default
    /// switches it off. The id of its control in the page is derived from it.
    pub option: &'static str,
    /// The label of its control.
    pub label: &'static str,
    /// The description, a sentence.
    pub about: &'static str,
    /// Which runs have it.
    pub group: Group,
    /// The default as text, see [`Setting::text`].
    pub usual: &'static str,
    /// Type and access.
    pub field: Field,
    /// How it is cited, if it has to be.
    pub cited: fn(&Analysis) -> Option<String>,
}

/// A parsed value.
enum ParsedValue {
    Head(Head),
    Whole(u64),
    Position(usize),
    Nothing,
    Intervention(RunIntervention),
    Engine(EngineChoice),
    Switch(bool),
}

impl Setting {
    /// The value in `run` as text: `10.7`, `40`, `1` or `0` for on and off. None where the run does not have it, or
    /// leaves it open.
    pub fn text(&self, run: &Analysis) -> Option<String> {
        if !self.group.is_of(&run.prompts) {
            return None;
        }
        match self.field {
            Field::Head { get, .. } => Some(get(run).to_string()),
            Field::Whole { get, .. } => get(run).map(|number| number.to_string()),
            Field::Position { get, .. } => get(run).map(|position| position.to_string()),
            Field::Intervention { get, .. } => get(run).map(ToString::to_string),
            Field::Engine { get, .. } => Some(get(run).to_string()),
            Field::Switch { get, .. } => Some(if get(run) { "1" } else { "0" }.to_owned()),
        }
    }

    /// `text` in canonical form, as [`Setting::text`] writes it; an empty text for a position or an intervention that
    /// is left open.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] where it is nothing of the kind, or beyond what the page starts a run with.
    pub fn checked(&self, text: &str) -> Result<String> {
        let said = self.parse(text).filter(|said| self.is_within_limits(said));
        Ok(match said.ok_or_else(|| self.wrong(text))? {
            ParsedValue::Head(head) => head.to_string(),
            ParsedValue::Whole(number) => number.to_string(),
            ParsedValue::Position(position) => position.to_string(),
            ParsedValue::Nothing => String::new(),
            ParsedValue::Intervention(intervention) => intervention.to_string(),
            ParsedValue::Engine(engine) => engine.to_string(),
            ParsedValue::Switch(on) => if on { "1" } else { "0" }.to_owned(),
        })
    }

    /// Sets the value in `run` to `text`. Limits of the page are not checked.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] where it is nothing of the kind.
    pub fn put(&self, run: &mut Analysis, text: &str) -> Result<()> {
        let said = self.parse(text).ok_or_else(|| self.wrong(text))?;
        match (self.field, said) {
            (Field::Head { set, .. }, ParsedValue::Head(head)) => set(run, head),
            (Field::Whole { set, .. }, ParsedValue::Whole(number)) => set(run, number),
            (Field::Position { set, .. }, ParsedValue::Position(position)) => set(run, position),
            (Field::Intervention { set, .. }, ParsedValue::Intervention(intervention)) => set(run, Some(intervention)),
            (Field::Intervention { set, .. }, ParsedValue::Nothing) => set(run, None),
            (Field::Engine { set, .. }, ParsedValue::Engine(engine)) => set(run, engine),
            (Field::Switch { set, .. }, ParsedValue::Switch(on)) => set(run, on),
            _ => {}
        }
        Ok(())
    }

    fn parse(&self, text: &str) -> Option<ParsedValue> {
        let text = text.trim();
        match self.field {
            Field::Head { .. } => text.parse().ok().map(ParsedValue::Head),
            Field::Whole { .. } => text.parse().ok().map(ParsedValue::Whole),
            Field::Position { .. } | Field::Intervention { .. } if text.is_empty() => Some(ParsedValue::Nothing),
            Field::Intervention { .. } => text.parse().ok().map(ParsedValue::Intervention),
            Field::Position { .. } => text.parse().ok().map(ParsedValue::Position),
            Field::Engine { .. } => text.parse().ok().map(ParsedValue::Engine),
            Field::Switch { .. } => match text {
                "1" => Some(ParsedValue::Switch(true)),
                "0" => Some(ParsedValue::Switch(false)),
                _ => None,
            },
        }
    }

    fn is_within_limits(&self, said: &ParsedValue) -> bool {
        match (self.field, said) {
            (_, ParsedValue::Head(head)) => head.layer <= MAX_HEAD.layer && head.head <= MAX_HEAD.head,
            (Field::Whole { limits, .. }, ParsedValue::Whole(number)) => (limits.0..=limits.1).contains(number),
            (_, ParsedValue::Position(position)) => *position <= MAX_POSITION,
            _ => true,
        }
    }

    fn wrong(&self, text: &str) -> Error {
        let shown: String = text.trim().chars().take(80).collect();
        let (what, expected) = match self.field {
            Field::Head { .. } => (
                "is not a head",
                "layer.head, both counted from 0, such as 10.7".to_owned(),
            ),
            Field::Whole {
                limits: (least, most), ..
            } => ("can't be used", format!("a whole number from {least} to {most}")),
            Field::Position { .. } => (
                "can't be used",
                format!("a position from 0 to {MAX_POSITION}, or nothing"),
            ),
            Field::Intervention { .. } => match text.parse::<RunIntervention>() {
                Err(error) => return error,
                Ok(_) => ("can't be used", String::new()),
            },
            Field::Engine { .. } => match text.parse::<EngineChoice>() {
                Err(error) => return error,
                Ok(_) => ("can't be used", String::new()),
            },
            Field::Switch { .. } => ("can't be used", "1 or 0".to_owned()),
        };
        Error::new(ErrorKind::Request, format!("{shown:?} {what}")).expected(expected)
    }
}
