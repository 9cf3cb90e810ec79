//! The options of the command line for the settings of a run, generated from [`SETTINGS`].

use std::collections::BTreeMap;

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use crate::analysis::Analysis;
use crate::analysis::settings::{Field, Group, SETTINGS, Setting};
use crate::error::Result;

/// The values of the given settings, by key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SettingArguments(BTreeMap<&'static str, String>);

impl SettingArguments {
    /// Whether `setting` was given.
    pub fn has(&self, setting: &Setting) -> bool {
        self.0.contains_key(setting.key)
    }

    /// Sets the given values in `run`.
    ///
    /// # Errors
    /// Those of [`Setting::put`].
    pub fn put(&self, run: &mut Analysis) -> Result<()> {
        let given = |setting: &'static Setting| Some((setting, self.0.get(setting.key)?));
        SETTINGS
            .iter()
            .filter_map(given)
            .try_for_each(|(setting, text)| setting.put(run, text))
    }
}

impl FromArgMatches for SettingArguments {
    fn from_arg_matches(matches: &ArgMatches) -> std::result::Result<Self, clap::Error> {
        let mut given = Self::default();
        given.update_from_arg_matches(matches)?;
        Ok(given)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> std::result::Result<(), clap::Error> {
        for setting in SETTINGS {
            let text = match setting.field {
                Field::Switch { .. } => matches.get_flag(setting.key).then(|| switched(setting).to_owned()),
                _ => matches.get_one::<String>(setting.key).cloned(),
            };
            self.0.extend(text.map(|text| (setting.key, text)));
        }
        Ok(())
    }
}

impl Args for SettingArguments {
    fn augment_args(command: Command) -> Command {
        command.args(SETTINGS.iter().map(option))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

/// The value that the option of a switch sets: the opposite of its default.
fn switched(setting: &Setting) -> &'static str {
    if setting.usual == "1" { "0" } else { "1" }
}

/// The option of `setting`: `--batches <N>`, `--bos`, `--no-fold-ln`.
fn option(setting: &'static Setting) -> Arg {
    let arg = Arg::new(setting.key).help(help(setting));
    let arg = match setting.group {
        Group::Ioi => arg.conflicts_with("prompts"),
        Group::Text => arg.requires("prompts"),
        Group::Heads
        | Group::Prompts
        | Group::Vectors
        | Group::Intervention
        | Group::More
        | Group::Weights
        | Group::Engine => arg,
    };
    let value = match setting.field {
        Field::Switch { .. } => return arg.long(setting.option).action(ArgAction::SetTrue),
        Field::Head { .. } => "L.H",
        Field::Whole { .. } | Field::Position { .. } => "N",
        Field::Intervention { .. } => "WHAT",
        Field::Engine { .. } => "NAME",
    };
    arg.long(setting.option)
        .value_name(value)
        .value_parser(move |text: &str| {
            let read = setting.put(&mut Analysis::default(), text);
            read.map(|()| text.to_owned())
                .map_err(|error| clap::Error::raw(ErrorKind::InvalidValue, format!("expected {}", error.expected)))
        })
}

fn help(setting: &Setting) -> String {
    let about = setting.about;
    match setting.group {
        Group::Heads => format!("{about} [default: the one that the model\u{2019}s config.json names, if any]"),
        _ if matches!(setting.field, Field::Whole { .. }) => format!("{about} [default: {}]", setting.usual),
        _ => about.to_owned(),
    }
}
