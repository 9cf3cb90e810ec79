//! A small HTTP server on the loopback interface, for reading checkpoints from.

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use keyside::checkpoint::MemorySource;

use super::request::Request;

/// How a server answers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Manner {
    /// Ranges with 206 and `Content-Range`.
    Ranges,
    /// Ranges with 206, without telling the file's length.
    RangesWithoutLength,
    /// The whole file with 200, whatever was asked.
    Whole,
    /// Nothing but this status.
    Status(u16),
    /// Promises more bytes than it sends, then closes.
    BreaksOff,
}

/// A server of the files of a [`MemorySource`] under `/model/`; it stops when it is dropped.
pub struct Server {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    requests: Arc<Mutex<Vec<String>>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a server.
    pub fn start(files: MemorySource, manner: Manner) -> Self {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)), files, manner)
    }

    /// The same at an address where another one was before.
    pub fn start_at(address: SocketAddr, files: MemorySource, manner: Manner) -> Self {
        let listener = TcpListener::bind(address).expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (stop, requests) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let (stopping, log) = (Arc::clone(&stop), Arc::clone(&requests));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stopping.load(Ordering::SeqCst) {
                    return;
                }
                // A client that goes away early has what it wanted.
                let _ = answer(stream, &files, manner, &log);
            }
        });
        Self {
            address,
            stop,
            requests,
            thread: Some(thread),
        }
    }

    /// The address of the folder with the files.
    pub fn url(&self) -> String {
        format!("http://{}/model", self.address)
    }

    /// The requests so far: method, path and range.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("not poisoned").clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the thread up.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the server did not panic");
        }
    }
}

fn answer(stream: TcpStream, files: &MemorySource, manner: Manner, log: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let request = Request::read(&stream)?;
    let range = request.range.map(|(from, to)| format!("bytes={from}-{to}"));
    log.lock()
        .expect("not poisoned")
        .push(format!("{} {}", request.line, range.as_deref().unwrap_or("whole")));
    write_answer(stream, files.get(request.file()), request.range, manner)
}

fn write_answer(
    mut stream: TcpStream,
    file: Option<&[u8]>,
    asked: Option<(usize, usize)>,
    manner: Manner,
) -> std::io::Result<()> {
    let mut head = |status: u16, length: usize, more: &str| {
        write!(
            stream,
            "HTTP/1.1 {status} -\r\nConnection: close\r\nContent-Length: {length}\r\n{more}\r\n"
        )
    };
    let Some(file) = file else {
        return head(404, 0, "");
    };
    match (manner, asked) {
        (Manner::Status(status), _) => head(status, 0, ""),
        (Manner::BreaksOff, _) => {
            head(200, file.len(), "")?;
            stream.write_all(&file[..file.len() / 2])
        }
        (Manner::Ranges | Manner::RangesWithoutLength, Some((from, to))) => {
            let told = manner == Manner::Ranges;
            let total = if told { file.len().to_string() } else { "*".to_owned() };
            if from >= file.len() {
                return head(416, 0, &format!("Content-Range: bytes */{total}\r\n"));
            }
            let to = to.min(file.len() - 1);
            let more = format!("Content-Range: bytes {from}-{to}/{total}\r\n");
            head(206, to + 1 - from, if told { &more } else { "" })?;
            stream.write_all(&file[from..=to])
        }
        _ => {
            head(200, file.len(), "")?;
            stream.write_all(file)
        }
    }
}
