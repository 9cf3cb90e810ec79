use super::*;

fn row(model: &str, revision: Option<&str>, head: &str, prompts: &str, seed: Option<u64>, prob: f64) -> String {
    let row = serde_json::json!({
        "model": model, "revision": revision, "head": head, "prompts": prompts, "seed": seed, "prompt": null, "count": 80,
        "batch_size": seed.map(|_| 40), "prepend_bos": true,
        "score": 1.0, "score_sd": 0.5, "prob": prob, "prob_sd": 0.1, "largest": 0.5,
    });
    row.to_string()
}

fn sweep(rows: &[String]) -> SweepMaps {
    SweepMaps::read("rows.jsonl", rows.join("\n").as_bytes()).unwrap()
}

/// The form for `head`, whether it can start at once, and the advice.
fn run(sweep: &SweepMaps, head: Head, form: &Form) -> (Form, bool, String) {
    match sweep.link_for(head, form) {
        HeadLink::Run {
            form,
            starts_at_once,
            advice,
        } => (*form, starts_at_once, advice),
        HeadLink::Nowhere(reason) => panic!("{reason}"),
    }
}

const BUNDLED_FOLDER: &str = "public/models/tiny-ioi";

#[test]
fn a_head_leads_to_the_run_that_has_its_prompts() {
    let rows = ["1.2", "2.0"].map(|head| row(BUNDLED_FOLDER, None, head, "ioi", Some(7), 0.9));
    let sweep = sweep(&rows);
    let (form, starts_at_once, advice) = run(&sweep, Head::new(2, 0), &Form::default());
    assert!(starts_at_once && advice.is_empty(), "{advice}");
    let request = form.request("https://page.example/models/tiny-ioi", |_| None).unwrap();
    assert_eq!(request.url, "https://page.example/models/tiny-ioi");
    assert_eq!(request.analysis.head, Head::new(2, 0));
    assert_eq!(request.analysis.earlier_head, Head::new(1, 0));
    let set = crate::prompts::IoiSet {
        seed: 7,
        batches: 2,
        batch_size: 40,
        prepend_bos: true,
    };
    assert_eq!(request.analysis.prompts, crate::prompts::PromptSource::Ioi(set));
}

#[test]
fn a_model_of_the_hub_waits_for_the_reader() {
    let known = sweep(&[row("hub:gpt2", Some("main"), "10.7", "ioi", Some(0), 0.5)]);
    let (form, starts_at_once, advice) = run(&known, Head::new(10, 7), &Form::default());
    assert_eq!(
        (form.model, &*form.hub, &*form.revision),
        (ModelChoice::Hub, "gpt2", "main")
    );
    assert!(!starts_at_once && advice == "Press Run.", "{advice}");
    let other = sweep(&[row("hub:owner/model", Some("main"), "1.0", "ioi", Some(0), 0.5)]);
    let (form, ..) = run(&other, Head::new(1, 0), &Form::default());
    assert_eq!(form.model, ModelChoice::Url);
    assert_eq!(form.url, hub_url("owner/model", "main").unwrap());
}

#[test]
fn what_the_page_does_not_have_is_asked_for() {
    let sweep = sweep(&[row("checkpoints/step-9", None, "1.0", "sets/mine.txt", None, 0.5)]);
    let (form, starts_at_once, advice) = run(&sweep, Head::new(1, 0), &Form::default());
    assert_eq!((form.model, form.prompts), (ModelChoice::Picked, PromptChoice::Own));
    assert!(
        !starts_at_once && advice.contains("Pick the files of checkpoints/step-9") && advice.contains("sets/mine.txt"),
        "{advice}"
    );
}

#[test]
fn heads_that_can_not_be_taken_apart_lead_nowhere() {
    let sweep = sweep(&[row(BUNDLED_FOLDER, None, "0.3", "ioi", Some(0), 0.5)]);
    for (head, reason) in [(Head::new(0, 3), "first layer"), (Head::new(1, 1), "not in this set")] {
        let link = sweep.link_for(head, &Form::default());
        assert!(
            matches!(&link, HeadLink::Nowhere(why) if why.contains(reason)),
            "{link:?}"
        );
    }
}

#[test]
fn sets_are_found_by_words_of_their_names() {
    let mut sweep = sweep(&[
        row("a", None, "1.0", "ioi", Some(0), 0.5),
        row("a", None, "1.0", "ioi", Some(1), 0.5),
        row("B", None, "1.0", "ioi", Some(1), 0.5),
    ]);
    assert_eq!(sweep.summary(), "1 head on 3 sets of prompts");
    assert_eq!(sweep.shown_place(), Some(0));
    sweep.filter = "seed 1".into();
    assert_eq!(sweep.shown_place(), Some(1));
    sweep.filter = "1 b,".into();
    assert_eq!(sweep.matching(), [(2, "B, ioi, seed 1".to_owned())]);
    sweep.filter = "nothing".into();
    assert!(sweep.shown().is_none() && sweep.largest().is_empty());
    // The selected set is shown again as soon as it matches the filter.
    sweep.choose(2);
    sweep.filter.clear();
    assert_eq!(sweep.shown_place(), Some(2));
}
