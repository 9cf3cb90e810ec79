//! The native class `Model`.

use futures::executor::block_on;
use keyside::analysis::pair::{self, Question, TargetText, causal_map, head_effects, intervene};
use keyside::analysis::settings::{SETTINGS, put_heads_of_card};
use keyside::analysis::{Analysis, Section, Timing, analyze_next};
use keyside::checkpoint::{NoticeBoard, source_for};
use keyside::forward::{Sampling, continue_with, native_engine};
use keyside::model::{Config, ModelCard, Processing};
use keyside::prompts::text::{Place, TextPrompts};
use keyside::prompts::{Prompt, PromptSource};
use keyside::result::{ModelInfo, PairToRecord, Recorded, Recording, ResultFile};
use keyside::{Error, ErrorKind, Result};
use pyo3::prelude::*;
use serde::de::DeserializeOwned;

use crate::error::{internal, raised};
use crate::link::Link;
use crate::model_thread::{ModelState, ModelThread};
use crate::objects::object;
use crate::place::Given;
use crate::result::Result as Found;

/// Data that is known once the model is open.
struct About {
    info: ModelInfo,
    config: Config,
    card: Option<ModelCard>,
    processing: Processing,
}

/// A model.
#[pyclass(frozen, module = "keyside._keyside")]
pub struct Model {
    thread: ModelThread,
    about: About,
}

/// Called with the progress of a call, if it is not None.
type ProgressCallback<'py> = Option<Bound<'py, PyAny>>;

#[pymethods]
impl Model {
    /// Opens the model at `source` with a weight processing, and an engine by name.
    #[staticmethod]
    fn open(py: Python<'_>, source: String, processing: &str, engine: Option<String>) -> PyResult<Self> {
        let processing: Processing = read(py, processing)?;
        let open = move || {
            let choice = engine.as_deref().map(str::parse).transpose()?.unwrap_or_default();
            let resources = block_on(native_engine(choice))?;
            let mut model = block_on(keyside::forward::Model::open(
                source_for(&source, NoticeBoard::default())?,
                processing,
            ))?;
            model.set_engine(resources);
            Ok(model)
        };
        let describe = |model: &keyside::forward::Model| About {
            info: ModelInfo::of(model),
            config: model.config().clone(),
            card: model.checkpoint().card().cloned(),
            processing: model.processing(),
        };
        let (thread, about) = ModelThread::open(py, open, describe)?;
        Ok(Self { thread, about })
    }

    /// Name, source, dtype and notes.
    fn info<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        object(py, &self.about.info)
    }

    /// The shape.
    fn config<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        object(py, &self.about.config)
    }

    /// The card; None if there is none.
    fn card<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        object(py, &self.about.card)
    }

    /// The weight processing.
    fn processing<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        object(py, &self.about.processing)
    }

    /// The tokens of a text, and the text of each.
    fn tokens(&self, py: Python<'_>, text: String, bos: bool) -> PyResult<Vec<(u32, String)>> {
        self.thread.run(py, None, move |state, _: &Link<_>| {
            let question = question_of(text, bos);
            let tokens = question.prompt(&state.model)?.tokens;
            let tokenizer = state.model.tokenizer();
            Ok(tokens
                .into_iter()
                .map(|token| (token, tokenizer.label(token)))
                .collect())
        })
    }

    /// A run over many prompts: settings by key, and the text of own prompts unless they are drawn.
    fn analyze(
        &self,
        py: Python<'_>,
        settings: Vec<(String, String)>,
        text: Option<String>,
        progress: ProgressCallback<'_>,
    ) -> PyResult<Found> {
        let file = self.thread.run(py, progress.as_ref(), move |state, link| {
            let analysis = run_of(state, &settings, text)?;
            let ModelState { model, run, .. } = state;
            let found = block_on(analyze_next(model, &analysis, run, link))?;
            Ok(ResultFile::new(model, &analysis, found))
        })?;
        Ok(file.into())
    }

    /// Answers a question about a sentence; the question as JSON, with separate positions.
    fn ask(
        &self,
        py: Python<'_>,
        question: &str,
        dest: Given,
        src: Option<Given>,
        progress: ProgressCallback<'_>,
    ) -> PyResult<Found> {
        self.answer(py, progress, (question, dest, src), |state, question, link, give| {
            let ModelState { model, cache, .. } = state;
            block_on(pair::ask(model, cache, question, link, give))
        })
    }

    /// Applies interventions at the pair of a question.
    fn intervene(
        &self,
        py: Python<'_>,
        question: &str,
        dest: Given,
        src: Option<Given>,
        interventions: &str,
        progress: ProgressCallback<'_>,
    ) -> PyResult<Found> {
        let intervening: pair::InterventionRequest = read(py, interventions)?;
        self.answer(
            py,
            progress,
            (question, dest, src),
            move |state, question, link, give| {
                let ModelState { model, cache, .. } = state;
                block_on(intervene(model, cache, (question, &intervening), link, give))
            },
        )
    }

    /// Computes the causal map of the pair of a question.
    fn causal(
        &self,
        py: Python<'_>,
        question: &str,
        dest: Given,
        src: Option<Given>,
        progress: ProgressCallback<'_>,
    ) -> PyResult<Found> {
        self.answer(py, progress, (question, dest, src), |state, question, link, give| {
            let ModelState { model, cache, .. } = state;
            block_on(causal_map(model, cache, question, link, give))
        })
    }

    /// The most likely tokens after a position: id, text, log-probability.
    fn next(
        &self,
        py: Python<'_>,
        text: String,
        bos: bool,
        dest: Given,
        count: usize,
    ) -> PyResult<Vec<(u32, String, f32)>> {
        let dest: Place = dest.into();
        self.thread.run(py, None, move |state, link: &Link<_>| {
            let tokens = seen(state, text, bos, &dest)?;
            let found = block_on(state.model.log_probs(&[&tokens], link))?;
            let log_probs = found.into_iter().next().unwrap_or_default();
            let tokenizer = state.model.tokenizer();
            let likeliest = pair::likeliest(&log_probs, count).into_iter();
            Ok(likeliest
                .map(|(token, logprob)| (token, tokenizer.token_text(token).unwrap_or_default(), logprob))
                .collect())
        })
    }

    /// A continuation after a position: the tokens before, the new tokens, and their text.
    #[allow(clippy::too_many_arguments, reason = "each is an option of the command line's next")]
    fn go_on(
        &self,
        py: Python<'_>,
        text: String,
        bos: bool,
        dest: Given,
        count: usize,
        temperature: f64,
        top_k: Option<usize>,
        top_p: Option<f64>,
        seed: u64,
    ) -> PyResult<(Vec<u32>, Vec<u32>, String)> {
        let dest: Place = dest.into();
        let sampling = Sampling {
            temperature,
            top_k,
            top_p,
            seed,
        };
        self.thread.run(py, None, move |state, link: &Link<_>| {
            sampling.check()?;
            let tokens = seen(state, text, bos, &dest)?;
            let more = block_on(continue_with(&mut state.model, &tokens, count, &sampling, link))?;
            let text = state.model.tokenizer().text(&more);
            Ok((tokens, more, text))
        })
    }

    /// Records sentences; returns the JSON of a recording.
    #[allow(
        clippy::too_many_arguments,
        reason = "each is an option of the command line's record"
    )]
    fn record(
        &self,
        py: Python<'_>,
        texts: Vec<String>,
        bos: bool,
        pairs: Vec<(String, Given, Given)>,
        every_next: bool,
        begin: Option<String>,
        source: Option<String>,
    ) -> PyResult<String> {
        let pairs: Vec<(String, Place, Place)> = pairs
            .into_iter()
            .map(|(head, dest, src)| (head, dest.into(), src.into()))
            .collect();
        self.thread.run(py, None, move |state, link: &Link<_>| {
            let pair = |(head, dest, src): (String, Place, Place)| {
                let head = head.parse()?;
                Result::Ok(PairToRecord { head, dest, src })
            };
            let asked = Recorded {
                texts,
                prepend_bos: bos,
                pairs: pairs.into_iter().map(pair).collect::<Result<_>>()?,
                every_next,
                begin: begin.map(|head| head.parse()).transpose()?,
                source,
            };
            block_on(Recording::of(&mut state.model, &asked, link))?.to_json()
        })
    }

    /// Direct effects of heads on two tokens, as means over prompts, which are JSON.
    fn head_effects(&self, py: Python<'_>, prompts: &str, without: Option<String>) -> PyResult<Found> {
        let prompts: Vec<TargetText> = read(py, prompts)?;
        let file = self.thread.run(py, None, move |state, link: &Link<_>| {
            let without = without.map(|head| head.parse()).transpose()?;
            let section = block_on(head_effects(&mut state.model, &prompts, without, link))?;
            Ok(ResultFile::of_section(&state.model, section.into()))
        })?;
        Ok(file.into())
    }
}

/// Receives the parts of an answer.
type Give<'a> = dyn FnMut(&keyside::forward::Model, &Prompt, Section, Timing) + 'a;

/// The positions of a question, as given by the user.
struct Places {
    dest: Place,
    src: Option<Place>,
}

impl Places {
    /// Resolves the positions and sets them in `question`.
    fn put(&self, state: &ModelState, question: &mut Question) -> Result<()> {
        let find =
            |name: &str, place: &Place| place.find(name, &question.text, state.model.tokenizer(), question.prepend_bos);
        let (dest, src) = (find("dest", &self.dest)?, self.src.as_ref().map(|src| find("src", src)));
        (question.dest, question.src) = (Some(dest), src.transpose()?);
        Ok(())
    }
}

impl Model {
    /// The result made of the parts that `ask` returns for a question (as JSON, with separate positions).
    fn answer(
        &self,
        py: Python<'_>,
        progress: ProgressCallback<'_>,
        (question, dest, src): (&str, Given, Option<Given>),
        ask: impl FnOnce(&mut ModelState, &Question, &Link<ResultFile>, &mut Give<'_>) -> Result<()> + Send + 'static,
    ) -> PyResult<Found> {
        let mut question: Question = read(py, question)?;
        let places = Places {
            dest: dest.into(),
            src: src.map(Place::from),
        };
        let file = self.thread.run(py, progress.as_ref(), move |state, link| {
            // Errors in the text are reported first.
            question.prompt(&state.model)?;
            places.put(state, &mut question)?;
            let mut whole: Option<ResultFile> = None;
            let mut give = |model: &keyside::forward::Model, prompt: &Prompt, section: Section, timing: Timing| {
                let mut part = ResultFile::of_sentence(model, &question, prompt, section);
                part.timing = Some(timing);
                match &mut whole {
                    Some(whole) => whole.take(part),
                    None => whole = Some(part),
                }
            };
            ask(state, &question, link, &mut give)?;
            whole.ok_or_else(|| internal("the question was not answered"))
        })?;
        Ok(file.into())
    }
}

/// The run with `settings`, by key, on the prompts of `text` or on drawn ones.
fn run_of(state: &ModelState, settings: &[(String, String)], text: Option<String>) -> Result<Analysis> {
    let mut run = Analysis {
        processing: state.model.processing(),
        ..Analysis::default()
    };
    if let Some(text) = text {
        let own = TextPrompts {
            text,
            ..TextPrompts::default()
        };
        run.prompts = PromptSource::Text(own);
    }
    let is_given = |key: &str| settings.iter().any(|(given, _)| given == key);
    let called = |option: &str| option.replace('-', "_");
    let card = state.model.checkpoint().card();
    put_heads_of_card(
        &mut run,
        card,
        |setting| is_given(setting.key),
        |setting| called(setting.option),
    )?;
    for (key, text) in settings {
        let setting = SETTINGS.iter().find(|setting| setting.key == key);
        let setting = setting.ok_or_else(|| internal(format!("there is no setting {key}")))?;
        setting.put(&mut run, text).map_err(|error| Error {
            cause: format!("{}: {}", called(setting.option), error.cause),
            ..error
        })?;
    }
    Ok(run)
}

fn question_of(text: String, prepend_bos: bool) -> Question {
    Question {
        text,
        prepend_bos,
        ..Question::default()
    }
}

/// The tokens of `text` up to `dest`.
fn seen(state: &ModelState, text: String, bos: bool, dest: &Place) -> Result<Vec<u32>> {
    let question = question_of(text, bos);
    let mut tokens = question.prompt(&state.model)?.tokens;
    let dest = dest.find("dest", &question.text, state.model.tokenizer(), bos)?;
    tokens.truncate(dest + 1);
    Ok(tokens)
}

/// Deserializes JSON written by the Python half of the package.
fn read<T: DeserializeOwned>(py: Python<'_>, text: &str) -> PyResult<T> {
    serde_json::from_str(text).map_err(|cause| {
        let error = Error::new(ErrorKind::Request, format!("the call can't be understood ({cause})"));
        raised(py, &error.expected("arguments as in the documentation"))
    })
}
