//! Passes over edited sequences: made from the cached activations of another pass, with vectors in the place of some.

use std::ops::Range;
use std::rc::Rc;

use super::{Edited, Pass, Request};
use crate::compute::rows::Edit as RowEdit;
use crate::error::{Error, ErrorKind, Result};
use crate::forward::edit::{self, Variant};
use crate::model::Config;
use crate::names::HookPoint;

impl Pass {
    /// A pass over `variants` of the sequences of this pass, which must have gone through all layers of a model of
    /// `config` and have cached them (see [`Request::keep_from`]).
    ///
    /// Its [`PrefixTree`](crate::forward::PrefixTree) has one sequence per variant. Rows that cannot change are those of this pass; the others are
    /// new, and are computed from the first layer on in which something can change. Add what is to be captured to its
    /// request.
    ///
    /// ```
    /// # use futures::executor::block_on;
    /// # use keyside::checkpoint::FileSource;
    /// # use keyside::model::Processing;
    /// use keyside::forward::{Edit, Model, Pass, PrefixTree, Request, NoMonitor, Variant};
    /// use keyside::names::BlockHook;
    ///
    /// # let source = Box::new(FileSource::new("tests/fixtures/tiny"));
    /// # let mut model = block_on(Model::open(source, Processing::default()))?;
    /// // All layers of a sentence, kept.
    /// let tokens = model.tokenizer().encode("The keys to the cabinet")?;
    /// let request = Request { keep_from: Some(0), ..Request::default() };
    /// let mut passes = [Pass::new(PrefixTree::new([&tokens[..]]), request)];
    /// block_on(model.run(&mut passes, 3, &NoMonitor))?;
    /// // The same without what head 1.2 writes at position 3.
    /// let edits = vec![Edit::of_head(1, BlockHook::Z, 2, 3, vec![0.0; model.config().d_head()])];
    /// let variant = Variant { edits, ..Variant::default() };
    /// let mut edited = [passes[0].edited(model.config(), &[variant])?];
    /// block_on(model.run(&mut edited, 3, &NoMonitor))?;
    /// let last = |pass: &Pass| pass.tree.path(0).last().copied().into_iter().collect::<Vec<_>>();
    /// let before = block_on(model.logits(&passes[0], &last(&passes[0]), &NoMonitor))?;
    /// let after = block_on(model.logits(&edited[0], &last(&edited[0]), &NoMonitor))?;
    /// assert_ne!(before, after);
    /// # Ok::<(), keyside::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for a sequence, layer, head or position that does not exist, a vector of a wrong width or with
    /// a number that is not finite, and a layer that was not kept.
    pub fn edited(&self, config: &Config, variants: &[Variant]) -> Result<Self> {
        if !self.kept.has(config.n_layer) {
            return Err(Error::new(
                ErrorKind::Request,
                "a pass can't be edited that has not kept its layers",
            )
            .expected("one that has gone through all of them and was asked to keep them"));
        }
        let rows = edit::Rows::new(&self.tree, &self.kept, config, variants)?;
        let mut pass = Self::new(rows.tree, Request::default());
        pass.edited = Some(Edited {
            base: Rc::clone(&self.kept),
            unchanged: rows.unchanged,
            copied: rows.copied,
            read_from: rows.read_from,
            edits: rows.edits,
        });
        Ok(pass)
    }

    /// The edits of block `layer` at rows in `range`, in the form that an engine takes.
    pub(super) fn edits_in(&self, layer: usize, range: &Range<usize>) -> Vec<RowEdit> {
        let edits = self.edited.iter().flat_map(|edited| &edited.edits);
        edits
            .filter(|(row, _)| range.contains(row))
            .filter_map(|(row, edit)| match edit.point {
                HookPoint::Block { layer: of, hook } if of == layer => Some(RowEdit {
                    hook,
                    head: edit.head,
                    row: *row,
                    value: edit.value.clone(),
                }),
                _ => None,
            })
            .collect()
    }
}
