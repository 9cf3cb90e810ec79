//! What makes prompts, and what stands in a result for where they come from.

use crate::error::Result;
use crate::model::Tokenizer;
use crate::prompts::Prompt;

/// Makes the prompts of runs. A new one is a file with an implementation of this and of [`Entry`], and a line in the list of
/// `prompts/mod.rs`.
pub(crate) trait Maker: Sized {
    /// What stands in a result for its prompts.
    type Entry: Entry<Maker = Self>;

    /// Checks what it is asked for, as far as that needs no model.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Request`] for what makes no sense.
    fn check(&self) -> Result<()>;

    /// The seed of all that is drawn: of the first batch, where there are several draws.
    fn seed(&self) -> u64;

    /// The same, to be changed.
    fn seed_mut(&mut self) -> &mut u64;

    /// Whether prompts start with BOS.
    fn prepend_bos(&self) -> bool;

    /// The same, to be changed.
    fn prepend_bos_mut(&mut self) -> &mut bool;

    /// Number of batches; the most there can be where that is known only when the prompts are made.
    fn batches(&self) -> usize;

    /// The entry of a result that has no prompts yet.
    fn empty(&self) -> Self::Entry;

    /// The prompts by batch, none of which is empty, for a model with `tokenizer` and a context of `n_ctx` tokens, and their
    /// entry; `before_each` is called before every batch, and may stop it.
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

/// Where the prompts of a result come from.
pub(crate) trait Entry {
    /// What made them.
    type Maker;

    /// What was asked for, as far as the entry says that.
    fn asked(&self) -> Self::Maker;

    /// Number of prompts.
    fn count(&self) -> usize;

    /// What is to be known of the prompts: sentences.
    fn notes(&self) -> &[String] {
        &[]
    }

    /// Counts one more batch, of `prompts` prompts.
    fn add_batch(&mut self, prompts: usize);

    /// Checks that there are prompts, and that each can have been made.
    ///
    /// # Errors
    /// [`crate::ErrorKind::ResultFile`] where there are none, or they can't have been.
    fn check(&self) -> Result<()>;
}

/// Defines `PromptSource` and `PromptSet` from one list of makers: variant of both, maker, entry.
macro_rules! makers {
    ($($(#[$about:meta])+ $variant:ident($maker:ty) => $entry:ty;)+) => {
        /// What makes the prompts of a run.
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum PromptSource {
            $($(#[$about])+ $variant($maker),)+
        }

        /// Where the prompts of a run come from, by maker. In a result file `{"maker": "ioi", "seed": 0, ...}`.
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(tag = "maker", rename_all = "snake_case")]
        pub enum PromptSet {
            $($(#[$about])+ $variant($entry),)+
        }

        /// Prompts that were made.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Made {
            /// The prompts by batch, none of which is empty.
            pub batches: Vec<Vec<$crate::prompts::prompt::Prompt>>,
            /// Where they come from, for the result.
            pub set: PromptSet,
        }

        impl PromptSource {
            /// Checks what is asked for, as far as that needs no model.
            ///
            /// # Errors
            /// [`crate::ErrorKind::Request`] for what makes no sense.
            pub fn check(&self) -> $crate::error::Result<()> {
                match self { $(Self::$variant(maker) => $crate::prompts::maker::Maker::check(maker),)+ }
            }

            /// The seed of all that is drawn: of the first batch, where there are several draws.
            pub fn seed(&self) -> u64 {
                match self { $(Self::$variant(maker) => $crate::prompts::maker::Maker::seed(maker),)+ }
            }

            /// The same, to be changed.
            pub fn seed_mut(&mut self) -> &mut u64 {
                match self { $(Self::$variant(maker) => $crate::prompts::maker::Maker::seed_mut(maker),)+ }
            }

            /// Whether prompts start with BOS.
            pub fn prepend_bos(&self) -> bool {
                match self { $(Self::$variant(maker) => $crate::prompts::maker::Maker::prepend_bos(maker),)+ }
            }

            /// The same, to be changed.
            pub fn prepend_bos_mut(&mut self) -> &mut bool {
                match self { $(Self::$variant(maker) => $crate::prompts::maker::Maker::prepend_bos_mut(maker),)+ }
            }

            /// Number of batches; the most there can be where that is known only when the prompts are made.
            pub fn batches(&self) -> usize {
                match self { $(Self::$variant(maker) => $crate::prompts::maker::Maker::batches(maker),)+ }
            }

            /// The entry of a result that has no prompts yet.
            pub fn empty_set(&self) -> PromptSet {
                match self {
                    $(Self::$variant(maker) => PromptSet::$variant($crate::prompts::maker::Maker::empty(maker)),)+
                }
            }

            /// Makes the prompts of a model with `tokenizer` and a context of `n_ctx` tokens; `before_each` is called before
            /// every batch, and may stop it.
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
            /// What was asked for, as far as this says it: texts that a reader wrote are in the prompts alone.
            pub fn source(&self) -> PromptSource {
                match self {
                    $(Self::$variant(entry) => PromptSource::$variant($crate::prompts::maker::Entry::asked(entry)),)+
                }
            }

            /// Number of prompts.
            pub fn count(&self) -> usize {
                match self { $(Self::$variant(entry) => $crate::prompts::maker::Entry::count(entry),)+ }
            }

            /// What is to be known of the prompts: sentences.
            pub fn notes(&self) -> &[String] {
                match self { $(Self::$variant(entry) => $crate::prompts::maker::Entry::notes(entry),)+ }
            }

            /// Counts one more batch, of `prompts` prompts.
            pub fn add_batch(&mut self, prompts: usize) {
                match self { $(Self::$variant(entry) => $crate::prompts::maker::Entry::add_batch(entry, prompts),)+ }
            }

            /// Checks that there are prompts, and that each can have been made.
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
