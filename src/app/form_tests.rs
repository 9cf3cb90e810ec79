use super::*;
use crate::analysis::settings::BATCH_SIZE;
use crate::prompts::IoiSet;

const BUNDLED: &str = "http://127.0.0.1:8080/models/tiny-ioi";

fn bundled() -> Form {
    let mut form = Form::default();
    form.choose(ModelChoice::Bundled);
    form.set(&HEAD, "3.1");
    form.set(&EARLIER_HEAD, "2.0");
    form
}

fn request(form: &Form) -> Result<Request> {
    form.request(BUNDLED, |typed| typed.contains("://").then(|| typed.to_string()))
}

fn cause(form: &Form) -> String {
    request(form).expect_err("must fail").cause
}

#[test]
fn default_settings_suit_the_model() {
    let made = request(&bundled()).expect("a bundled run");
    assert_eq!(made.url, BUNDLED);
    let set = |batches| IoiSet {
        seed: 0,
        batches,
        batch_size: 40,
        prepend_bos: false,
    };
    assert_eq!(made.analysis.prompts, set(10).into());
    assert_eq!(made.analysis.head, Head::new(3, 1));

    let mut form = bundled();
    form.url = " https://example.org/gpt2 ".into();
    form.choose(ModelChoice::Url);
    let made = request(&form).expect("a run at a URL");
    assert_eq!(made.url, "https://example.org/gpt2");
    assert_eq!(made.analysis.prompts, set(30).into());
    assert_eq!(made.analysis.head, Head::new(10, 7));
}

#[test]
fn every_control_is_checked_and_named() {
    assert!(cause(&Form::default()).contains("recorded"));
    let typed = |setting: &Setting, text: &str| {
        let mut form = bundled();
        form.set(setting, text);
        cause(&form)
    };
    assert!(typed(&HEAD, "10").starts_with("Head: "));
    assert!(typed(&EARLIER_HEAD, "x").starts_with("Earlier head: "));
    assert!(typed(&EARLIER_HEAD, "3.0").contains("does not come before"));
    assert!(typed(&BATCHES, "0").starts_with("Batches: "));
    assert!(typed(&BATCH_SIZE, "1.5").contains("1.5"));
    let later = typed(&INTERVENTION, "query without 3.0");
    assert!(
        later.starts_with("Intervention in every prompt: head 3.0 is nothing that head 3.1 reads"),
        "{later}"
    );
    for setting in SETTINGS {
        let mut form = bundled();
        form.prompts = if setting.group == Group::Text {
            PromptChoice::Own
        } else {
            PromptChoice::Ioi
        };
        form.set(setting, "-1");
        assert!(
            cause(&form).starts_with(&format!("{}: ", setting.label)),
            "{}",
            cause(&form)
        );
    }
    let url = |url: &str| Form {
        model: ModelChoice::Url,
        url: url.into(),
        ..bundled()
    };
    assert!(cause(&url(" ")).contains("empty"));
    assert!(cause(&url("ftp://example.org")).contains("not a web address"));
    assert!(cause(&url("hf.co/datasets/a/b")).contains("not the address of a model"));
    let named = request(&url(" Someone/Own ")).expect("a name on the hub");
    assert_eq!(named.url, "https://huggingface.co/Someone/Own/resolve/main");
    assert!(url("someone/own").is_on_hub() && !url("https://example.org/gpt2").is_on_hub());
    assert!(cause(&url("nonsense")).contains("not a web address"));
    assert!(cause(&url("https://example.org/a b")).contains("not a web address"));
    let resolved = |typed: &str| url(typed).checked_url(|typed| Some(format!("http://here/{typed}")));
    assert!(resolved("not a url").is_err(), "even where it would resolve");
    assert_eq!(resolved("./models/own").expect("relative"), "http://here/./models/own");
    let refused = request(&url("http://example.com/gpt2")).expect_err("plain http");
    assert_eq!(
        refused.cause,
        "http://example.com/gpt2 would be read without encryption"
    );
}

#[test]
fn a_description_brings_heads_but_never_over_typed_ones() {
    let config = Config {
        n_layer: 4,
        n_head: 8,
        d_model: 128,
        d_mlp: 512,
        d_vocab: 1000,
        n_ctx: 64,
        bos_token_id: Some(0),
        ..Config::default()
    };
    let heads = |form: &Form| (form.text(&HEAD).to_owned(), form.text(&EARLIER_HEAD).to_owned());
    let pair = |head: &str, earlier_head: &str| (head.to_string(), earlier_head.to_string());
    let card = ModelCard {
        name: "Stand-in".into(),
        note: String::new(),
        head: Head::new(1, 4),
        earlier_head: Head::new(0, 4),
    };
    let mut form = Form::default();
    form.choose(ModelChoice::Url);
    let mut typed = Form {
        heads_typed: true,
        ..form.clone()
    };
    typed.set(&HEAD, "7.9");
    form.set_heads_of_model(&config, None);
    assert_eq!(heads(&form), pair("3.7", "2.7"), "10.7 is not in this model");
    form.set_heads_of_model(&config, Some(&card));
    assert_eq!(heads(&form), pair("1.4", "0.4"));
    form.set_heads_of_model(&config, None);
    assert_eq!(heads(&form), pair("1.4", "0.4"), "they fit");
    typed.set_heads_of_model(&config, Some(&card));
    assert_eq!(heads(&typed), pair("7.9", "9.9"));
    typed.choose(ModelChoice::Bundled);
    assert!(!typed.heads_typed);
}

#[test]
fn own_prompts_are_checked_before_they_are_run_and_outlast_the_model() {
    let mut form = bundled();
    form.prompts = PromptChoice::Own;
    assert!(cause(&form).contains("there is no prompt"));
    form.own = "one [[two\n".into();
    assert!(cause(&form).contains("line 1 (\"one [[two\"): a mark does not end"));
    form.own = "one [[two]] three\n".into();
    form.set(&BATCHES, "no number");
    let src = SETTINGS
        .iter()
        .find(|setting| setting.key == "src")
        .expect("the source");
    form.set(src, "3");
    form.choose(ModelChoice::Bundled);
    let made = request(&form).expect("the batches are not asked for");
    let expected = TextPrompts {
        text: form.own.clone(),
        src: Some(3),
        ..TextPrompts::default()
    };
    assert_eq!(made.analysis.prompts, PromptSource::Text(expected));
    form.prompts = PromptChoice::Ioi;
    form.set(&BATCHES, "no number");
    assert!(cause(&form).starts_with("Batches: "));
}

#[test]
fn options_have_distinct_values_that_read_back() {
    for choice in ModelChoice::ALL {
        assert_eq!(ModelChoice::of_value(choice.value()), Some(choice));
    }
    assert_eq!(ModelChoice::of_value("other"), None);
}

#[test]
fn models_of_the_hub_and_picked_files_have_addresses() {
    let mut form = Form::default();
    form.choose(ModelChoice::Hub);
    let known = request(&form).expect("the known commit").url;
    assert!(known.ends_with("/openai-community/gpt2/resolve/607a30d783dfa663caf39e06633721c8d4cfcd7e"));
    form.revision = "main".into();
    assert!(request(&form).expect("a branch").url.ends_with("/gpt2/resolve/main"));
    form.hub = "gpt5".into();
    assert!(cause(&form).contains("gpt5"));

    form.choose(ModelChoice::Picked);
    assert!(cause(&form).contains("no files are picked"));
    form.picked = "picked:1/gpt2".into();
    assert_eq!(request(&form).expect("picked files").url, "picked:1/gpt2");
    form.choose(ModelChoice::Bundled);
    assert_eq!(form.revision, "main", "what was typed stays");
}
