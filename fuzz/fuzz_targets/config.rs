//! `config.json`: parses the model's configuration and card.
#![no_main]

use futures::executor::block_on;
use keyside::checkpoint::MemorySource;
use keyside::model::Checkpoint;
use keyside_fuzz::checked;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let source = MemorySource::new().with("config.json", bytes);
    let Some((config, card)) = checked(block_on(Checkpoint::describe(&source))) else {
        return;
    };
    assert_eq!(config.d_head() * config.n_head, config.d_model);
    assert!((config.bos_token_id.unwrap_or(0) as usize) < config.d_vocab);
    assert!(config.layer_norm_epsilon > 0.0);
    if let Some(card) = card {
        assert!(config.check_head(card.head).is_ok() && config.check_head(card.earlier_head).is_ok());
    }
    keyside::app::words::about(&config, None);
});
