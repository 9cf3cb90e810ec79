//! The user's consent to download models of the hub: nothing is requested of other hub models.

use super::Session;
use crate::checkpoint::is_on_hub;

impl Session {
    /// Records that the user has requested the model at `url`.
    pub fn agree(&mut self, url: &str) {
        if is_on_hub(url) {
            self.agreed.insert(url.to_owned());
        }
    }

    /// Whether the model at `url` may be requested without asking the user: it is not on the hub, or the user has used
    /// it on this page.
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
        // Starting a run is consent, also for what follows it.
        let mut session = Session::default();
        session.start(Request {
            url: GPT2.into(),
            analysis: Default::default(),
        });
        assert!(session.may_ask(GPT2));
    }
}
