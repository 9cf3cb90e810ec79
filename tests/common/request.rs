//! Parsing of HTTP requests for the test servers.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::time::Duration;

/// Method and path, and the range.
pub struct Request {
    /// `GET /model/config.json`.
    pub line: String,
    /// First and last byte.
    pub range: Option<(usize, usize)>,
}

impl Request {
    /// Reads the head of a request. Neither side waits for ever.
    pub fn read(stream: &TcpStream) -> std::io::Result<Self> {
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        stream.set_write_timeout(Some(Duration::from_secs(10)))?;
        let mut lines = BufReader::new(stream.try_clone()?).lines();
        let first = lines.next().transpose()?.unwrap_or_default();
        let mut range = None;
        for line in lines {
            let line = line?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').unwrap_or_default();
            if name.eq_ignore_ascii_case("range") {
                let asked = value
                    .trim()
                    .strip_prefix("bytes=")
                    .and_then(|range| range.split_once('-'));
                let (from, to) = asked.expect("one range of bytes");
                range = Some((from.parse().expect("a number"), to.parse().expect("a number")));
            }
        }
        let line = first.trim_end_matches(" HTTP/1.1").to_owned();
        Ok(Self { line, range })
    }

    /// The path: `/model/config.json`.
    pub fn path(&self) -> &str {
        self.line.split(' ').nth(1).unwrap_or_default()
    }

    /// The file's name.
    pub fn file(&self) -> &str {
        self.line.rsplit('/').next().unwrap_or_default()
    }
}
