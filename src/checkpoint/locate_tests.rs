use super::*;

fn url(text: &str) -> Option<String> {
    model_url(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn whatever_people_paste_means_the_folder() {
    let main = "https://huggingface.co/someone/own-gpt2/resolve/main";
    for text in [
        "someone/own-gpt2",
        "hub:someone/own-gpt2",
        "hf://someone/own-gpt2",
        "huggingface.co/someone/own-gpt2",
        "hf.co/someone/own-gpt2",
        "https://huggingface.co/someone/own-gpt2",
        "HTTPS://HuggingFace.co/someone/own-gpt2/",
        "http://www.huggingface.co/someone/own-gpt2#files",
        "https://huggingface.co/someone/own-gpt2/tree/main",
        "https://huggingface.co/someone/own-gpt2/tree/main/",
        "https://huggingface.co/someone/own-gpt2/blob/main/model.safetensors",
        "https://huggingface.co/someone/own-gpt2/resolve/main/model.safetensors?download=true",
        "https://huggingface.co/someone/own-gpt2/raw/main/config.json",
        "https://huggingface.co/someone/own-gpt2/resolve/main",
        "https://huggingface.co/someone/own-gpt2/discussions/3",
        "https://huggingface.co/someone/own-gpt2?library=transformers",
        "https://huggingface.co/api/models/someone/own-gpt2",
        " hf.co/someone/own-gpt2 \n",
    ] {
        assert_eq!(url(text).as_deref(), Some(main), "{text}");
    }
    for (text, expected) in [
        (
            "https://hf.co/someone/own-gpt2/tree/v2/fine/step-100",
            "https://huggingface.co/someone/own-gpt2/resolve/v2/fine/step-100",
        ),
        (
            "hf.co/a/b/blob/refs%2Fpr%2F1/config.json",
            "https://huggingface.co/a/b/resolve/refs/pr/1",
        ),
        ("a/b@v2", "https://huggingface.co/a/b/resolve/v2"),
        ("HTTPS://Example.ORG/Models/GPT2/", "https://example.org/Models/GPT2"),
        ("example.org/gpt2", "https://example.org/gpt2"),
        (
            "https://example.org/gpt2/model.safetensors?download=true",
            "https://example.org/gpt2",
        ),
        ("https://example.org/gpt2/config.json", "https://example.org/gpt2"),
        ("https://example.org/gpt2?token=a", "https://example.org/gpt2?token=a"),
        ("localhost:8000/gpt2", "http://localhost:8000/gpt2"),
        ("127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("[::1]:8000/gpt2", "http://[::1]:8000/gpt2"),
    ] {
        assert_eq!(url(text).as_deref(), Some(expected), "{text}");
    }
    let known = hub_url("gpt2", "").expect("a known name");
    for text in [
        "gpt2",
        "openai-community/gpt2",
        "OpenAI-Community/GPT2",
        "https://huggingface.co/gpt2",
        "https://huggingface.co/openai-community/gpt2",
    ] {
        assert_eq!(url(text).as_ref(), Some(&known), "{text}");
    }
    for text in [
        "./someone/gpt2",
        "/someone/gpt2",
        "../x",
        "~/gpt2",
        "C:\\gpt2",
        "nonsense",
        "a/b/c",
        "not a url",
        "",
        "ftp://example.org",
    ] {
        assert_eq!(url(text), None, "{text}");
    }
    for text in [
        "https://huggingface.co",
        "hf.co/datasets/a/b",
        "https://huggingface.co/spaces/a/b",
        "huggingface.co/docs/x",
    ] {
        assert!(
            model_url(text)
                .expect_err(text)
                .cause
                .contains("not the address of a model")
        );
    }
}

#[cfg(feature = "cli")]
#[test]
fn a_path_that_is_not_there_is_no_name_on_the_hub() {
    let model_place = |text: &str| model_place(text, |folder| folder == "runs");
    for text in ["runs/gpt2", "models/gpt2", "datasets/a"] {
        let error = model_place(text).expect_err(text);
        assert_eq!(error.cause, format!("there is no folder {text}"));
        assert!(error.advice.contains(&format!("hub:{text}.")), "{error}");
    }
    for text in ["someone/own-gpt2", "gpt2", "someone/own-gpt2@v2"] {
        assert!(matches!(model_place(text), Ok(ModelPlace::Name(_))), "{text}");
    }
    for text in [
        "hub:runs/gpt2",
        "https://hf.co/runs/gpt2",
        "hf.co/runs/gpt2",
        "localhost:8000/gpt2",
    ] {
        assert!(matches!(model_place(text), Ok(ModelPlace::Address(_))), "{text}");
    }
    for text in ["./runs/gpt2", "runs/a/b", "example.org/gpt2", "nonsense", "runs/gpt2/"] {
        assert_eq!(model_place(text), Ok(ModelPlace::Folder), "{text}");
    }
}

#[test]
fn models_have_names_for_people() {
    for (location, name) in [
        (
            "https://huggingface.co/someone/own-gpt2/resolve/main",
            "someone/own-gpt2",
        ),
        (
            "https://huggingface.co/someone/own-gpt2/resolve/v2",
            "someone/own-gpt2@v2",
        ),
        (
            "https://mirror.example/someone/own-gpt2/resolve/main",
            "someone/own-gpt2",
        ),
        ("https://example.org/models/mine/", "mine"),
        (
            "/home/me/.cache/huggingface/hub/models--someone--own-gpt2/snapshots/607a30d7",
            "someone/own-gpt2",
        ),
        ("/home/me/gpt2", "gpt2"),
        ("memory", "memory"),
    ] {
        assert_eq!(model_name(location), name);
    }
    assert_eq!(model_name(&hub_url("gpt2", "").expect("known")), "gpt2");
}
