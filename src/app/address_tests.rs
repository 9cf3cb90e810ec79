use std::collections::BTreeMap;

use rand_mt::Mt;

use super::model::MAX_URL;
use super::reader::MAX_TEXTS;
use super::*;
use crate::analysis::pair::TargetTexts;
use crate::analysis::settings::{BATCH_SIZE, BATCHES, HEAD};
use crate::app::form::ModelChoice;
use crate::checkpoint::HUB_MODELS;
use crate::error::ErrorKind;
use crate::figure::keys::{MAX_HEAD, MAX_LAYER, MAX_REPEATED};
use crate::figure::{Appearance, ComponentGroup, Effect, ListView, Measure, PatternPart, ScatterView, SentenceView};
use crate::names::{Head, HeatmapId, HistogramId, Normalization, PromptSeries, Relative, SeriesId, Side, SplitBy};
use crate::plot::{CellRange, HeatmapView, HistogramView, SeriesOrder};

fn settings<const N: usize>(settings: [(&'static str, &str); N]) -> BTreeMap<&'static str, String> {
    settings.map(|(key, text)| (key, text.to_owned())).into()
}

fn bundled() -> Address {
    Address {
        model: Model::Bundled,
        settings: settings([
            ("head", "3.1"),
            ("earlier", "2.0"),
            ("seed", "7"),
            ("batches", "12"),
            ("bos", "1"),
        ]),
        view: View {
            appearance: Appearance::Dark,
            ..View::default()
        },
        ..Address::default()
    }
}

fn hub_model(name: &str, revision: &str) -> Model {
    Model::Hub {
        name: name.into(),
        revision: revision.into(),
    }
}

/// A view with everything changed.
fn view() -> View {
    let first = HistogramView {
        toggled: ["W_U[S]", "a & b=\u{e9}#"].map(SeriesId::from).into(),
        max_bins: Some(60),
        log_counts: true,
        zoom: Some((-1.5, 2.25)),
        order: SeriesOrder::Label,
        split: Some(SplitBy::Template),
    };
    let last = HistogramView {
        zoom: Some((0.0, 0.125)),
        ..HistogramView::default()
    };
    View {
        histograms: [
            (HistogramId::KeysFixedScores, first),
            (HistogramId::QueriesFixedProbs, last),
        ]
        .into(),
        heatmap: HeatmapView {
            name: "key_split/q par k par".into(),
            as_in_notebook: true,
            zoom: Some(CellRange {
                rows: (0, 3),
                columns: (2, 12),
            }),
            pick: Some((9, 12)),
        },
        scatter: ScatterView {
            x: Some(PromptSeries::new(HistogramId::KeysFixedProbs, SeriesId::WuS)),
            ..ScatterView::default()
        },
        appearance: Appearance::Light,
        sentence: SentenceView {
            side: Side::Query,
            measure: Measure::Entropy,
            effect: Effect::Change,
            dots: HistogramId::QueriesFixedScores,
            pattern: Some(PatternPart::Whole),
            layer: true,
            causal: crate::names::Measure::LogitDifference,
            causal_side: Side::Query,
            rows: Some(ComponentGroup::Layer(9)),
            columns: Some(ComponentGroup::Embeddings),
        },
        text_hidden: true,
        prompt: Some(17),
    }
}

#[test]
fn a_query_is_short_and_says_only_what_differs() {
    assert_eq!(Address::story().to_query(), "");
    assert_eq!(Address::default().to_query(), "v=1&tab=prompts");
    assert_eq!(
        bundled().to_query(),
        "v=1&model=bundled&head=3.1&earlier=2.0&seed=7&batches=12&bos=1&theme=dark"
    );
    for empty in [
        "v=1",
        "?tab=prompts",
        "?v=1&model=recorded&seed=0&bos=0&theme=system&log1=0&order2=mean&heatmap=key&text=1",
        // The recorded run's own settings.
        "head=10.7&earlier=9.9&batches=30&size=40",
    ] {
        assert_eq!(Address::parse(empty), Ok(Address::default()), "{empty}");
    }
}

#[test]
fn everything_that_is_shown_is_in_the_query() {
    let address = Address {
        model: hub_model("gpt2-medium", "refs/pr/3"),
        view: view(),
        ..Address::default()
    };
    let query = address.to_query();
    assert_eq!(
        query,
        "v=1&model=hub:gpt2-medium@refs/pr/3&toggle1=W_U%5BS%5D&toggle1=a%20%26%20b%3D%C3%A9%23&bins1=60&log1=1\
         &zoom1=-1.5,2.25&split1=template&order1=label&zoom4=0,0.125&heatmap=key_split/q%20par%20k%20par&notebook=1&cells=0-3,2-12\
         &cell=9,12&x=keys_fixed_probs:W_U%5BS%5D&measure=entropy&pattern=whole&layer=1&side=query&rows=9&columns=embed&effect=change&dots=queries_fixed_scores&causal=logit_difference&causal_side=query&prompt=17&theme=light&text=0"
    );
    assert_eq!(Address::parse(&query), Ok(address));
}

#[test]
fn texts_are_encoded() {
    let address = Address {
        model: Model::Url("https://example.org/a b?c=d&e+f\"<".into()),
        ..Address::default()
    };
    let query = address.to_query();
    assert!(query.bytes().all(|byte| byte.is_ascii_graphic()), "{query}");
    assert!(!query.contains(['<', '#', '"', ' ', '[', '\'', '(']), "{query}");
    assert_eq!(Address::parse(&query), Ok(address));
}

#[test]
fn a_zoom_is_short_but_finer_than_a_screen() {
    let zoomed = |zoom| View {
        histograms: [(
            HistogramId::KeysFixedScores,
            HistogramView {
                zoom: Some(zoom),
                ..HistogramView::default()
            },
        )]
        .into(),
        ..View::default()
    };
    let query = |zoom| Address::of(&Form::default(), &zoomed(zoom), None, None).to_query();
    assert_eq!(query((-1.0 / 3.0, 2.0 / 3.0)), "v=1&zoom1=-0.3333333,0.6666667");
    assert_eq!(query((-0.0, 1e9)), "v=1&zoom1=0,1000000000");
    for none in [
        (1.0, 1.0),
        (2.0, 1.0),
        (0.0, f64::NAN),
        (0.0, f64::INFINITY),
        (1.0, 1.0 + 1e-12),
        (0.0, 1e-300),
    ] {
        assert_eq!(query(none), "v=1&tab=prompts", "{none:?}");
    }
}

#[test]
fn keys_that_are_not_known_are_ignored() {
    assert_eq!(
        Address::parse("?utm=x&v=1&model=bundled&%ff=%00&=&&seed=3&bins5=1&bins0=1&zoom=1&4=5&\u{e9}1=2"),
        Ok(Address {
            model: Model::Bundled,
            settings: settings([("seed", "3")]),
            ..Address::default()
        })
    );
}

#[test]
fn other_keys_can_be_kept() {
    let query = "?v=1&result=a%2Fb.json&head=3.1&utm&&bins1=3&bins9=4&%76=1";
    assert_eq!(others(query), "result=a%2Fb.json&utm&bins9=4");
    assert_eq!(others(""), "");
}

#[test]
fn every_bad_value_is_named_with_what_is_expected() {
    let long = format!("url={}", "a".repeat(MAX_URL + 1));
    let many: String = (0..=MAX_REPEATED).map(|i| format!("toggle3={i}&")).collect();
    let label = "b".repeat(101);
    for (query, key, expected) in [
        ("v=2", "\"v\"", "1"),
        ("model=gpt3", "\"model\"", "recorded, bundled, hub:NAME, url or picked"),
        ("model=hub:gpt3", "hub:gpt3", "one of distilgpt2, gpt2"),
        ("model=hub:gpt2@../x", "\"model\"", "hub:NAME@REVISION"),
        ("model=url&url=", "\"url\"", "one line of 1 to 2048 bytes"),
        ("model=url&url=a%0Ab", "\"url\"", "one line"),
        ("head=10", "\"head\"", "layer.head"),
        ("head=1024.0", "\"head\"", "layer.head"),
        ("earlier=x", "\"earlier\"", "layer.head"),
        ("head=3.1", "no model to run", "bundled, hub:NAME, url or picked"),
        ("seed=3&model=recorded", "no model to run", "\"model\""),
        (
            "model=bundled&head=3.1&earlier=3.0",
            "\"earlier\"",
            "a head of a layer before that of 3.1",
        ),
        ("seed=-1", "\"seed\"", "a whole number from 0 to 4294967295"),
        ("seed=4294967296", "\"seed\"", "a whole number"),
        ("batches=0", "\"batches\"", "a whole number from 1 to 1000"),
        ("size=1001", "\"size\"", "a whole number from 1 to 1000"),
        ("bos=true", "\"bos\"", "1 or 0"),
        ("prompts=mine", "\"prompts\"", "ioi or own"),
        ("prompts=own", "no model to run", "\"model\""),
        (
            "model=bundled&prompts=own&batches=3",
            "\"batches\"",
            "no \"prompts=own\"",
        ),
        ("model=bundled&src=3", "\"src\"", "\"prompts=own\" with it"),
        ("model=bundled&prompts=own&src=x", "\"src\"", "a position"),
        ("fold_ln=yes", "\"fold_ln\"", "1 or 0"),
        ("notebook=", "\"notebook\"", "1 or 0"),
        ("theme=blue", "\"theme\"", "system, light or dark"),
        ("text=", "\"text\"", "1 or 0"),
        ("toggle1=", "\"toggle1\"", "one line of 1 to 100 bytes"),
        (&format!("toggle2={label}"), "\"toggle2\"", "one line of 1 to 100"),
        ("bins1=0", "\"bins1\"", "a whole number from 1 to 1000"),
        ("log4=yes", "\"log4\"", "1 or 0"),
        ("zoom1=1", "\"zoom1\"", "a range of values, as in -1.5,2.25"),
        ("zoom1=2,1", "\"zoom1\"", "a range"),
        ("zoom1=0,inf", "\"zoom1\"", "a range"),
        ("zoom1=nan,1", "\"zoom1\"", "a range"),
        ("order2=up", "\"order2\"", "mean, median or label"),
        ("heatmap=", "\"heatmap\"", "one line"),
        ("cells=3-0,1-2", "\"cells\"", "rows and columns"),
        ("cells=1-2", "\"cells\"", "rows and columns"),
        ("cell=1", "\"cell\"", "a row and a column"),
        ("cell=1,99999", "\"cell\"", "a row and a column"),
        ("prompt=1000000", "\"prompt\"", "a whole number from 0 to 999999"),
        ("prompt=When+Mary", "\"prompt\"", "a whole number"),
        (&many, "\"toggle3\"", "at most 64"),
        ("seed=1&seed=1", "\"seed\" twice", "it once"),
        ("zoom2=0,1&zoom2=0,1", "\"zoom2\" twice", "it once"),
        (&long, "\"url\"", "one line of 1 to 2048 bytes"),
    ] {
        let error = Address::parse(query).expect_err(query);
        assert_eq!(error.kind, ErrorKind::Request);
        assert!(error.cause.contains(key), "{query}: {error}");
        assert!(error.expected.contains(expected), "{query}: {error}");
        assert!(
            error.advice.contains("address") && error.to_string().len() < 400,
            "{error}"
        );
    }
    let error = Address::parse(&"x".repeat(MAX_QUERY + 1)).expect_err("too long");
    assert!(error.expected.contains("at most 49152"), "{error}");
    let long = format!("model={}", "x".repeat(MAX_TEXTS + 1));
    let error = Address::parse(&long).expect_err("too much text");
    assert!(error.expected.contains("at most 12288 bytes"), "{error}");
}

#[test]
fn a_form_takes_the_settings_over() {
    let form = bundled().form();
    assert_eq!((form.model, form.text(&HEAD)), (ModelChoice::Bundled, "3.1"));
    assert_eq!((form.text(&BATCHES), form.text(&BATCH_SIZE)), ("12", "40"));
    assert!(form.heads_typed);
    assert_eq!(Address::default().form(), Form::default());
    let form = Address::parse("model=hub:gpt2-xl@main").map(|address| address.form());
    let form = form.expect("it reads");
    assert_eq!(
        (form.model, form.hub.as_str(), form.revision.as_str(), form.heads_typed),
        (ModelChoice::Hub, "gpt2-xl", "main", false)
    );
}

#[test]
fn what_a_link_cannot_hold_is_left_out() {
    let typed = |form: Form, texts: &[(&str, &str)]| {
        let mut form = form;
        for (key, text) in texts {
            let setting = SETTINGS.iter().find(|setting| setting.key == *key);
            form.set(setting.expect("a key"), *text);
        }
        Address::of(&form, &View::default(), None, None).to_query()
    };
    let form = Form {
        model: ModelChoice::Picked,
        picked: "picked:1/my model".into(),
        heads_typed: true,
        ..Form::default()
    };
    let texts = [("head", "1x"), ("earlier", "0.1"), ("seed", "many"), ("batches", "0")];
    assert_eq!(typed(form, &texts), "v=1&model=picked&earlier=0.1");
    let form = Form {
        model: ModelChoice::Hub,
        hub: "gpt2".into(),
        revision: "../..".into(),
        ..Form::default()
    };
    assert_eq!(
        typed(form, &[("head", "3.1"), ("earlier", "3.0")]),
        "v=1&model=hub:gpt2&head=3.1"
    );
    let mut odd = view();
    odd.prompt = Some(usize::MAX);
    odd.heatmap.pick = Some((usize::MAX, 0));
    odd.heatmap.zoom = Some(CellRange {
        rows: (3, 1),
        columns: (0, 0),
    });
    odd.update_histogram(HistogramId::KeysFixedScores, |view| {
        view.toggled = (0..100)
            .map(|i| format!("{i}"))
            .chain(["a\nb".into(), "c".repeat(101)])
            .map(SeriesId::from)
            .collect();
        view.max_bins = Some(0);
    });
    let address = Address::of(&Form::default(), &odd, None, None);
    assert_eq!(Address::parse(&address.to_query()), Ok(address));
}

#[test]
fn own_prompts_stand_after_the_hash_alone() {
    let text = "When [[Mary]] & J\u{e9}an=x#y\nAnd [[to]] 100 %";
    let mut form = Form {
        prompts: PromptChoice::Own,
        own: text.into(),
        ..Form::default()
    };
    form.choose(ModelChoice::Bundled);
    let address = Address::of(&form, &View::default(), None, None);
    assert_eq!(address.to_query(), "v=1&model=bundled&prompts=own");
    let fragment = address.to_fragment().expect("they are short");
    assert!(fragment.starts_with("prompts=When%20%5B%5BMary"), "{fragment}");
    let read = Address::read("?v=1&model=bundled&prompts=own", &format!("#{fragment}"));
    assert_eq!(read.as_ref(), Ok(&address));
    assert_eq!(read.map(|read| read.form().own).as_deref(), Ok(text));
    // Other fragments are anchors in the page; prompts in the fragment are ignored unless the query asks for them.
    let without = Address::read("?v=1&model=bundled&prompts=own", "#results").expect("it reads");
    assert_eq!((without.prompts, is_typed("#results")), (Prompts::Own(None), false));
    assert_eq!(Address::read("", &fragment), Ok(Address::story()));
    form.own = "\u{e9}".repeat(MAX_PROMPTS + 1);
    assert_eq!(Address::of(&form, &View::default(), None, None).to_fragment(), None);
    form.own.pop();
    let longest = Address::of(&form, &View::default(), None, None);
    let fragment = longest.to_fragment().expect("it just fits");
    assert_eq!(Address::read(&longest.to_query(), &fragment), Ok(longest));
    let error = Address::read("prompts=own&model=bundled", &format!("{fragment}x")).expect_err("one more");
    assert!(error.cause.contains("1501 characters of prompts"), "{error}");
}

#[test]
fn steps_are_models_heatmaps_and_what_follows_a_run() {
    let typed = |head: &str| {
        let mut address = bundled();
        address.settings.insert(HEAD.key, head.to_owned());
        address
    };
    let (here, next) = (typed("3.1"), typed("3.2"));
    assert!(!here.is_step(&next, false) && here.is_step(&next, true));
    assert!(Address::default().is_step(&here, false));
    let url = |url: &str| Address {
        model: Model::Url(url.into()),
        ..Address::default()
    };
    assert!(!url("https://a").is_step(&url("https://ab"), false));
    let shown = |change: fn(&mut View)| {
        let mut address = bundled();
        change(&mut address.view);
        address
    };
    assert!(!here.is_step(&shown(|view| view.text_hidden = true), true));
    assert!(!here.is_step(&shown(|view| view.prompt = Some(3)), true));
    assert!(here.is_step(&shown(|view| view.heatmap.name = "query".into()), false));
    let hub = |name: &str, revision: &str| Address {
        model: hub_model(name, revision),
        ..Address::default()
    };
    assert!(hub("gpt2", "").is_step(&hub("distilgpt2", ""), false));
    assert!(!hub("gpt2", "m").is_step(&hub("gpt2", "ma"), false));
}

/// Generates random addresses and user input.
struct Random(Mt);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0.next_u32() as usize % end
    }

    fn sometimes<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.below(2) == 0).then(|| value(self))
    }

    fn text(&mut self) -> String {
        let letters: Vec<char> = "aZ09 &=+%#?;:/.\\\"'<>[]()~\u{e9}\u{4e2d}\u{1f600}\u{feff}\n"
            .chars()
            .collect();
        (0..self.below(20))
            .map(|_| letters[self.below(letters.len())])
            .collect()
    }

    fn typed(&mut self, most: usize) -> String {
        match self.below(6) {
            0 => self.text(),
            1 => format!(" {}", self.below(most)),
            _ => self.below(most).to_string(),
        }
    }

    fn head(&mut self) -> String {
        match self.below(6) {
            0 => self.text(),
            _ => format!("{}.{}", self.below(MAX_LAYER + 2), self.below(MAX_HEAD + 2)),
        }
    }

    fn form(&mut self) -> Form {
        let mut form = Form {
            model: ModelChoice::ALL[self.below(5)],
            url: format!("https://{}", self.text()),
            hub: HUB_MODELS[self.below(HUB_MODELS.len())].name.into(),
            revision: self.sometimes(Self::text).unwrap_or_default(),
            picked: self.sometimes(Self::text).unwrap_or_default(),
            prompts: PromptChoice::ALL[self.below(2)],
            own: self.sometimes(Self::text).unwrap_or_default(),
            heads_typed: self.below(2) == 0,
            ..Form::default()
        };
        for setting in SETTINGS {
            let typed = match setting.group {
                Group::Heads => self.head(),
                Group::Ioi => self.typed(2000),
                Group::Prompts | Group::Text => {
                    let most = [2, usize::MAX >> 30][self.below(2)];
                    self.typed(most)
                }
                Group::Intervention => match self.below(3) {
                    0 => self.text(),
                    1 => "query from W_U[IO]".to_owned(),
                    _ => "z of 9.9 zero everywhere".to_owned(),
                },
                Group::Vectors | Group::More | Group::Weights => self.typed(2),
                Group::Engine => ["auto", "relaxed on 2", "packed", "fast"][self.below(4)].to_owned(),
            };
            form.set(setting, typed);
        }
        form
    }

    fn value(&mut self) -> f64 {
        match self.below(8) {
            0 => f64::NAN,
            1 => 0.0,
            2 => -1e300,
            _ => f64::from(self.0.next_u32() as i32) / [1.0, 3.0, 1e4, 1e9, 1e12][self.below(5)],
        }
    }

    fn histogram(&mut self) -> HistogramView {
        HistogramView {
            toggled: (0..self.below(30)).map(|_| self.text().into()).collect(),
            max_bins: self.sometimes(|random| random.below(1200)),
            log_counts: self.below(2) == 0,
            zoom: self.sometimes(|random| (random.value(), random.value())),
            order: SeriesOrder::ALL[self.below(3)],
            split: self.sometimes(|random| SplitBy::ALL[random.below(3)]),
        }
    }

    fn view(&mut self) -> View {
        let mut view = View {
            appearance: Appearance::ALL[self.below(3)],
            text_hidden: self.below(2) == 0,
            prompt: self.sometimes(|random| random.below(1_100_000)),
            ..View::default()
        };
        for name in HistogramId::ALL {
            if let Some(histogram) = self.sometimes(Self::histogram) {
                view.histograms.insert(name, histogram);
            }
        }
        let range = |random: &mut Self| (random.below(1300), random.below(70_000));
        view.heatmap = HeatmapView {
            name: self.sometimes(Self::text).map_or(HeatmapId::KEY, HeatmapId::from),
            as_in_notebook: self.below(2) == 0,
            zoom: self.sometimes(|random| CellRange {
                rows: (random.below(12), random.below(12)),
                columns: range(random),
            }),
            pick: self.sometimes(range),
        };
        view.scatter = ScatterView {
            x: self.sometimes(Self::series),
            y: self.sometimes(Self::series),
            list: ListView {
                sort: self.sometimes(Self::series),
                descending: self.below(2) == 0,
                text: self.sometimes(Self::text).unwrap_or_default(),
                bounded_series: self.sometimes(Self::series),
                least: self.sometimes(Self::value),
                most: self.sometimes(Self::value),
                group: self.sometimes(|random| (SplitBy::ALL[random.below(3)], random.below(70_000))),
            },
        };
        view
    }

    fn series(&mut self) -> PromptSeries {
        PromptSeries::new(HistogramId::ALL[self.below(4)], self.text().into())
    }

    fn address(&mut self) -> Address {
        Address::of(&self.form(), &self.view(), None, None)
    }
}

#[test]
fn whatever_is_typed_and_shown_the_address_reads_back() {
    let mut random = Random(Mt::new(3));
    for _ in 0..20_000 {
        let address = random.address();
        let query = address.to_query();
        assert!(query.len() <= MAX_QUERY && query.is_ascii());
        let fragment = address.to_fragment().unwrap_or_default();
        assert!(fragment.is_ascii());
        assert_eq!(
            Address::read(&query, &fragment).as_ref(),
            Ok(&address),
            "{query}#{fragment}"
        );
    }
}

#[test]
fn the_form_of_an_address_stands_for_it() {
    let mut random = Random(Mt::new(4));
    let mut with_head = 0;
    for _ in 0..20_000 {
        let address = random.address();
        let again = Address::of(&address.form(), &address.view, address.question.as_ref(), address.step);
        // If one head is given, the form has both; an earlier head that is not before the other is dropped.
        let settled = Address::of(&again.form(), &again.view, again.question.as_ref(), again.step);
        assert_eq!(
            Address::of(&settled.form(), &settled.view, settled.question.as_ref(), settled.step),
            settled,
            "{}",
            address.to_query()
        );
        let without_heads = |address: &Address| {
            let mut address = address.clone();
            address.settings.remove(HEAD.key);
            address.settings.remove(EARLIER_HEAD.key);
            address
        };
        assert_eq!(without_heads(&again), without_heads(&address));
        if let Some(head) = address.settings.get(HEAD.key) {
            assert_eq!(again.settings.get(HEAD.key), Some(head));
            with_head += 1;
        }
        assert_eq!(again.view, address.view);
    }
    assert!(with_head > 5_000, "{with_head} addresses with a head");
}

#[test]
fn broken_queries_are_refused_or_read_back() {
    let mut random = Random(Mt::new(5));
    let (mut read, mut refused) = (0, 0);
    for _ in 0..20_000 {
        let mut query: Vec<char> = random.address().to_query().chars().collect();
        for _ in 0..=random.below(3) {
            let place = random.below(query.len() + 1);
            let letter = ['%', '&', '=', '0', '\u{e9}', '.', '-', ','][random.below(8)];
            query.insert(place, letter);
        }
        let query: String = query.into_iter().collect();
        match Address::parse(&query) {
            Ok(address) => {
                let again = Address::read(&address.to_query(), &address.to_fragment().unwrap_or_default());
                assert_eq!(again, Ok(address), "{query}");
                read += 1;
            }
            Err(error) => {
                assert_eq!(error.kind, ErrorKind::Request, "{query}");
                refused += 1;
            }
        }
    }
    assert!(read > 1_000 && refused > 1_000, "{read} read, {refused} refused");
}

#[test]
fn a_sentence_is_in_the_fragment_and_what_is_asked_of_it_in_the_query() {
    let question = Question {
        text: "When Mary & John\nwent".into(),
        prepend_bos: true,
        dest: Some(5),
        src: Some(2),
        head: Some(Head::new(1, 3)),
        relative: Some(Relative::Position(1)),
        special_as_text: true,
        normalization: Normalization::LayerNorm,
        ..Question::default()
    };
    let mut form = Form::default();
    form.choose(ModelChoice::Bundled);
    let address = Address::of(&form, &View::default(), Some(&question), None);
    let (query, fragment) = (address.to_query(), address.to_fragment().unwrap());
    assert_eq!(
        query,
        "v=1&model=bundled&tab=sentence&head=1.3&query=5&key=2&minus=1&special=text&bos=1&exact_ln=1"
    );
    assert!(
        !query.contains("Mary") && fragment.starts_with("text=When%20Mary%20%26"),
        "{fragment}"
    );
    assert_eq!(Address::read(&query, &format!("#{fragment}")), Ok(address.clone()));
    assert_eq!(
        Address::of(&address.form(), &address.view, address.question.as_ref(), address.step),
        address
    );
    // Settings of a run do not belong there, and a long sentence does not fit.
    let read = Address::parse("tab=sentence&model=bundled&seed=7&earlier=0.1").unwrap();
    assert_eq!(read, Address::parse("model=bundled&tab=sentence").unwrap());
    let long = Question {
        text: "a".repeat(MAX_PROMPTS + 1),
        ..Question::default()
    };
    assert_eq!(
        Address::of(&form, &View::default(), Some(&long), None).to_fragment(),
        None
    );
    let error = Address::read("tab=sentence", &format!("#text={}", long.text)).unwrap_err();
    assert!(error.cause.contains("1501 characters"), "{error}");
    for query in [
        "tab=x",
        "tab=sentence&query=-1",
        "tab=sentence&key=1.5",
        "tab=sentence&minus=some",
        "tab=sentence&special=1",
        "rows=bias",
        "columns=09",
    ] {
        assert_eq!(Address::parse(query).unwrap_err().kind, ErrorKind::Request, "{query}");
    }
}

#[test]
fn what_is_open_below_a_sentence_is_in_the_query_and_what_was_typed_there_is_not() {
    let question = Question {
        text: "When Mary went".into(),
        target_texts: TargetTexts {
            a: Some(" Mary & John".into()),
            b: None,
        },
        effects: true,
        directions: true,
        direction: Some(3),
        ..Question::default()
    };
    let mut form = Form::default();
    form.choose(ModelChoice::Bundled);
    let address = Address::of(&form, &View::default(), Some(&question), None);
    let (query, fragment) = (address.to_query(), address.to_fragment().unwrap());
    assert_eq!(
        query,
        "v=1&model=bundled&tab=sentence&so_what=effects,directions&direction=3"
    );
    assert_eq!(fragment, "text=When%20Mary%20went&a=%20Mary%20%26%20John");
    assert_eq!(Address::read(&query, &fragment), Ok(address.clone()));
    assert_eq!(address.question, Some(question.clone()));
    // Without a sentence, nothing about it is kept; neither are targets that cannot be tokens.
    let read = Address::read(&query, "#a=Mary").unwrap().question.unwrap();
    assert!(read.target_texts.is_empty() && read.effects && read.directions && !read.lens && !read.writes);
    let long = Question {
        target_texts: TargetTexts {
            a: Some(String::new()),
            b: Some("x".repeat(101)),
        },
        ..question
    };
    let address = Address::of(&form, &View::default(), Some(&long), None);
    assert_eq!(address.to_fragment().unwrap(), "text=When%20Mary%20went");
    for wrong in ["so_what=", "so_what=effects,more", "direction=-1", "direction=1.0"] {
        let error = Address::parse(&format!("tab=sentence&{wrong}")).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Request, "{wrong}");
    }
}

#[test]
fn an_address_without_a_query_is_the_beginning_of_the_story() {
    for empty in ["", "?", "utm=x", "?%ff=1"] {
        assert_eq!(Address::parse(empty), Ok(Address::story()), "{empty}");
        assert_eq!(Address::parse(empty).unwrap().tab(), Tab::Story);
    }
    // All old links open "Many prompts".
    for old in ["v=1", "v=1&theme=dark", "text=0", "heatmap=query", "prompt=3"] {
        assert_eq!(Address::parse(old).unwrap().tab(), Tab::Prompts, "{old}");
    }
    let dark = Address::parse("theme=dark").unwrap();
    assert_eq!((dark.tab(), dark.view.appearance), (Tab::Story, Appearance::Dark));
    assert_eq!(dark.to_query(), "v=1&tab=story&theme=dark");
    assert_eq!(Address::parse(&dark.to_query()), Ok(dark));
}

#[test]
fn a_step_of_the_story_is_in_the_query_and_stays_with_the_sentence_it_was_left_for() {
    let form = Form::default();
    for step in StoryStep::ALL {
        let story = Address::of(&form, &View::default(), None, Some(step));
        assert_eq!(Address::parse(&story.to_query()), Ok(story.clone()));
        let question = Question {
            head: Some(Head::new(10, 7)),
            ..Question::default()
        };
        let left = Address::of(&form, &View::default(), Some(&question), Some(step));
        assert_eq!(Address::parse(&left.to_query()), Ok(left.clone()));
        assert_eq!((story.tab(), left.tab()), (Tab::Story, Tab::Sentence));
        assert!(story.is_step(&left, false));
    }
    let query = Address::of(&form, &View::default(), None, Some(StoryStep::Key)).to_query();
    assert_eq!(query, "v=1&tab=story&step=says");
    // The story is about recorded numbers: its link names no model.
    let mut bundled = Form::default();
    bundled.choose(ModelChoice::Bundled);
    assert_eq!(
        Address::of(&bundled, &View::default(), None, Some(StoryStep::Key)).to_query(),
        query
    );
    for wrong in ["tab=story&step=2", "step=other", "tab=stories"] {
        let error = Address::parse(wrong).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Request, "{error}");
    }
}

#[test]
fn several_sentences_are_in_the_fragment_as_far_as_they_fit() {
    let question = Question {
        text: "When Ann & Bo".into(),
        ..Question::default()
    };
    let mut form = Form::default();
    form.choose(ModelChoice::Bundled);
    let plain = Address::of(&form, &View::default(), Some(&question), None);
    let lines = ["When Ann & Bo", "", "A second line"].map(str::to_owned);
    let address = plain.clone().with_lines(&lines);
    let fragment = address.to_fragment().unwrap();
    assert!(
        fragment.ends_with("&lines=When%20Ann%20%26%20Bo%0A%0AA%20second%20line"),
        "{fragment}"
    );
    assert!(!address.to_query().contains("second"));
    assert_eq!(Address::read(&address.to_query(), &fragment), Ok(address.clone()));
    assert!(!plain.is_step(&address, true));
    // A single sentence, a list without the current one, and one that is too long: only the current sentence is kept.
    let long = [question.text.clone(), "a".repeat(MAX_PROMPTS)];
    for left_out in [&lines[..1], &lines[1..], &long[..]] {
        assert_eq!(plain.clone().with_lines(left_out), plain);
    }
    let read = Address::read(&plain.to_query(), "#text=When&lines=other%0Alines").unwrap();
    assert_eq!((read.lines.len(), read.question.unwrap().text.as_str()), (0, "When"));
}

#[test]
fn what_prompts_contain_is_in_the_fragment_alone() {
    let mut view = View::default();
    view.scatter.list.text = "Mary & John".into();
    view.scatter.list.least = Some(-0.5);
    let address = Address::of(&Form::default(), &view, None, None);
    let (query, fragment) = (address.to_query(), address.to_fragment().unwrap());
    assert!(query.contains("least=-0.5") && !query.contains("Mary"), "{query}");
    assert_eq!(fragment, "find=Mary%20%26%20John");
    assert!(is_typed(&fragment));
    assert_eq!(Address::read(&query, &format!("#{fragment}")), Ok(address));
    // The key is only valid together with the list.
    let question = Question {
        text: "A sentence".into(),
        ..Question::default()
    };
    let address = Address::of(&Form::default(), &view, Some(&question), None);
    assert!(!address.to_fragment().unwrap().contains("find"));
    let long = format!("find={}", "x".repeat(101));
    assert!(Address::read("tab=prompts", &long).is_err());
}
