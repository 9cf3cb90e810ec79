//! A server on the loopback interface that fails in one way a given number of times, and then works.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use keyside::checkpoint::MemorySource;

use super::request::Request;

/// A fault in an answer of the server.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fault {
    /// The connection closes after half of the bytes.
    DropMidBody,
    /// The connection closes before the first byte.
    DropBeforeHead,
    /// Half of the bytes, then nothing for longer than anybody waits.
    Stall,
    /// Says that it sends fewer bytes than were asked for, and does.
    TooFew,
    /// Says that it sends more bytes than were asked for, and does.
    TooMany,
    /// Nothing but a status.
    Status(u16),
    /// 429, to be asked again after so many seconds.
    RetryAfter(u32),
    /// 429, and that the window of the rate limit ends in so many seconds.
    RateLimit(u32),
    /// Another address, which is good no more.
    Expired,
    /// The bytes, said to be compressed.
    Compressed,
    /// Another address, where the file is.
    Redirect,
    /// The same address again.
    RedirectLoop,
    /// Every byte of the header's length is 0xff.
    CorruptHeader,
    /// Every byte of the weights is 0xff: not a number.
    CorruptWeights,
    /// The whole file with 200.
    NoRanges,
    /// The whole file with 200 and no length.
    NoLength,
    /// Another ETag with every answer, for the same bytes.
    Relabeled,
    /// Weights of another version under the same header, with another ETag.
    OtherVersion,
    /// Weights of another version under the same header and ETag.
    OtherVersionUnsaid,
    /// 206 without a byte.
    Empty,
    /// A page of HTML with 200.
    Html,
}

/// A server of files under `/model/`; it stops when it is dropped.
pub struct FaultServer {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    times: Arc<AtomicUsize>,
    bytes: Arc<Mutex<u64>>,
    thread: Option<JoinHandle<()>>,
}

impl FaultServer {
    /// Answers to `file` go wrong `times` times.
    pub fn start(files: MemorySource, file: &'static str, fault: Fault, times: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (stop, times) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(times)));
        let bytes = Arc::new(Mutex::new(0));
        let state = (Arc::clone(&stop), Arc::clone(&times), Arc::clone(&bytes));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if state.0.load(Ordering::SeqCst) {
                    return;
                }
                // A client that goes away early has what it wanted.
                let _ = answer(stream, &files, (file, fault), &state.1, &state.2);
            }
        });
        Self {
            address,
            stop,
            times,
            bytes,
            thread: Some(thread),
        }
    }

    /// The address of the folder with the files.
    pub fn url(&self) -> String {
        format!("http://{}/model", self.address)
    }

    /// How many answers are still to go wrong.
    pub fn left(&self) -> usize {
        self.times.load(Ordering::SeqCst)
    }

    /// The next `times` answers go wrong.
    pub fn go_wrong(&self, times: usize) {
        self.times.store(times, Ordering::SeqCst);
    }

    /// Nothing goes wrong any more.
    pub fn heal(&self) {
        self.times.store(0, Ordering::SeqCst);
    }

    /// Bytes of files sent so far.
    pub fn bytes(&self) -> u64 {
        *self.bytes.lock().expect("not poisoned")
    }
}

impl Drop for FaultServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the thread up.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the server did not panic");
        }
    }
}

fn answer(
    mut stream: TcpStream,
    files: &MemorySource,
    (faulty, fault): (&str, Fault),
    times: &AtomicUsize,
    sent: &Mutex<u64>,
) -> std::io::Result<()> {
    let request = Request::read(&stream)?;
    let (path, name) = (request.path(), request.file());
    let elsewhere = path.contains("/elsewhere/");
    if path.contains("/expired/") {
        return write!(
            stream,
            "HTTP/1.1 403 -\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        );
    }
    let Some(file) = files.get(name) else {
        return write!(
            stream,
            "HTTP/1.1 404 -\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        );
    };
    let (from, to) = request
        .range
        .map_or((0, file.len()), |(from, to)| (from, file.len().min(to + 1)));
    let same_header = matches!(fault, Fault::OtherVersion | Fault::OtherVersionUnsaid) && from < data_start(file);
    let wrong = name == faulty
        && !same_header
        && !elsewhere
        && times
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
            .is_ok();
    let status = if request.range.is_some() { 206 } else { 200 };
    let body = &file[from.min(to)..to];
    let mut reply = Reply { stream, sent };
    match wrong.then_some(fault) {
        None => reply.send(status, body.len(), body),
        Some(fault) => reply.go_wrong(fault, file, body, status, (path, from)),
    }
}

/// The offset of the tensor data in a safetensors file.
fn data_start(file: &[u8]) -> usize {
    let length = file.first_chunk::<8>().map_or(0, |length| u64::from_le_bytes(*length));
    8 + usize::try_from(length).expect("a small header")
}

/// `body`, which begins at `from` in `file`, after a little training: the last bits of all weights differ.
fn other_version(file: &[u8], body: &[u8], from: usize) -> Vec<u8> {
    let start = data_start(file);
    let flip = |(at, byte): (usize, &u8)| byte ^ u8::from((from + at).wrapping_sub(start).is_multiple_of(4));
    body.iter().enumerate().map(flip).collect()
}

struct Reply<'a> {
    stream: TcpStream,
    sent: &'a Mutex<u64>,
}

impl Reply<'_> {
    fn head(&mut self, status: u16, more: &str) -> std::io::Result<()> {
        write!(self.stream, "HTTP/1.1 {status} -\r\nConnection: close\r\n{more}\r\n")
    }

    fn body(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        *self.sent.lock().expect("not poisoned") += bytes.len() as u64;
        self.stream.write_all(bytes)
    }

    fn send(&mut self, status: u16, length: usize, bytes: &[u8]) -> std::io::Result<()> {
        self.labeled("\"1\"", status, length, bytes)
    }

    fn labeled(&mut self, label: &str, status: u16, length: usize, bytes: &[u8]) -> std::io::Result<()> {
        self.head(status, &format!("ETag: {label}\r\nContent-Length: {length}\r\n"))?;
        self.body(bytes)
    }

    fn go_wrong(
        &mut self,
        fault: Fault,
        file: &[u8],
        body: &[u8],
        status: u16,
        (path, from): (&str, usize),
    ) -> std::io::Result<()> {
        match fault {
            Fault::DropMidBody => self.send(status, body.len(), &body[..body.len() / 2]),
            Fault::DropBeforeHead => Ok(()),
            Fault::Stall => {
                self.send(status, body.len(), &body[..body.len() / 2])?;
                // Until the reader has lost patience and hung up; a reader that never does is not waited for without end.
                self.stream.set_read_timeout(Some(Duration::from_secs(60)))?;
                while self.stream.read(&mut [0; 64])? > 0 {}
                Ok(())
            }
            Fault::TooFew => self.send(status, body.len() / 2, &body[..body.len() / 2]),
            Fault::TooMany => self.send(status, body.len() + 100, &[body, &[7; 100]].concat()),
            Fault::Status(status) => self.send(status, 0, &[]),
            Fault::RetryAfter(seconds) => self.head(429, &format!("Retry-After: {seconds}\r\nContent-Length: 0\r\n")),
            Fault::RateLimit(seconds) => {
                let limit = format!("RateLimit: \"resolvers\";r=0;t={seconds}\r\n");
                self.head(429, &format!("{limit}Content-Length: 0\r\n"))
            }
            Fault::Expired => {
                let location = path.replace("/model/", "/expired/");
                self.head(302, &format!("Location: {location}\r\nContent-Length: 0\r\n"))
            }
            Fault::Compressed => {
                let length = body.len();
                self.head(
                    status,
                    &format!("Content-Encoding: gzip\r\nContent-Length: {length}\r\n"),
                )?;
                self.body(body)
            }
            Fault::Redirect => {
                let location = path.replace("/model/", "/elsewhere/");
                self.head(302, &format!("Location: {location}\r\nContent-Length: 0\r\n"))
            }
            Fault::RedirectLoop => self.head(302, &format!("Location: {path}\r\nContent-Length: 0\r\n")),
            Fault::CorruptHeader | Fault::CorruptWeights => {
                let harmless = (fault == Fault::CorruptWeights) && body.len() < 30_000;
                let bytes = if harmless {
                    body.to_vec()
                } else {
                    vec![0xff; body.len()]
                };
                self.send(status, bytes.len(), &bytes)
            }
            Fault::NoRanges => self.send(200, file.len(), file),
            Fault::NoLength => {
                self.head(200, "")?;
                self.body(file)
            }
            Fault::Relabeled => {
                let label = format!("\"at {:?}\"", std::time::Instant::now());
                self.labeled(&label, status, body.len(), body)
            }
            Fault::OtherVersion => self.labeled("\"2\"", status, body.len(), &other_version(file, body, from)),
            Fault::OtherVersionUnsaid => self.send(status, body.len(), &other_version(file, body, from)),
            Fault::Empty => self.send(status, 0, &[]),
            Fault::Html => {
                let page = b"<!doctype html><title>Sign in</title><p>Please sign in.</p>";
                self.send(200, page.len(), page)
            }
        }
    }
}
