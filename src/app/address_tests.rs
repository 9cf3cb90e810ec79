use rand_mt::Mt;

use super::*;

fn bundled() -> Address {
    Address {
        model: Model::Bundled,
        head: Some(Head::new(3, 1)),
        earlier_head: Some(Head::new(2, 0)),
        seed: 7,
        batches: Some(10),
        prepend_bos: true,
        appearance: Appearance::Dark,
        ..Address::default()
    }
}

#[test]
fn a_query_is_short_and_says_only_what_differs() {
    assert_eq!(Address::default().to_query(), "");
    assert_eq!(
        bundled().to_query(),
        "v=1&model=bundled&head=3.1&earlier=2.0&seed=7&batches=10&bos=1&theme=dark"
    );
    for empty in ["", "?", "v=1", "?v=1&model=recorded&seed=0&bos=0&theme=system"] {
        assert_eq!(Address::parse(empty), Ok(Address::default()), "{empty}");
    }
}

#[test]
fn texts_are_encoded() {
    let hidden = SeriesName {
        histogram: HistogramName::KeysFixedScores,
        label: "W_U[IO] & \u{e9}: 1+1=2#".into(),
    };
    let address = Address {
        model: Model::Url("https://example.org/a b?c=d&e".into()),
        revision: Some("refs/pr/3".into()),
        hidden: [hidden].into(),
        prompt: Some("When Mary & John went, <b>".into()),
        ..Address::default()
    };
    let query = address.to_query();
    assert!(query.bytes().all(|byte| byte.is_ascii_graphic()), "{query}");
    assert!(!query.contains(['<', '#', '"', ' ']), "{query}");
    assert_eq!(Address::parse(&query), Ok(address));
}

#[test]
fn keys_that_are_not_known_are_ignored() {
    assert_eq!(
        Address::parse("?utm=x&v=1&model=bundled&%ff=%00&=&&seed=3"),
        Ok(Address {
            model: Model::Bundled,
            seed: 3,
            ..Address::default()
        })
    );
}

#[test]
fn every_bad_value_is_named_with_what_is_expected() {
    let long = format!("prompt={}", "a".repeat(MAX_TEXT + 1));
    let many: String = (0..=MAX_SERIES)
        .map(|i| format!("hide=keys_fixed_scores:{i}&"))
        .collect();
    let texts = format!(
        "prompt={0}&url={0}&hide=keys_fixed_scores:{1}&show=keys_fixed_scores:{1}&stored={0}",
        "a".repeat(MAX_TEXT),
        "b".repeat(2030)
    );
    for (query, key, expected) in [
        ("v=2", "\"v\"", "1"),
        ("model=gpt3", "\"model\"", "recorded, bundled, url or stored"),
        ("model=url", "\"url\"", "one with this \"model\""),
        ("model=stored&url=x", "\"stored\"", "one with this \"model\""),
        ("model=url&url=", "\"url\"", "one line of 1 to 2048 bytes"),
        ("model=url&url=a%0Ab", "\"url\"", "one line"),
        ("revision=../main", "\"revision\"", "a branch, tag or commit"),
        ("head=10", "\"head\"", "layer.head"),
        ("head=1024.0", "\"head\"", "layer.head"),
        ("earlier=x", "\"earlier\"", "layer.head"),
        (
            "head=3.1&earlier=3.0",
            "\"earlier\"",
            "a head of a layer before that of 3.1",
        ),
        ("seed=-1", "\"seed\"", "a whole number from 0 to 4294967295"),
        ("seed=4294967296", "\"seed\"", "a whole number"),
        ("batches=0", "\"batches\"", "a whole number from 1 to 1000"),
        ("show=keys", "\"show\"", "a histogram and a label"),
        (&texts, "\"stored\"", "at most 8192 bytes"),
        ("size=1001", "\"size\"", "a whole number from 1 to 1000"),
        ("bos=true", "\"bos\"", "1 or 0"),
        ("notebook=", "\"notebook\"", "1 or 0"),
        ("theme=blue", "\"theme\"", "system, light or dark"),
        ("hide=keys", "\"hide\"", "a histogram and a label"),
        ("hide=keys:a", "\"hide\"", "a histogram and a label"),
        ("hide=keys_fixed_scores:", "\"hide\"", "one line"),
        (&many, "\"hide\"", "at most 64"),
        ("seed=1&seed=1", "\"seed\" twice", "it once"),
        (&long, "\"prompt\"", "one line of 1 to 2048 bytes"),
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
    assert!(error.expected.contains("at most 32768"), "{error}");
}

#[test]
fn a_form_takes_the_settings_over() {
    let form = bundled().form();
    assert_eq!((form.model, form.head.as_str()), (ModelChoice::Bundled, "3.1"));
    assert_eq!((form.batches.as_str(), form.batch_size.as_str()), ("10", "40"));
    assert!(form.heads_typed && form.prepend_bos);
    assert_eq!(Address::default().form(), Form::default());
    let stored = Address {
        model: Model::Stored("https://example.org/m".into()),
        ..Address::default()
    };
    let form = stored.form();
    assert_eq!(
        (form.model, form.url.as_str()),
        (ModelChoice::Url, "https://example.org/m")
    );
    assert!(!form.heads_typed);
}

/// A generator of valid addresses.
struct Random(Mt);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0.next_u32() as usize % end
    }

    fn sometimes<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.below(2) == 0).then(|| value(self))
    }

    fn text(&mut self) -> String {
        let letters: Vec<char> = "aZ09 &=+%#?;:/.\\\"'<>[]()~\u{e9}\u{4e2d}\u{1f600}\u{feff}"
            .chars()
            .collect();
        (0..1 + self.below(20))
            .map(|_| letters[self.below(letters.len())])
            .collect()
    }

    fn address(&mut self) -> Address {
        let layer = 1 + self.below(MAX_LAYER);
        let model = match self.below(4) {
            0 => Model::Recorded,
            1 => Model::Bundled,
            2 => Model::Url(self.text()),
            _ => Model::Stored(self.text()),
        };
        let series = |random: &mut Self| SeriesName {
            histogram: HistogramName::all()[random.below(4)],
            label: random.text(),
        };
        Address {
            model,
            revision: self.sometimes(|random| format!("v{}.{}", random.below(9), random.below(99))),
            head: self.sometimes(|random| Head::new(layer, random.below(MAX_HEAD + 1))),
            earlier_head: self.sometimes(|random| Head::new(random.below(layer), random.below(MAX_HEAD + 1))),
            seed: self.sometimes(|random| random.0.next_u32()).unwrap_or_default(),
            batches: self.sometimes(|random| 1 + random.below(MOST)),
            batch_size: self.sometimes(|random| 1 + random.below(MOST)),
            prepend_bos: self.below(2) == 0,
            as_in_notebook: self.below(2) == 0,
            hidden: (0..self.below(4)).map(|_| series(self)).collect(),
            shown: (0..self.below(4)).map(|_| series(self)).collect(),
            appearance: Appearance::ALL[self.below(3)],
            prompt: self.sometimes(Self::text),
        }
    }
}

#[test]
fn every_valid_address_reads_back() {
    let mut random = Random(Mt::new(3));
    for _ in 0..20_000 {
        let address = random.address();
        let query = address.to_query();
        assert_eq!(Address::parse(&query).as_ref(), Ok(&address), "{query}");
    }
}

#[test]
fn broken_queries_are_refused_or_read_back() {
    let mut random = Random(Mt::new(5));
    for _ in 0..20_000 {
        let mut query: Vec<char> = random.address().to_query().chars().collect();
        for _ in 0..=random.below(3) {
            let place = random.below(query.len() + 1);
            let letter = ['%', '&', '=', '0', '\u{e9}', '.'][random.below(6)];
            query.insert(place, letter);
        }
        let query: String = query.into_iter().collect();
        if let Ok(address) = Address::parse(&query) {
            assert_eq!(Address::parse(&address.to_query()), Ok(address), "{query}");
        }
    }
}
