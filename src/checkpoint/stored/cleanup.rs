//! Removes files from the store that are no longer needed.

use super::super::manifest::Manifest;
use super::StoredSource;

impl StoredSource {
    /// Cleans up when this source is first used, unless another tab is writing: unlisted files may belong to that tab.
    pub(super) async fn sweep_at_first(&self) {
        if self.state.borrow().swept {
            return;
        }
        if let Ok(Some(_held)) = self.store.try_lock(&self.folder).await {
            self.sweep().await;
        }
    }

    /// Removes, once, the files that no manifest lists: incomplete files left by a closed tab. The caller must hold the
    /// folder's lock, so that nobody is writing.
    pub(super) async fn sweep(&self) {
        if std::mem::replace(&mut self.state.borrow_mut().swept, true) {
            return;
        }
        let (store, folder) = (self.store.as_ref(), self.folder.as_str());
        // While a manifest cannot be read, it is unknown which files are needed.
        let Ok(newest) = Manifest::read_complete(store, folder).await else {
            return;
        };
        let Ok(files) = store.files(folder).await else { return };
        let named = |name: &str| {
            let newest = newest.as_ref();
            newest.is_some_and(|newest| newest.pieces.contains_key(name) || newest.file_name() == name)
        };
        for file in files.iter().filter(|file| !named(file)) {
            // A file that cannot be removed now will be overwritten later.
            let _ = store.remove(folder, Some(file)).await;
        }
        self.remove_if_empty().await;
    }

    /// Removes the folder if it is empty.
    pub(super) async fn remove_if_empty(&self) {
        if self.store.files(&self.folder).await.is_ok_and(|files| files.is_empty()) {
            let _ = self.store.remove(&self.folder, None).await;
        }
    }

    /// Removes pieces from the manifest and from the store. The caller must hold the folder's lock and have reloaded
    /// the manifest since. A file that cannot be removed now will be overwritten later.
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
            // Known lengths are no longer valid.
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
