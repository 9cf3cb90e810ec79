use super::*;

#[test]
fn colours_of_both_themes_and_nothing_else() {
    let light = r##"<a fill="#000000"/><b fill="#112233" x="1"/>"##;
    let dark = r##"<a fill="#000000"/><b fill="#445566" x="1"/>"##;
    let both = r##"<a fill="#000000"/><b fill="light-dark(#112233, #445566)" x="1"/>"##;
    assert_eq!(in_both_themes(light, dark).as_deref(), Some(both));
    for other in [
        r##"<a fill="#000000"/><b fill="#445566" x="2"/>"##,
        r##"<a fill="#000000"/>"##,
        r##"<a fill="#000000"/><b fill="#445566" x="1"/><c fill="#445566"/>"##,
        "",
    ] {
        assert_eq!(in_both_themes(light, other), None, "{other}");
    }
}

#[test]
fn the_recorded_run_with_its_words_and_bars() {
    let bytes = include_bytes!("../../public/recorded/gpt2-small-10.7.json");
    let result = ResultFile::from_json(bytes).unwrap();
    let html = html(&result).unwrap();
    for text in [
        words::TITLE,
        "Recorded run",
        &escaped(&words::settings(&result)),
        "<code>W_U[IO]</code>",
        &escaped(&story::question(&result, &at_once(&result))),
    ] {
        assert!(html.contains(text), "{text} is missing");
    }
    // Two drawings, each with its bars, and no style or script that the page's policy forbids.
    assert_eq!(html.matches("<svg class=\"wide-only\"").count(), 1);
    assert_eq!(html.matches("<svg class=\"narrow-only\"").count(), 1);
    // A path for each colour, with all the bars in it: M1 2h3v4h-3z.
    assert!(html.matches("<path").count() > 20 && html.matches("h-").count() > 200);
    for forbidden in [" style=", "<style", "<script", " on", "javascript:"] {
        let tags = html.split('<').filter_map(|tag| tag.split('>').next());
        assert!(
            !tags.map(|tag| format!("<{tag}")).any(|tag| tag.contains(forbidden)),
            "{forbidden}"
        );
    }
    assert!(html.len() < 100_000, "{} bytes", html.len());
}

#[test]
fn names_from_a_result_are_text() {
    let bytes = include_bytes!("../../public/recorded/gpt2-small-10.7.json");
    let mut result = ResultFile::from_json(bytes).unwrap();
    result.model.name = "<img src=x> & \"others\"".into();
    let html = html(&result).unwrap();
    assert!(html.contains("&lt;img src=x&gt; &amp; &quot;others&quot;") && !html.contains("<img"));
}
