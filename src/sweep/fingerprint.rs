//! Fingerprints that detect when a model has been replaced.

use super::plan::digest;
use crate::checkpoint::Source;
use crate::error::Result;

const WEIGHTS: &str = "model.safetensors";
/// Number of samples of the weights, and bytes of each.
const SAMPLES: u64 = 32;
const SAMPLE: u64 = 256;

/// SHA-256 of a model's configuration, and of length and samples of its weights. None for models on a server, which are
/// identified by their revision.
///
/// # Errors
/// [`crate::ErrorKind::Source`] where its files can't be read.
pub async fn fingerprint(source: &dyn Source) -> Result<Option<String>> {
    if !source.is_local() {
        return Ok(None);
    }
    let config = source.read("config.json", None).await?;
    let Some(length) = source.length(WEIGHTS).await? else {
        return Ok(None);
    };
    let mut parts = vec![config, length.to_le_bytes().to_vec()];
    for sample in 0..SAMPLES {
        // The first sample is at the beginning, the last one at the end.
        let start = length.saturating_sub(SAMPLE) * sample / (SAMPLES - 1);
        let range = start..(start + SAMPLE).min(length);
        parts.push(source.read(WEIGHTS, Some(range)).await?);
    }
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    Ok(Some(digest(&parts)))
}
