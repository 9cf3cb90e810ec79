//! Which URLs a page may load a model from.

use crate::error::{Error, ErrorKind, Result};

/// Checks that a page served from `origin` (`https://example.org`; a path may follow) may load a model from `url`.
/// Allowed are https, the page's own origin, and plain http on the same machine (`127.0.0.1`, `localhost`). `[::1]` is
/// not allowed, because a Content-Security-Policy cannot name it.
///
/// # Errors
/// [`ErrorKind::Source`] for any other address.
pub fn check_for_page(url: &str, origin: &str) -> Result<()> {
    let allowed = match Parts::of(url) {
        Some(parts) if parts.scheme == "https" || parts.is_loopback() => true,
        Some(parts) => Parts::of(origin).is_some_and(|own| own == parts),
        None => false,
    };
    if allowed {
        return Ok(());
    }
    let cause = if url.to_ascii_lowercase().starts_with("http://") {
        "would be read without encryption"
    } else {
        "is not an address that a page reads models from"
    };
    Err(Error::new(ErrorKind::Source, format!("{url} {cause}"))
        .expected("https, this page's own server, or http on this machine (127.0.0.1 or localhost)")
        .advice("Serve the model over https, or use the command line, which reads from any server."))
}

/// Whether the server of `url` is on this machine.
#[cfg_attr(
    not(all(feature = "page", target_arch = "wasm32")),
    expect(dead_code, reason = "browsers alone ask")
)]
pub(crate) fn is_this_machine(url: &str) -> bool {
    Parts::of(url).is_some_and(|parts| parts.is_loopback())
}

/// Scheme, host and port of an HTTP(S) address, in lower case.
#[derive(PartialEq, Eq)]
struct Parts {
    scheme: &'static str,
    host: String,
    port: String,
}

impl Parts {
    /// None for anything that is not an HTTP(S) URL, that has a user name, or whose port is not a number. This is
    /// stricter than browsers are, so that this check and the browser never disagree about the host.
    fn of(url: &str) -> Option<Self> {
        let url = url.trim().to_ascii_lowercase();
        let (scheme, default, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
            (Some(rest), _) => ("https", "443", rest),
            (None, Some(rest)) => ("http", "80", rest),
            (None, None) => return None,
        };
        let authority = rest.split(['/', '\\', '?', '#']).next().unwrap_or_default();
        let (host, port) = match authority.rsplit_once(':') {
            // A colon inside the brackets is part of the address.
            Some((host, port)) if !port.ends_with(']') => (host, port),
            _ => (authority, ""),
        };
        let strange = |c: char| c == '@' || c.is_whitespace() || c.is_control();
        if host.is_empty() || host.contains(strange) || !port.chars().all(|c| c.is_ascii_digit()) {
            return None;
        }
        Some(Self {
            scheme,
            host: host.to_owned(),
            port: if port.is_empty() { default } else { port }.to_owned(),
        })
    }

    fn is_loopback(&self) -> bool {
        matches!(self.host.as_str(), "127.0.0.1" | "localhost")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "http://keyside.example:8080";

    #[test]
    fn https_the_own_origin_and_this_machine_are_allowed() {
        for url in [
            "https://huggingface.co/openai-community/gpt2/resolve/main",
            "HTTPS://example.org",
            "http://127.0.0.1:8081/gpt2",
            "http://localhost/gpt2",
            "http://LocalHost:1/gpt2",
            "http://keyside.example:8080/models/tiny-ioi",
        ] {
            assert_eq!(check_for_page(url, PAGE), Ok(()), "{url}");
        }
        assert_eq!(check_for_page("http://a.example/x", "http://a.example:80/page"), Ok(()));
    }

    #[test]
    fn everything_else_is_refused_with_one_message() {
        for url in [
            "http://example.com/gpt2",
            "http://keyside.example/gpt2",
            "http://keyside.example:8081/gpt2",
            "http://127.0.0.1.example.com/gpt2",
            "http://localhost.example.com/gpt2",
            "http://127.0.0.1@example.com/gpt2",
            "http://127.0.0.1:80@example.com/gpt2",
            "http://example.com#@127.0.0.1/",
            "http://example.com\\@127.0.0.1/",
            "http://127.0.0.1\t.example.com/gpt2",
            "http://127.0.0.2/gpt2",
            "http://[::2]/gpt2",
            "http://[::1]:8081/gpt2",
            "http://[::1]",
            "http:///gpt2",
            "https://",
            "https://user@example.com/gpt2",
            "ftp://127.0.0.1/gpt2",
            "file:///etc/passwd",
            "data:,x",
            "javascript:alert(1)",
            "//example.com",
            "",
        ] {
            let error = check_for_page(url, PAGE).expect_err(url);
            assert_eq!(error.kind, ErrorKind::Source);
            assert!(error.cause.starts_with(&url.replace('\t', " ")), "{error}");
            assert!(
                error.expected.contains("https") && error.expected.contains("this machine"),
                "{error}"
            );
        }
        assert!(check_for_page("http://a.example", "").is_err());
    }
}
