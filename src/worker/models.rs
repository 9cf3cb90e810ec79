//! The model that the worker has opened, and the progress messages while it works.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use futures::future::LocalBoxFuture;
use web_time::Instant;

use super::{FromWorker, Port, work};
use crate::analysis::pair::{
    InterventionRequest, Question, QuestionCache, TargetText, ask, causal_map, go_on, intervene, without_largest,
};
use crate::analysis::{
    Analysis, BatchValues, HeadRoles, Observer, Progress, RunCache, Section, Timing, analyze_next, head_roles,
};
use crate::error::{Error, ErrorKind, Result};
use crate::forward::{ComputeResources, Model, Sampling, not_enough};
use crate::model::{Config, Processing};
use crate::names::{EngineChoice, EngineName};
use crate::prompts::Prompt;
use crate::result::ResultFile;

/// Minimum time between two progress messages in the same phase and batch.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);
/// Maximum time for which computing goes on without yielding to the event loop (checked once per block).
const YIELD_INTERVAL: Duration = Duration::from_millis(10);
/// Maximum time for which computing gives way to a download at once.
const LONGEST_YIELD: Duration = Duration::from_millis(30);

/// The model of the last run or question, which stays open.
#[derive(Default)]
pub(super) struct Models {
    open: Option<Open>,
    /// The engine chosen last.
    engine: EngineChoice,
}

/// An open model, its URL, and cached results of the last run and for the last sentence.
struct Open {
    url: String,
    model: Model,
    known: QuestionCache,
    /// What the last run has left.
    run: RunCache,
    /// The engine that the model uses.
    engine: EngineChoice,
    /// Whether a GPU has been requested since the engine was chosen.
    looked: bool,
}

impl Models {
    /// Closes the model.
    pub(super) fn forget(&mut self) {
        self.open = None;
    }

    /// Uses this engine from now on.
    pub(super) fn choose(&mut self, engine: EngineChoice) {
        self.engine = engine;
    }

    /// Runs `analysis` on the model at `url`.
    pub(super) async fn run(&mut self, port: &dyn Port, id: u32, url: &str, analysis: &Analysis) -> Result<ResultFile> {
        self.engine = analysis.engine;
        self.model(port, url, (analysis.processing, self.engine)).await?;
        let Open { model, known, run, .. } = self.for_large(port, |config| work::of_run(analysis, config)).await?;
        // Its queries and keys are of other weights, or take up room.
        *known = QuestionCache::default();
        let reporter = Reporter::new(port, id);
        let outcome = analyze_next(model, analysis, run, &reporter)
            .await
            .map(|found| ResultFile::new(model, analysis, found));
        self.ended(port, outcome)
    }

    /// Answers `question` with the model at `url`, part by part.
    pub(super) async fn answer(&mut self, port: &dyn Port, id: u32, url: &str, question: &Question) -> Result<()> {
        let Open { model, known, .. } = self.model(port, url, (Processing::default(), self.engine)).await?;
        let reporter = Reporter::new(port, id);
        let texts = model.tokenizer().special_tokens_in(&question.text);
        if !texts.is_empty() {
            port.post(FromWorker::Specials { id, texts });
        }
        let outcome = ask(model, known, question, &reporter, giving(port, id, question)).await;
        self.ended(port, outcome)
    }

    /// Applies `intervening` at the pair of `question` with the model at `url`.
    pub(super) async fn intervene(
        &mut self,
        port: &dyn Port,
        id: u32,
        url: &str,
        (question, intervening): (&Question, &InterventionRequest),
    ) -> Result<()> {
        let Open { model, known, .. } = self.model(port, url, (Processing::default(), self.engine)).await?;
        let reporter = Reporter::new(port, id);
        let asked = (question, intervening);
        let outcome = intervene(model, known, asked, &reporter, giving(port, id, question)).await;
        self.ended(port, outcome)
    }

    /// Computes the causal map of the pair of `question` with the model at `url`.
    pub(super) async fn causal_map(&mut self, port: &dyn Port, id: u32, url: &str, question: &Question) -> Result<()> {
        self.model(port, url, (Processing::default(), self.engine)).await?;
        let flop = |config: &Config| work::of_causal_map(question, config);
        let Open { model, known, .. } = self.for_large(port, flop).await?;
        let reporter = Reporter::new(port, id);
        let outcome = causal_map(model, known, question, &reporter, giving(port, id, question)).await;
        self.ended(port, outcome)
    }

    /// Ablates the head of the model at `url` with the largest direct effect on the difference of the two logits of
    /// `prompt`.
    pub(super) async fn ablate_head(&mut self, port: &dyn Port, id: u32, url: &str, prompt: &TargetText) -> Result<()> {
        let Open { model, .. } = self.model(port, url, (Processing::default(), self.engine)).await?;
        let reporter = Reporter::new(port, id);
        let outcome = without_largest(model, prompt, &reporter).await.map(|section| {
            let part = Box::new(ResultFile::of_section(model, section.into()));
            port.post(FromWorker::Answer { id, part });
        });
        self.ended(port, outcome)
    }

    /// Continues the sentence of `question` with the model at `url`: up to `count` tokens after the query position.
    pub(super) async fn go_on(
        &mut self,
        port: &dyn Port,
        id: u32,
        url: &str,
        question: &Question,
        (count, sampling): (usize, &Sampling),
    ) -> Result<String> {
        let Open { model, .. } = self.model(port, url, (Processing::default(), self.engine)).await?;
        let reporter = Reporter::new(port, id);
        let outcome = go_on(model, question, (count, sampling), &reporter).await;
        self.ended(port, outcome)
    }

    /// The roles of the heads of the model at `url`.
    pub(super) async fn name_heads(&mut self, port: &dyn Port, id: u32, url: &str) -> Result<HeadRoles> {
        let Open { model, .. } = self.model(port, url, (Processing::default(), self.engine)).await?;
        let reporter = Reporter::new(port, id);
        let outcome = head_roles(model, &reporter).await;
        self.ended(port, outcome)
    }

    /// The model at `url` with the weight processing `processing` and the chosen engine.
    async fn model(
        &mut self,
        port: &dyn Port,
        url: &str,
        (processing, engine): (Processing, EngineChoice),
    ) -> Result<&mut Open> {
        // Frees the weights of another model before those of this one are read.
        let open = match self.open.take() {
            Some(open) if open.url == url => {
                open.model.checkpoint().mark_stale();
                open
            }
            other => {
                drop(other);
                Open {
                    url: url.to_owned(),
                    model: Model::open(port.source(url)?, processing).await?,
                    known: QuestionCache::default(),
                    run: RunCache::default(),
                    engine: EngineChoice {
                        engine: Some(EngineName::Gemm),
                        threads: None,
                    },
                    looked: false,
                }
            }
        };
        let open = self.open.insert(open);
        open.model.set_processing(processing);
        if open.engine != engine {
            // Frees the blocks of the old engine first.
            open.model.set_engine(ComputeResources::default());
            open.model.set_engine(port.engine(engine).await?);
            (open.engine, open.looked) = (engine, false);
        }
        Ok(open)
    }

    /// The open model, moved to a GPU if the engine was not chosen, there is one, and the work is large enough. It stays there, since its
    /// blocks would have to be read again.
    async fn for_large(&mut self, port: &dyn Port, flop: impl FnOnce(&Config) -> f64) -> Result<&mut Open> {
        let open = self.open.as_mut();
        let open = open.ok_or_else(|| Error::new(ErrorKind::Internal, "no model is open"))?;
        if open.engine.engine.is_none() && !open.looked && flop(open.model.config()) >= port.large() {
            open.looked = true;
            look_for_gpu(port, &mut open.model).await;
        }
        Ok(open)
    }

    /// Passes on `outcome`. After a read error the model is closed, because its files may have changed; also after
    /// running out of memory, where the error gets the available memory added. Posts a notice if an engine has failed.
    fn ended<T>(&mut self, port: &dyn Port, outcome: Result<T>) -> Result<T> {
        if let Some(Open { model, .. }) = &mut self.open
            && let Some(error) = model.take_engine_failure()
        {
            port.notices().set_engine(goes_on(model, &error));
        }
        let outcome = outcome.map_err(|error| match &self.open {
            Some(open) => not_enough(open.model.config(), error),
            None => error,
        });
        if outcome.as_ref().is_err_and(|error| {
            matches!(
                error.kind,
                ErrorKind::Source
                    | ErrorKind::Missing
                    | ErrorKind::Changed
                    | ErrorKind::Checkpoint
                    | ErrorKind::Storage
                    | ErrorKind::Memory
            )
        }) {
            self.open = None;
        }
        outcome
    }
}

/// Moves `model` to a GPU where there is a hardware adapter. A GPU with wrong results is reported by name.
#[cfg(feature = "gpu")]
async fn look_for_gpu(port: &dyn Port, model: &mut Model) {
    match port.gpu().await {
        Ok(Some(gpu)) => model.set_gpu(gpu),
        Ok(None) => {}
        Err(error) => port.notices().set_engine(goes_on(model, &error)),
    }
}

#[cfg(not(feature = "gpu"))]
async fn look_for_gpu(_port: &dyn Port, _model: &mut Model) {}

/// The notice that `model` continues with another engine than the chosen one because of `error`.
fn goes_on(model: &Model, error: &Error) -> String {
    format!("The engine \"{}\" goes on: {}.", model.engine(), error.cause)
}

/// Posts what is found of `question` as parts of the answer to request `id`.
fn giving(port: &dyn Port, id: u32, question: &Question) -> impl FnMut(&Model, &Prompt, Section, Timing) {
    move |model, prompt, section, timing| {
        let part = ResultFile {
            timing: Some(timing.with(model)),
            ..ResultFile::of_sentence(model, question, prompt, section)
        };
        port.post(FromWorker::Answer {
            id,
            part: Box::new(part),
        });
    }
}

/// Posts progress messages.
struct Reporter<'a> {
    port: &'a dyn Port,
    id: u32,
    last: RefCell<Option<(Instant, Progress)>>,
    last_yield: Cell<Instant>,
    /// Bytes of weights that have arrived so far.
    bytes: Cell<u64>,
}

impl<'a> Reporter<'a> {
    fn new(port: &'a dyn Port, id: u32) -> Self {
        Self {
            port,
            id,
            last: RefCell::new(None),
            last_yield: Cell::new(Instant::now()),
            bytes: Cell::new(0),
        }
    }
}

impl Observer for Reporter<'_> {
    fn progress(&self, progress: &Progress) {
        self.bytes.set(progress.bytes_read);
        let mut last = self.last.borrow_mut();
        let due = last.as_ref().is_none_or(|(at, last)| {
            let same = last.phase == progress.phase && last.batches_done == progress.batches_done;
            let least = if same {
                PROGRESS_INTERVAL
            } else {
                PROGRESS_INTERVAL / 10
            };
            at.elapsed() >= least
        });
        if due {
            *last = Some((Instant::now(), progress.clone()));
            self.port.post(FromWorker::Progress {
                id: self.id,
                progress: progress.clone(),
            });
        }
    }

    fn batch(&self, index: usize, values: &BatchValues) {
        self.port.post(FromWorker::Batch {
            id: self.id,
            index,
            values: Box::new(values.clone()),
        });
    }

    fn yield_now(&self) -> LocalBoxFuture<'_, Result<()>> {
        Box::pin(async move {
            if self.last_yield.get().elapsed() < YIELD_INTERVAL {
                return Ok(());
            }
            let since = Instant::now();
            loop {
                let before = self.bytes.get();
                self.port.yield_now().await;
                // Downloads arrive in small portions: while there are more, they have priority.
                if self.bytes.get() == before || since.elapsed() >= LONGEST_YIELD {
                    break;
                }
            }
            self.last_yield.set(Instant::now());
            Ok(())
        })
    }
}
