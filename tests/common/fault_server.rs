//! A server on the loopback interface that goes wrong in one way, a number of times, and is well afterwards.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use keyside::checkpoint::MemorySource;

/// What goes wrong with an answer.
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
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    let mut range = None;
    for line in lines {
        let line = line?;
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(": bytes=")
            && name.eq_ignore_ascii_case("range")
        {
            let (from, to) = value.split_once('-').unwrap_or_default();
            range = Some((from.parse().unwrap_or(0), to.parse().unwrap_or(0)));
        }
    }
    let path = first.split(' ').nth(1).unwrap_or_default();
    let elsewhere = path.contains("/elsewhere/");
    let name = path.rsplit('/').next().unwrap_or_default();
    let Some(file) = files.get(name) else {
        return write!(
            stream,
            "HTTP/1.1 404 -\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        );
    };
    let wrong = name == faulty
        && !elsewhere
        && times
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
            .is_ok();
    let (from, to) = range.map_or((0, file.len()), |(from, to): (usize, usize)| {
        (from, file.len().min(to + 1))
    });
    let status = if range.is_some() { 206 } else { 200 };
    let body = &file[from.min(to)..to];
    let mut reply = Reply { stream, sent };
    match wrong.then_some(fault) {
        None => reply.send(status, body.len(), body),
        Some(fault) => reply.go_wrong(fault, file, body, status, path),
    }
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
        self.head(status, &format!("Content-Length: {length}\r\n"))?;
        self.body(bytes)
    }

    fn go_wrong(&mut self, fault: Fault, file: &[u8], body: &[u8], status: u16, path: &str) -> std::io::Result<()> {
        match fault {
            Fault::DropMidBody => self.send(status, body.len(), &body[..body.len() / 2]),
            Fault::DropBeforeHead => Ok(()),
            Fault::Stall => {
                self.send(status, body.len(), &body[..body.len() / 2])?;
                std::thread::sleep(Duration::from_millis(700));
                Ok(())
            }
            Fault::TooFew => self.send(status, body.len() / 2, &body[..body.len() / 2]),
            Fault::TooMany => self.send(status, body.len() + 100, &[body, &[7; 100]].concat()),
            Fault::Status(status) => self.send(status, 0, &[]),
            Fault::RetryAfter(seconds) => self.head(429, &format!("Retry-After: {seconds}\r\nContent-Length: 0\r\n")),
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
            Fault::Empty => self.send(status, 0, &[]),
            Fault::Html => {
                let page = b"<!doctype html><title>Sign in</title><p>Please sign in.</p>";
                self.send(200, page.len(), page)
            }
        }
    }
}
