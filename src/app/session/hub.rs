//! Which models of the hub the reader has asked something of: the hub is asked for no other.

use super::Session;
use crate::checkpoint::is_on_hub;

impl Session {
    /// The reader asks something of the model at `url`, which may be asked from now on.
    pub fn agree(&mut self, url: &str) {
        if is_on_hub(url) {
            self.agreed.insert(url.to_owned());
        }
    }

    /// Whether the model at `url` may be asked without a word of the reader: it is not on the hub, or was asked something on this page.
    pub fn may_ask(&self, url: &str) -> bool {
        !is_on_hub(url) || self.agreed.contains(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::form::Request;

    const GPT2: &str = "https://huggingface.co/openai-community/gpt2/resolve/main";

    #[test]
    fn the_hub_is_asked_for_what_the_reader_asks_for() {
        let mut session = Session::default();
        assert!(session.may_ask("https://example.org/gpt2") && session.may_ask("picked:1/gpt2"));
        assert!(!session.may_ask(GPT2));
        session.agree(GPT2);
        assert!(session.may_ask(GPT2));
        assert!(!session.may_ask(&GPT2.replace("gpt2/", "gpt2-medium/")));
        // A run is asked for, and so is what comes after it.
        let mut session = Session::default();
        session.start(Request {
            url: GPT2.into(),
            analysis: Default::default(),
        });
        assert!(session.may_ask(GPT2));
    }
}
