//! Makers of prompts, and the entry in a result about the source of its prompts.

use crate::error::Result;
use crate::model::Tokenizer;
use crate::prompts::Prompt;

/// Makes the prompts of runs. A new maker is a file with an implementation of this trait and of [`Entry`], and a line
/// in the list of `prompts/mod.rs`.
pub(crate) trait Maker: Sized {
    /// The entry in a result.
    type Entry: Entry<Maker = Self>;

    /// Checks the settings as far as possible without a model.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Request`] for what makes no sense.
    fn check(&self) -> Result<()>;

    /// The seed of all draws; of the first batch, if batches have different seeds.
    fn seed(&self) -> u64;

    /// Mutable access to the same.
    fn seed_mut(&mut self) -> &mut u64;

    /// Whether prompts start with BOS.
    fn prepend_bos(&self) -> bool;

    /// Mutable access to the same.
    fn prepend_bos_mut(&mut self) -> &mut bool;

    /// Number of batches; an upper bound if it is known only after the prompts are made.
    fn batches(&self) -> usize;

    /// The entry of a result without prompts.
    fn empty(&self) -> Self::Entry;

    /// Makes the prompts by batch (no batch is empty) and their entry, for a model with `tokenizer` and a context of
    /// `n_ctx` tokens. `before_each` is awaited before every batch, and may cancel.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Prompt`] where there can be no such prompts, and `before_each`'s.
    async fn make(
        &self,
        tokenizer: &Tokenizer,
        n_ctx: usize,
        before_each: impl AsyncFnMut() -> Result<()>,
    ) -> Result<(Vec<Vec<Prompt>>, Self::Entry)>;
}

/// The entry in a result about the source of its prompts.
pub(crate) trait Entry {
    /// The maker.
    type Maker;

    /// The maker's settings, as far as the entry contains them.
    fn asked(&self) -> Self::Maker;

    /// Number of prompts.
    fn count(&self) -> usize;

    /// Remarks on the prompts: sentences.
    fn notes(&self) -> &[String] {
        &[]
    }

    /// Adds one more batch, of `prompts` prompts.
    fn add_batch(&mut self, prompts: usize);

    /// Checks that there are prompts, and that the entry is possible.
    ///
    /// # Errors
    /// [`crate::ErrorKind::ResultFile`] where there are none, or they can't have been.
    fn check(&self) -> Result<()>;
}

/// Defines `PromptSource` and `PromptSet` from one list of makers: variant of both, maker, entry.
macro_rules! makers {
    ($($(#[$about:meta])+ $variant:ident($maker:ty) => $entry:ty;)+) => {
        /// The maker of a run's prompts, with its settings.
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum PromptSource {
            $($(#[$about])+ $variant($maker),)+
        }

        /// The source of a result's prompts, by maker. In a result file `{"maker": "ioi", "seed": 0, ...}`.
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(tag = "maker", rename_all = "snake_case")]
        pub enum PromptSet {
            $($(#[$about])+ $variant($entry),)+
        }

        /// Prompts made for a run.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Made {
            /// The prompts by batch; no batch is empty.
            pub batches: Vec<Vec<$crate::prompts::prompt::Prompt>>,
            /// Their source, for the result.
            pub set: PromptSet,
        }

        impl PromptSource {
            /// Checks the settings as far as possible without a model.
            ///
            /// # Errors
            /// [`crate::ErrorKind::Request`] for what makes no sense.
            pub fn check(&self) -> $crate::error::Result<()> {
                match self { $(Self::$variant(maker) => $crate::prompts::maker::Maker::check(maker),)+ }
            }

            /// The seed of all draws; of the first batch, if batches have different seeds.
            pub fn seed(&self) -> u64 {
                match self { $(Self::$variant(maker) => $crate::prompts::maker::Maker::seed(maker),)+ }
            }

            /// Mutable access to the same.
            pub fn seed_mut(&mut self) -> &mut u64 {
                match self { $(Self::$variant(maker) => $crate::prompts::maker::Maker::seed_mut(maker),)+ }
            }

            /// Whether prompts start with BOS.
            pub fn prepend_bos(&self) -> bool {
                match self { $(Self::$variant(maker) => $crate::prompts::maker::Maker::prepend_bos(maker),)+ }
            }

            /// Mutable access to the same.
            pub fn prepend_bos_mut(&mut self) -> &mut bool {
                match self { $(Self::$variant(maker) => $crate::prompts::maker::Maker::prepend_bos_mut(maker),)+ }
            }

            /// Number of batches; an upper bound if it is known only after the prompts are made.
            pub fn batches(&self) -> usize {
                match self { $(Self::$variant(maker) => $crate::prompts::maker::Maker::batches(maker),)+ }
            }

            /// The entry of a result without prompts.
            pub fn empty_set(&self) -> PromptSet {
                match self {
                    $(Self::$variant(maker) => PromptSet::$variant($crate::prompts::maker::Maker::empty(maker)),)+
                }
            }

            /// Makes the prompts for a model with `tokenizer` and a context of `n_ctx` tokens. `before_each` is awaited
            /// before every batch, and may cancel.
            ///
            /// # Errors
            /// [`crate::ErrorKind::Prompt`] where there can be no such prompts, and `before_each`'s.
            pub async fn make(
                &self,
                tokenizer: &$crate::model::Tokenizer,
                n_ctx: usize,
                before_each: impl AsyncFnMut() -> $crate::error::Result<()>,
            ) -> $crate::error::Result<Made> {
                match self {
                    $(Self::$variant(maker) => {
                        let made = $crate::prompts::maker::Maker::make(maker, tokenizer, n_ctx, before_each);
                        let (batches, entry) = made.await?;
                        Ok(Made { batches, set: PromptSet::$variant(entry) })
                    })+
                }
            }
        }

        impl PromptSet {
            /// The maker's settings, as far as the entry contains them: it has no texts of own prompts, which are in
            /// the result's prompts.
            pub fn source(&self) -> PromptSource {
                match self {
                    $(Self::$variant(entry) => PromptSource::$variant($crate::prompts::maker::Entry::asked(entry)),)+
                }
            }

            /// Number of prompts.
            pub fn count(&self) -> usize {
                match self { $(Self::$variant(entry) => $crate::prompts::maker::Entry::count(entry),)+ }
            }

            /// Remarks on the prompts: sentences.
            pub fn notes(&self) -> &[String] {
                match self { $(Self::$variant(entry) => $crate::prompts::maker::Entry::notes(entry),)+ }
            }

            /// Adds one more batch, of `prompts` prompts.
            pub fn add_batch(&mut self, prompts: usize) {
                match self { $(Self::$variant(entry) => $crate::prompts::maker::Entry::add_batch(entry, prompts),)+ }
            }

            /// Checks that there are prompts, and that the entry is possible.
            ///
            /// # Errors
            /// [`crate::ErrorKind::ResultFile`] where there are none, or they can't have been.
            pub fn check(&self) -> $crate::error::Result<()> {
                match self { $(Self::$variant(entry) => $crate::prompts::maker::Entry::check(entry),)+ }
            }
        }

        $(impl From<$maker> for PromptSource {
            fn from(maker: $maker) -> Self {
                Self::$variant(maker)
            }
        })+
    };
}
