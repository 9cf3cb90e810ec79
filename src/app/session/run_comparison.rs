//! Comparison of a sentence with runs over many prompts.

use std::collections::BTreeMap;

use super::{Origin, Session, Shown};
use crate::analysis::pair::SubstitutionRequest;
use crate::app::head_names;
use crate::result::ResultFile;

impl Session {
    /// The substituted vectors to request with a question to the model at `url`: those of known runs of that model, so
    /// that they can be compared.
    pub fn substituting(&self, url: &str) -> SubstitutionRequest {
        let mut earlier_heads = BTreeMap::new();
        for run in self.runs().filter(|run| is_of(&run.result, url)) {
            if let Some(section) = run.result.substitution() {
                earlier_heads.entry(section.head).or_insert(section.earlier_head);
            }
        }
        SubstitutionRequest { earlier_heads }
    }

    /// Adds the comparison with the run of the same model about the same head to the shown sentence, if there is one.
    pub(super) fn compare_with_run(&mut self) {
        let found = self.question_state.shown().and_then(|shown| {
            let section = shown.result.substituted()?;
            let mut runs = self.runs().filter(|run| is_same_model(&run.result, &shown.result));
            let bands = runs.find_map(|run| run.result.bands(section, run.origin == Origin::Recorded));
            (section.run != bands).then_some(bands)
        });
        if let Some(bands) = found {
            self.revision += 1;
            self.question_state.compare_with(self.revision, bands);
        }
    }

    /// All complete runs: the shown one first, then the last ones, then the recorded one.
    fn runs(&self) -> impl Iterator<Item = &Shown> {
        let finished = self.finished.iter().rev().map(|(_, shown)| shown);
        let shown = self.shown.iter().filter(|shown| !shown.is_partial());
        shown.chain(finished).chain(&self.recorded)
    }
}

/// Whether `run` is of the model at `url`.
fn is_of(run: &ResultFile, url: &str) -> bool {
    let plain = |address: &str| address.trim_end_matches('/').to_owned();
    let is_gpt2 = head_names::from_literature(run).is_some() && head_names::is_gpt2_small_at(url);
    is_gpt2 || plain(&run.model.source) == plain(url)
}

/// Whether `run` and `sentence` are of the same weights with the same processing.
fn is_same_model(run: &ResultFile, sentence: &ResultFile) -> bool {
    let is_gpt2 = |result: &ResultFile| head_names::from_literature(result).is_some();
    let same = is_of(run, &sentence.model.source) || is_gpt2(run) && is_gpt2(sentence);
    same && run.processing == sentence.processing && run.config == sentence.config
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::pair::RunBands;
    use crate::names::{Head, HistogramId, SeriesId};
    use crate::worker::FromWorker;

    const GPT2: &str = "https://huggingface.co/openai-community/gpt2/resolve/main";

    fn recorded() -> ResultFile {
        let bytes = include_bytes!("../../../public/recorded/gpt2-small-10.7.json");
        ResultFile::from_json(bytes).expect("it reads")
    }

    /// The sentence of the tests as if it were about `head` of GPT-2 small, with the model at `source`.
    fn sentence(head: Head, source: &str) -> ResultFile {
        let bytes = include_bytes!("../../../tests/fixtures/tiny-sentence-2.1.json");
        let mut result = ResultFile::from_json(bytes).expect("it reads");
        let section = result.substituted_mut().expect("it was asked");
        (section.head, section.run) = (head, None);
        let section = section.clone();
        result.sections = vec![section.into()];
        result.config = recorded().config;
        source.clone_into(&mut result.model.source);
        result
    }

    fn session(recorded: ResultFile) -> Session {
        let mut session = Session::default();
        session.recorded_arrived(recorded);
        session
    }

    fn answer(session: &mut Session, result: ResultFile) -> Option<RunBands> {
        session.ask(GPT2, Default::default());
        let id = session.last_id;
        session.receive(FromWorker::Answer {
            id,
            part: Box::new(result),
        });
        session.question_state.shown()?.result.substituted()?.run.clone()
    }

    #[test]
    fn the_recorded_run_stands_beside_its_own_head_of_its_own_model() {
        let head = Head::new(10, 7);
        let mut session = session(recorded());
        assert_eq!(
            session.substituting(GPT2).earlier_heads,
            [(head, Head::new(9, 9))].into()
        );
        assert_eq!(
            session.substituting(&GPT2.replace("gpt2/", "gpt2-medium/")),
            SubstitutionRequest::default()
        );
        let found = answer(&mut session, sentence(head, GPT2)).expect("a run");
        assert_eq!((found.prompts, found.recorded), (1200, true));
        let bands = &found.bands[&HistogramId::KeysFixedScores];
        let of_io = bands[&SeriesId::WuSrc];
        assert!((of_io.mean - 10.523).abs() < 1e-3 && of_io.low < of_io.mean && of_io.mean < of_io.high);
        assert!(of_io.below.is_some() && bands[&SeriesId::WuRandom].below.is_none());
        // The notebook's name for it is W_E.
        assert!(found.bands[&HistogramId::QueriesFixedProbs].contains_key(&SeriesId::WuSrc));
        assert!(answer(&mut session, sentence(Head::new(10, 6), GPT2)).is_none());
        assert!(answer(&mut session, sentence(head, "https://example.org/other")).is_none());
        let mut raw = sentence(head, GPT2);
        raw.processing.fold_ln = false;
        assert!(answer(&mut session, raw).is_none());
    }

    #[test]
    fn a_run_that_comes_later_stands_beside_the_sentence_that_is_shown() {
        let head = Head::new(10, 7);
        let mut session = Session::default();
        assert!(answer(&mut session, sentence(head, GPT2)).is_none());
        let before = session.question_state.shown().expect("an answer").revision;
        session.recorded_arrived(recorded());
        let shown = session.question_state.shown().expect("an answer");
        assert!(shown.revision > before);
        assert!(shown.result.substituted().expect("it was asked").run.is_some());
        // The same comparison again changes nothing.
        let revision = shown.revision;
        session.show_recorded();
        assert_eq!(session.question_state.shown().expect("an answer").revision, revision);
    }
}
