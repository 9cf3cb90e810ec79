//! Taking out of the store what is of no use any more.

use super::super::manifest::Manifest;
use super::StoredSource;

impl StoredSource {
    /// Sweeps when this source is first used, unless another tab is writing: then what lies there may be its own.
    pub(super) async fn sweep_at_first(&self) {
        if self.state.borrow().swept {
            return;
        }
        if let Ok(Some(_held)) = self.store.try_lock(&self.folder).await {
            self.sweep().await;
        }
    }

    /// Removes, once, files that no manifest names: a tab that was closed left them half-written. The folder's lock must
    /// be held, so that nobody is writing.
    pub(super) async fn sweep(&self) {
        if std::mem::replace(&mut self.state.borrow_mut().swept, true) {
            return;
        }
        let (store, folder) = (self.store.as_ref(), self.folder.as_str());
        // Where a manifest can't be read now, nothing is known to be of no use.
        let Ok(newest) = Manifest::read_complete(store, folder).await else {
            return;
        };
        let Ok(files) = store.files(folder).await else { return };
        let named = |name: &str| {
            let newest = newest.as_ref();
            newest.is_some_and(|newest| newest.pieces.contains_key(name) || newest.file_name() == name)
        };
        for file in files.iter().filter(|file| !named(file)) {
            // What can't be removed now is written over later.
            let _ = store.remove(folder, Some(file)).await;
        }
        self.remove_if_empty().await;
    }

    /// Removes the folder where nothing is in it.
    pub(super) async fn remove_if_empty(&self) {
        if self.store.files(&self.folder).await.is_ok_and(|files| files.is_empty()) {
            let _ = self.store.remove(&self.folder, None).await;
        }
    }

    /// Takes pieces out of the manifest and the store. The folder's lock must be held, and the manifest have been
    /// looked at since. What can't be removed now is written over later.
    pub(super) async fn forget(&self, goes: impl Fn(&str) -> bool) {
        let Some(mut manifest) = self.state.borrow().manifest.clone() else {
            return;
        };
        let names: Vec<String> = manifest.pieces.keys().filter(|name| goes(name)).cloned().collect();
        if names.is_empty() {
            return;
        }
        for name in &names {
            manifest.pieces.remove(name);
            self.state.borrow_mut().checked.remove(name);
        }
        if manifest.pieces.is_empty() {
            // What was known of the files goes with them.
            manifest.lengths.clear();
            manifest.labels.clear();
        }
        let _ = manifest.write(self.store.as_ref(), &self.folder).await;
        self.state.borrow_mut().manifest = Some(manifest);
        for name in &names {
            let _ = self.store.remove(&self.folder, Some(name)).await;
        }
    }
}
