//! Finds models among the files that the user has picked or dropped. Files of different folders are never combined.

use std::collections::BTreeMap;

use crate::error::{Error, ErrorKind, Result};
use crate::model::Checkpoint;

/// A model among picked files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PickedModel {
    /// Path of its folder within the picked files; empty for files picked individually.
    pub folder: String,
    /// The indices of its files.
    pub files: Vec<usize>,
}

/// The models in files with these `paths` ("folder/config.json", or just a name), at least one.
///
/// # Errors
/// [`ErrorKind::Missing`] where no folder has all files of a model, naming what the one lacks that has most;
/// [`ErrorKind::Source`] where two files have one name.
pub fn models_among(paths: &[String]) -> Result<Vec<PickedModel>> {
    let mut folders = BTreeMap::<&str, Vec<usize>>::new();
    for (index, path) in paths.iter().enumerate() {
        folders.entry(folder_of(path)).or_default().push(index);
    }
    let (mut models, mut failed) = (Vec::new(), Vec::new());
    for (folder, files) in folders {
        let names: Vec<String> = files.iter().map(|index| name_of(&paths[*index]).to_owned()).collect();
        let twice = names
            .iter()
            .find(|name| names.iter().filter(|other| other == name).count() > 1);
        if let Some(name) = twice {
            return Err(
                Error::new(ErrorKind::Source, format!("two of the files are called {name}"))
                    .expected("the files of one model")
                    .advice("Pick the files of one folder."),
            );
        }
        let location = if folder.is_empty() { "the picked files" } else { folder };
        match Checkpoint::check_listing(&names, location) {
            Ok(()) => models.push(PickedModel {
                folder: folder.to_owned(),
                files,
            }),
            Err((lacking, error)) => failed.push((lacking, error)),
        }
    }
    match (
        models.is_empty(),
        failed.into_iter().min_by_key(|(lacking, _)| *lacking),
    ) {
        (true, Some((_, error))) => Err(error),
        (true, None) => Err(Error::new(ErrorKind::Missing, "no files were picked").expected("the files of one model")),
        (false, _) => Ok(models),
    }
}

/// The folder part of a path.
pub fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn name_of(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn among(paths: &[&str]) -> Result<Vec<PickedModel>> {
        let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
        models_among(&paths)
    }

    fn folders(paths: &[&str]) -> Vec<String> {
        among(paths)
            .expect("a model")
            .into_iter()
            .map(|model| model.folder)
            .collect()
    }

    #[test]
    fn a_model_is_the_files_of_one_folder() {
        assert_eq!(folders(&["config.json", "model.safetensors", "tokenizer.json"]), [""]);
        assert_eq!(
            among(&[
                "m/x/notes.txt",
                "m/config.json",
                "m/model.safetensors",
                "m/vocab.json",
                "m/merges.txt"
            ]),
            Ok(vec![PickedModel {
                folder: "m".into(),
                files: vec![1, 2, 3, 4],
            }])
        );
        let shards = [
            "m/config.json",
            "m/tokenizer.json",
            "m/model.safetensors.index.json",
            "m/model-00001-of-00001.safetensors",
        ];
        assert_eq!(folders(&shards), ["m"]);
        let two = [
            "m/a/config.json",
            "m/a/model.safetensors",
            "m/a/tokenizer.json",
            "m/b/config.json",
            "m/b/model.safetensors",
            "m/b/tokenizer.json",
        ];
        assert_eq!(folders(&two), ["m/a", "m/b"]);
    }

    #[test]
    fn files_of_two_folders_are_no_model() {
        let error =
            among(&["m/a/config.json", "m/a/tokenizer.json", "m/b/model.safetensors"]).expect_err("two folders");
        assert_eq!(error.cause, "model.safetensors is missing in m/a");
        let error = among(&["config.json"]).expect_err("one file");
        assert_eq!(
            error.cause,
            "model.safetensors and tokenizer.json is missing in the picked files"
        );
        let error = among(&["m/config.json", "m/tokenizer.json", "m/pytorch_model.bin"]).expect_err("PyTorch's");
        assert!(error.cause.contains("but pytorch_model.bin"), "{error}");
        let error = among(&["config.json", "config.json", "model.safetensors", "tokenizer.json"]).expect_err("twice");
        assert!(error.cause.contains("called config.json"), "{error}");
        assert!(among(&[]).is_err());
    }
}
