//! Sweeps: a plan whose shards can be computed in any process, and its folder.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use futures::executor::block_on;
use keyside::checkpoint::{FileSource, NoticeBoard, Source, source_for};
use keyside::sweep::{Folder, HeadPattern, Kind, PreparedSweep, Shard, SweepRequest};
use keyside::{Error, ErrorKind, Result};
use pyo3::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::{internal, raised};
use crate::link::Link;
use crate::model_thread::{ModelState, ModelThread, aside};

/// The data that another process needs to compute shards.
#[derive(Serialize, Deserialize)]
struct Task {
    planned: PreparedSweep,
    /// The folder that relative paths refer to: the working directory of the process that started the sweep.
    base: PathBuf,
}

impl Task {
    fn source(&self, name: &str) -> Result<Box<dyn Source>> {
        let there = self.base.join(name);
        match there.exists() {
            true => Ok(Box::new(FileSource::new(there))),
            false => source_for(name, NoticeBoard::default()),
        }
    }
}

/// The plan of a sweep, and the open model of the last shard.
#[pyclass(frozen, module = "keyside._keyside")]
pub struct Sweep {
    task: Arc<Task>,
    open: Mutex<Option<(usize, Arc<ModelThread>)>>,
}

impl From<Task> for Sweep {
    fn from(task: Task) -> Self {
        Self {
            task: Arc::new(task),
            open: Mutex::default(),
        }
    }
}

#[pymethods]
impl Sweep {
    /// Plans a sweep: reads prompts and configurations, and checks them.
    #[staticmethod]
    #[allow(clippy::too_many_arguments, reason = "each is an option of the command line's sweep")]
    fn plan(
        py: Python<'_>,
        models: Vec<String>,
        revisions: Vec<String>,
        heads: Vec<String>,
        prompts: Vec<String>,
        seeds: String,
        batches: usize,
        batch_size: usize,
        bos: bool,
        per_prompt: bool,
        engine: String,
    ) -> PyResult<Self> {
        let plan = move || {
            let base = std::env::current_dir().map_err(|cause| {
                Error::new(
                    ErrorKind::Source,
                    format!("the working folder can't be found ({cause})"),
                )
            })?;
            let heads: Result<Vec<HeadPattern>> = heads.iter().map(|heads| heads.parse()).collect();
            let asked = SweepRequest {
                models,
                revisions,
                heads: heads?,
                prompts,
                seeds,
                batches,
                batch_size,
                prepend_bos: bos,
                rows: if per_prompt { Kind::Prompts } else { Kind::Sets },
                engine: engine.parse()?,
            };
            let source = |name: &str| source_for(name, NoticeBoard::default());
            let planned = block_on(asked.plan(&source))?;
            Ok(Task { planned, base })
        };
        aside(py, plan).map(Self::from)
    }

    /// The sweep described by `task`.
    #[staticmethod]
    fn of_task(py: Python<'_>, task: &str) -> PyResult<Self> {
        let task: std::result::Result<Task, _> = serde_json::from_str(task);
        let task = task.map_err(|cause| raised(py, &internal(format!("a sweep can't be read ({cause})"))))?;
        Ok(task.into())
    }

    /// The data that another process needs to compute shards, as JSON.
    fn task(&self, py: Python<'_>) -> PyResult<String> {
        let task = serde_json::to_string(&*self.task);
        task.map_err(|cause| raised(py, &internal(format!("a sweep can't be written ({cause})"))))
    }

    /// Number of its shards.
    fn count(&self) -> usize {
        self.task.planned.sweep.shards().len()
    }

    /// Computes a shard: its rows, a line of JSON each, and its times.
    fn rows(&self, py: Python<'_>, shard: usize, progress: Option<Bound<'_, PyAny>>) -> PyResult<(String, String)> {
        let shard = self.shard(py, shard)?;
        let thread = self.thread(py, shard)?;
        let task = self.task.clone();
        thread.run(py, progress.as_ref(), move |state: &mut ModelState, link: &Link<_>| {
            let (rows, finished) = block_on(task.planned.rows(&shard, &mut state.model, link))?;
            let finished = serde_json::to_string(&finished);
            Ok((rows, finished.map_err(|cause| internal(cause.to_string()))?))
        })
    }
}

impl Sweep {
    fn shard(&self, py: Python<'_>, index: usize) -> PyResult<Shard> {
        let shard = self.task.planned.sweep.shards().get(index).copied();
        shard.ok_or_else(|| raised(py, &internal(format!("there is no shard {index}"))))
    }

    /// The thread with the model of `shard`. Another model is closed first: only one fits in memory.
    fn thread(&self, py: Python<'_>, shard: Shard) -> PyResult<Arc<ModelThread>> {
        // Locked only briefly, because a thread that waits for it may hold the interpreter's lock.
        let open = || self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((model, thread)) = open().as_ref()
            && *model == shard.model
        {
            return Ok(thread.clone());
        }
        drop(open().take());
        let task = self.task.clone();
        let open_model = move || block_on(task.planned.open(&shard, &|name| task.source(name)));
        let (thread, ()) = ModelThread::open(py, open_model, |_| ())?;
        Ok(open().insert((shard.model, Arc::new(thread))).1.clone())
    }
}

/// The folder of a sweep, locked until it is closed.
#[pyclass(frozen, module = "keyside._keyside")]
pub struct SweepFolder {
    folder: Mutex<Option<Folder>>,
    shards: Vec<Shard>,
}

#[pymethods]
impl SweepFolder {
    /// Opens the folder at `path`: creates it, or resumes the same sweep.
    #[staticmethod]
    fn open(py: Python<'_>, path: PathBuf, sweep: &Sweep) -> PyResult<Self> {
        let swept = &sweep.task.planned.sweep;
        let folder = py.detach(|| Folder::open(&path, swept));
        Ok(Self {
            folder: Mutex::new(Some(folder.map_err(|error| raised(py, &error))?)),
            shards: swept.shards(),
        })
    }

    /// The shards that are not finished.
    fn missing(&self, py: Python<'_>) -> PyResult<Vec<usize>> {
        let missing = self.with(py, |folder| Ok(folder.missing()))?;
        Ok(missing.into_iter().map(|shard| shard.index).collect())
    }

    /// Saves the rows of a shard, and its times.
    fn keep(&self, py: Python<'_>, shard: usize, rows: &str, finished: &str) -> PyResult<()> {
        self.with(py, |folder| {
            let found = self.shards.get(shard);
            let shard = found.ok_or_else(|| internal(format!("there is no shard {shard}")))?;
            let finished = serde_json::from_str(finished).map_err(|cause| internal(cause.to_string()))?;
            folder.keep(shard, rows, &finished)
        })
    }

    /// Combines all rows. Returns the file of all rows, that of the maps, and the number of rows.
    fn finish(&self, py: Python<'_>) -> PyResult<(PathBuf, PathBuf, usize)> {
        let done = self.with(py, Folder::finish)?;
        Ok((done.rows, done.maps, done.count))
    }

    /// Unlocks it.
    fn close(&self) {
        drop(self.folder.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

impl SweepFolder {
    /// Runs `work` in the folder, without the interpreter's lock.
    fn with<T: Send>(&self, py: Python<'_>, work: impl FnOnce(&Folder) -> Result<T> + Send) -> PyResult<T> {
        let done = py.detach(|| {
            let folder = self.folder.lock().unwrap_or_else(PoisonError::into_inner);
            let folder = folder
                .as_ref()
                .ok_or_else(|| internal("the folder of the sweep is closed"))?;
            work(folder)
        });
        done.map_err(|error| raised(py, &error))
    }
}
