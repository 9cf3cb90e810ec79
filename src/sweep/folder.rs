//! The folder of a sweep: its plan, the finished shards, and the rows of all of them.
//!
//! A file is written under a temporary name and renamed once it is complete and on disk. So a process that ends at any
//! moment leaves only complete files.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::maps::maps;
use super::plan::{Shard, Sweep};
use super::rows::SweepRow;
use crate::error::{Error, ErrorKind, Result};

/// The file of all rows.
pub const ROWS: &str = "rows.jsonl";
/// The file of the maps of heads.
pub const MAPS: &str = "maps.html";
/// The plan of the sweep.
const MANIFEST: &str = "sweep.json";
/// The folder of finished shards.
const SHARDS: &str = "shards";
/// Times of the shards.
const TIMES: &str = "times.jsonl";
/// Locked while a process uses the folder.
const LOCK: &str = "lock";
/// Name ending of incomplete files.
const PART: &str = ".part";
const FORMAT: &str = "keyside-sweep/1";

/// The manifest.
#[derive(Serialize, Deserialize)]
struct Manifest {
    format: String,
    #[serde(flatten)]
    sweep: Sweep,
}

/// Times of a shard, for `times.jsonl`. The rows do not depend on them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finished {
    /// The shard's index.
    pub shard: usize,
    /// Number of heads.
    pub heads: usize,
    /// Number of prompts.
    pub prompts: usize,
    /// Seconds in all.
    pub seconds: f64,
    /// Seconds spent on reading weights.
    pub loading_seconds: f64,
}

/// The files of a finished sweep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// The file of all rows.
    pub rows: PathBuf,
    /// The web page with maps of heads.
    pub maps: PathBuf,
    /// Number of rows.
    pub count: usize,
}

/// A folder that holds one sweep, locked by this process.
pub struct Folder {
    path: PathBuf,
    sweep: Sweep,
    /// Locked until this is dropped or the process ends.
    _lock: File,
}

impl Folder {
    /// Opens the folder at `path` for `sweep`: creates it, or resumes if it holds the same sweep.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] where it holds another sweep or something else, or another process is at work there; nothing in it is touched
    /// then. [`ErrorKind::Source`] where it can't be read or written.
    pub fn open(path: &Path, sweep: &Sweep) -> Result<Self> {
        check(path, sweep)?;
        fs::create_dir_all(path.join(SHARDS)).map_err(|cause| cannot(path, "made", &cause))?;
        let lock_path = path.join(LOCK);
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path);
        let lock = lock.map_err(|cause| cannot(&lock_path, "written", &cause))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let cause = format!("another process works on the sweep in {}", path.display());
                return Err(Error::new(ErrorKind::Request, cause).advice("Wait until it is done, or end it."));
            }
            Err(TryLockError::Error(cause)) => return Err(cannot(&lock_path, "locked", &cause)),
        }
        // Another process may have begun another sweep before this one got the lock.
        check(path, sweep)?;
        let folder = Self {
            path: path.to_owned(),
            sweep: sweep.clone(),
            _lock: lock,
        };
        if !path.join(MANIFEST).exists() {
            let manifest = Manifest {
                format: FORMAT.to_owned(),
                sweep: sweep.clone(),
            };
            let text = serde_json::to_string_pretty(&manifest)
                .map_err(|cause| Error::new(ErrorKind::Internal, format!("a sweep can't be written ({cause})")))?;
            folder.write(MANIFEST, (text + "\n").as_bytes())?;
        }
        Ok(folder)
    }

    /// The shards that are not finished.
    pub fn missing(&self) -> Vec<Shard> {
        let done = |shard: &Shard| self.path.join(name(shard)).is_file();
        self.sweep.shards().into_iter().filter(|shard| !done(shard)).collect()
    }

    /// Saves the `rows` of `shard` and its times.
    ///
    /// # Errors
    /// [`ErrorKind::Source`] where they can't be written.
    pub fn keep(&self, shard: &Shard, rows: &str, finished: &Finished) -> Result<()> {
        self.write(&name(shard), rows.as_bytes())?;
        let times = self.path.join(TIMES);
        append(&times, finished).map_err(|cause| cannot(&times, "written", &cause))
    }

    /// Combines the rows of all shards, makes maps of them, and returns the files.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] where a shard is missing, [`ErrorKind::Source`] where files can't be read or written.
    pub fn finish(&self) -> Result<Done> {
        if let Some(shard) = self.missing().first() {
            let cause = format!("shard {} of the sweep is missing", shard.index);
            return Err(Error::new(ErrorKind::Request, cause).advice("Run the sweep again: it goes on where it was."));
        }
        let mut text = String::new();
        for shard in self.sweep.shards() {
            let file = self.path.join(name(&shard));
            text.push_str(&fs::read_to_string(&file).map_err(|cause| cannot(&file, "read", &cause))?);
        }
        let rows = text
            .lines()
            .map(serde_json::from_str::<SweepRow>)
            .collect::<std::result::Result<Vec<_>, _>>();
        let rows = rows.map_err(|cause| {
            let cause = format!(
                "the shards in {} hold something else than rows ({cause})",
                self.path.display()
            );
            Error::new(ErrorKind::Source, cause).advice("Remove the shard that was changed, and run the sweep again.")
        })?;
        self.write(MAPS, maps(&rows)?.as_bytes())?;
        self.write(ROWS, text.as_bytes())?;
        Ok(Done {
            rows: self.path.join(ROWS),
            maps: self.path.join(MAPS),
            count: rows.len(),
        })
    }

    /// Writes `bytes` to the file `name` atomically.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let (file, part) = (self.path.join(name), self.path.join(format!("{name}{PART}")));
        let write = || {
            let mut written = File::create(&part)?;
            written.write_all(bytes)?;
            written.sync_all()?;
            fs::rename(&part, &file)
        };
        write().map_err(|cause| cannot(&file, "written", &cause))
    }
}

/// The file name of `shard`.
fn name(shard: &Shard) -> String {
    format!("{SHARDS}/{:06}.jsonl", shard.index)
}

/// Checks that the folder at `path` holds `sweep`, or nothing.
fn check(path: &Path, sweep: &Sweep) -> Result<()> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(cause) => return Err(cannot(path, "read", &cause)),
    };
    let another = "Name another folder; nothing here was touched.";
    let manifest = path.join(MANIFEST);
    if !manifest.exists() {
        let part = format!("{MANIFEST}{PART}");
        for entry in entries {
            let name = entry.map_err(|cause| cannot(path, "read", &cause))?.file_name();
            // Files left by a process that ended before it wrote the manifest.
            if ![LOCK, SHARDS, part.as_str()].iter().any(|own| name == *own) {
                let cause = format!("{} holds {}, and no sweep", path.display(), name.to_string_lossy());
                return Err(Error::new(ErrorKind::Request, cause)
                    .expected("an empty folder, a new one, or one with this sweep")
                    .advice(another));
            }
        }
        return Ok(());
    }
    let bytes = fs::read(&manifest).map_err(|cause| cannot(&manifest, "read", &cause))?;
    let found: Manifest = serde_json::from_slice(&bytes).map_err(|cause| {
        let cause = format!("{} is no sweep that this version knows ({cause})", manifest.display());
        Error::new(ErrorKind::Request, cause).advice(another)
    })?;
    match found.sweep.differences(sweep)[..] {
        [] if found.format == FORMAT => Ok(()),
        ref differences => {
            let cause = format!(
                "{} holds another sweep ({} differ)",
                path.display(),
                differences.join(", ")
            );
            Err(Error::new(ErrorKind::Request, cause)
                .expected("the sweep as it was begun")
                .advice(another))
        }
    }
}

/// Appends a line. Completes an unfinished last line first.
fn append(file: &Path, finished: &Finished) -> io::Result<()> {
    let mut times = OpenOptions::new().create(true).read(true).append(true).open(file)?;
    let mut last = [b'\n'];
    if times.metadata()?.len() > 0 {
        times.seek(SeekFrom::End(-1))?;
        times.read_exact(&mut last)?;
    }
    let mut line = String::new();
    if last != [b'\n'] {
        line.push('\n');
    }
    line.push_str(&serde_json::to_string(finished)?);
    line.push('\n');
    times.write_all(line.as_bytes())
}

fn cannot(file: &Path, what: &str, cause: &io::Error) -> Error {
    Error::new(
        ErrorKind::Source,
        format!("{} can't be {what} ({cause})", file.display()),
    )
    .advice("Check the path and the space on the disk.")
}
