//! Texts about links: the run that a link asks for, and what a link cannot hold.

use super::address::MAX_PROMPTS;
use super::form::{Form, ModelChoice, PromptChoice};
use super::session::Origin;
use crate::analysis::settings::{BATCH_SIZE, BATCHES, HEAD};
use crate::checkpoint::HUB_MODELS;
use crate::quantities::{counted, grouped};

/// Describes the run that a link's settings in `form` ask for, and what it needs.
pub fn invitation(form: &Form) -> String {
    let model = match form.model {
        ModelChoice::Recorded => return "This link shows the recorded run.".into(),
        ModelChoice::Bundled => "the tiny model that ships with the page".into(),
        ModelChoice::Hub => match form.revision.trim() {
            "" => form.hub.clone(),
            revision => format!("{} at {revision}", form.hub),
        },
        ModelChoice::Url => format!("the model at {}", form.url),
        ModelChoice::Picked => "a model on its sender\u{2019}s device".into(),
    };
    let on = match form.prompts {
        PromptChoice::Own if form.own.is_empty() => {
            " on prompts of its sender\u{2019}s own, which are not in it: open the result file, or type other prompts"
                .to_owned()
        }
        PromptChoice::Own => " on prompts that its sender wrote".to_owned(),
        PromptChoice::Ioi => match (
            form.text(&BATCHES).parse::<usize>(),
            form.text(&BATCH_SIZE).parse::<usize>(),
        ) {
            (Ok(batches), Ok(size)) => format!(" on {}", counted(batches.saturating_mul(size), "prompt", "prompts")),
            _ => String::new(),
        },
    };
    let takes = match form.model {
        ModelChoice::Hub => match HUB_MODELS.iter().find(|known| known.name == form.hub) {
            Some(known) => format!(
                " Running it reads up to {} MB of weights from huggingface.co, unless they are stored in this browser already.",
                grouped(known.megabytes as usize)
            ),
            None => String::new(),
        },
        ModelChoice::Url => " Running it reads the weights from there.".into(),
        ModelChoice::Picked => {
            " Pick the model\u{2019}s files under \u{201c}Checkpoint on this device\u{201d}, then run it.".into()
        }
        ModelChoice::Recorded | ModelChoice::Bundled => String::new(),
    };
    format!(
        "This link asks for a run of {model}, head {}{on}. It is not shown yet.{takes}",
        form.text(&HEAD)
    )
}

/// The message after a link has been copied, with what is missing from it.
pub fn copied(form: &Form, shown: Option<&Origin>) -> String {
    let length = form.own.chars().count();
    let missing = match (shown, form.model) {
        (Some(Origin::File(name)), _) => format!(" The result you opened, {name}, is not in it: send the file too."),
        (_, ModelChoice::Recorded) => String::new(),
        _ if form.prompts == PromptChoice::Own && length > MAX_PROMPTS => format!(
            " Your prompts are not in it: they have {} characters, and a link holds {}. Send the result file, which has them.",
            grouped(length),
            grouped(MAX_PROMPTS)
        ),
        (_, ModelChoice::Picked) => " The model\u{2019}s files are not in it: whoever opens it picks their own.".into(),
        _ => String::new(),
    };
    format!("Link copied.{missing}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(model: ModelChoice) -> Form {
        let mut form = Form::default();
        form.choose(model);
        form
    }

    #[test]
    fn an_invitation_names_model_head_and_size_of_the_download() {
        assert_eq!(
            invitation(&form(ModelChoice::Hub)),
            "This link asks for a run of gpt2, head 10.7 on 1,200 prompts. It is not shown yet. Running it reads up to 548 MB \
             of weights from huggingface.co, unless they are stored in this browser already."
        );
        let mut url = form(ModelChoice::Url);
        url.url = "https://example.org/m".into();
        url.set(&BATCHES, "many");
        assert_eq!(
            invitation(&url),
            "This link asks for a run of the model at https://example.org/m, head 10.7. It is not shown yet. Running it reads \
             the weights from there."
        );
        assert!(invitation(&form(ModelChoice::Picked)).contains("Pick the model\u{2019}s files"));
        assert!(!invitation(&form(ModelChoice::Bundled)).contains("huggingface"));
    }

    #[test]
    fn what_a_link_does_not_hold_is_said() {
        assert_eq!(copied(&form(ModelChoice::Hub), Some(&Origin::Live)), "Link copied.");
        assert!(copied(&form(ModelChoice::Picked), Some(&Origin::Live)).contains("files are not in it"));
        let file = Origin::File("a.json".into());
        assert!(copied(&form(ModelChoice::Recorded), Some(&file)).contains("a.json, is not in it"));
    }
}
