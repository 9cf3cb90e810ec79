use super::*;

fn recording() -> Recording {
    Recording::from_json(include_bytes!("../../public/recorded/gpt2-small-sentences.json")).unwrap()
}

#[test]
fn the_recorded_sentence_with_its_bars_and_the_answer() {
    let html = html(&recording()).unwrap();
    for text in [
        words::TITLE,
        "each of its 144 heads",
        "This is where head 10.7 looks: layer 10, head 7.",
        "Head <b>10.7</b> at \u{201c}to\u{201d}",
        "<b>81 %</b>",
        r#"aria-current="page">Story<"#,
        r#"<span class="token key"><em>key</em>·Mary<svg"#,
        r#"<span class="token query"><em>query</em>·to<svg"#,
    ] {
        assert!(html.contains(text), "{text} is missing in {html}");
    }
    assert_eq!(
        html.matches("<svg class=\"bar\"").count(),
        recording().sentences[0].tokens.len()
    );
    // No inline styles or scripts, which the page's policy forbids.
    for forbidden in [" style=", "<style", "<script", " on", "javascript:"] {
        let tags = html.split('<').filter_map(|tag| tag.split('>').next());
        assert!(
            !tags.map(|tag| format!("<{tag}")).any(|tag| tag.contains(forbidden)),
            "{forbidden}"
        );
    }
    assert!(html.len() < 10_000, "{} bytes", html.len());
}

#[test]
fn texts_of_a_recording_are_text() {
    let mut recording = recording();
    recording.model.name = "<img src=x> & \"others\"".into();
    recording.sentences[0].texts[1] = "<i>".into();
    let html = html(&recording).unwrap();
    assert!(html.contains("&lt;img src=x&gt; &amp; &quot;others&quot;") && !html.contains("<img"));
    assert!(html.contains("&lt;i&gt;") && !html.contains("<i>"));
}

#[test]
fn there_must_be_a_sentence() {
    let mut recording = recording();
    recording.sentences.clear();
    assert!(html(&recording).unwrap_err().to_string().contains("no sentence"));
}
