//! Lists the stored models.

use serde::{Deserialize, Serialize};

use super::manifest::Manifest;
use super::store::Store;
use crate::error::Result;

/// A model in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredModel {
    /// The folder in the store.
    pub folder: String,
    /// Where it came from: its URL, revision included.
    pub location: String,
    /// Stored bytes of this model.
    pub bytes: u64,
}

/// The models in `store`, by location. A folder without a valid manifest is listed under the folder's name, so that it
/// can be deleted.
///
/// # Errors
/// [`crate::ErrorKind::Storage`] where the store can't be used.
pub async fn stored_models(store: &dyn Store) -> Result<Vec<StoredModel>> {
    let mut models = Vec::new();
    for folder in store.folders().await? {
        let manifest = Manifest::read(store, &folder).await?.unwrap_or_default();
        let location = if manifest.location.is_empty() {
            folder.clone()
        } else {
            manifest.location.clone()
        };
        models.push(StoredModel {
            bytes: manifest.bytes(),
            folder,
            location,
        });
    }
    models.sort_by(|a, b| a.location.cmp(&b.location));
    Ok(models)
}
