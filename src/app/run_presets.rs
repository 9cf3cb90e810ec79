//! Interventions in every prompt for a single click, for the heads in the form.

use super::form::{Form, PromptChoice};
use crate::analysis::pair::Extent;
use crate::analysis::settings::{EARLIER_HEAD, HEAD};
use crate::analysis::{RunIntervention, RunReplacement, RunVector};
use crate::names::{Component, Head, HeadActivation, SeriesId, Side};

/// A suggested intervention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunPreset {
    /// The label of its button.
    pub label: String,
    /// The text for the form's field; empty for no intervention.
    pub text: String,
}

/// The suggestions for the heads and prompts of `form`; those with an invalid head are omitted.
pub fn run_presets(form: &Form) -> Vec<RunPreset> {
    let head = |setting| form.text(setting).trim().parse::<Head>().ok();
    let preset = |label: String, intervention: RunIntervention| RunPreset {
        label,
        text: intervention.to_string(),
    };
    let without = |side: Side, head: Head| {
        let component = Component::Head(head);
        let label = format!("take {head} out of the {side}");
        preset(label, RunIntervention::Remove { side, component })
    };
    let knock_out = |head: Head| {
        let intervention = RunIntervention::Set {
            head,
            activation: HeadActivation::Z,
            to: RunReplacement::Zero,
            at: Extent::All,
        };
        preset(format!("knock out {head}"), intervention)
    };
    let (io, wherefrom) = match form.prompts {
        PromptChoice::Ioi => (SeriesId::WuIo, ": the notebook\u{2019}s last line"),
        PromptChoice::Own => (SeriesId::WuSrc, ""),
    };
    let made = preset(
        format!("{} from {io}{wherefrom}", Side::Query),
        RunIntervention::Substitute {
            side: Side::Query,
            vector: RunVector::Series(io),
        },
    );
    let none = RunPreset {
        label: "none".to_owned(),
        text: String::new(),
    };
    let (head, earlier) = (head(&HEAD), head(&EARLIER_HEAD));
    let mut all = vec![none];
    all.extend(earlier.into_iter().flat_map(|earlier| {
        let [query, key] = Side::ALL.map(|side| without(side, earlier));
        [query, key, knock_out(earlier)]
    }));
    all.extend(head.map(knock_out));
    all.push(made);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::settings::INTERVENTION;

    #[test]
    fn presets_are_of_the_heads_in_the_form() {
        let mut form = Form::default();
        form.set(&HEAD, "3.1");
        form.set(&EARLIER_HEAD, "2.0");
        let texts = |form: &Form| -> Vec<String> { run_presets(form).into_iter().map(|preset| preset.text).collect() };
        assert_eq!(
            texts(&form),
            [
                "",
                "query without 2.0",
                "key without 2.0",
                "z of 2.0 zero everywhere",
                "z of 3.1 zero everywhere",
                "query from W_U[IO]"
            ]
        );
        for preset in run_presets(&form) {
            assert_eq!(INTERVENTION.checked(&preset.text).as_deref(), Ok(preset.text.as_str()));
            assert!(!preset.label.is_empty());
        }
        form.prompts = PromptChoice::Own;
        form.set(&EARLIER_HEAD, "two");
        assert_eq!(texts(&form), ["", "z of 3.1 zero everywhere", "query from W_U[src]"]);
    }
}
