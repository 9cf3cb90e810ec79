//! Hook points: where activations are captured and edited, under the names of TransformerLens.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, ErrorKind, Result};

/// Defines the enum, its list and the properties of each hook in one table, so that none can be forgotten.
macro_rules! block_hooks {
    ($($(#[$about:meta])+ $hook:ident => $text:literal, of_head: $of_head:literal, seen_later: $seen_later:literal;)+) => {
        /// A place within a block.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum BlockHook {
            $($(#[$about])+ $hook,)+
        }

        impl BlockHook {
            /// All of them, in the order in which a block computes them.
            pub const ALL: [Self; [$($text),+].len()] = [$(Self::$hook),+];

            /// Whether every head has its own.
            pub const fn is_of_head(self) -> bool {
                match self { $(Self::$hook => $of_head,)+ }
            }

            /// Whether later positions read it in the same block: everything that keys and values are computed from.
            pub const fn is_seen_by_later_positions(self) -> bool {
                match self { $(Self::$hook => $seen_later,)+ }
            }

            /// The name within a block.
            const fn text(self) -> &'static str {
                match self { $(Self::$hook => $text,)+ }
            }
        }
    };
}

block_hooks! {
    /// The input of the block, `[d_model]`.
    ResidPre => "hook_resid_pre", of_head: false, seen_later: true;
    /// The input of a head's query, before LayerNorm, `[head, d_model]`.
    QInput => "hook_q_input", of_head: true, seen_later: false;
    /// The input of a head's key, before LayerNorm, `[head, d_model]`.
    KInput => "hook_k_input", of_head: true, seen_later: true;
    /// The input of a head's value, before LayerNorm, `[head, d_model]`.
    VInput => "hook_v_input", of_head: true, seen_later: true;
    /// The scale of the LayerNorm before attention, `sqrt(mean((x - mean)^2) + eps)`, one number.
    Ln1Scale => "ln1.hook_scale", of_head: false, seen_later: true;
    /// Queries, `[head, d_head]`.
    Q => "attn.hook_q", of_head: true, seen_later: false;
    /// Keys, `[head, d_head]`.
    K => "attn.hook_k", of_head: true, seen_later: true;
    /// Values, `[head, d_head]`.
    V => "attn.hook_v", of_head: true, seen_later: true;
    /// Attention scores by source position, `[head, src]` with `src` up to the position itself.
    AttnScores => "attn.hook_attn_scores", of_head: true, seen_later: false;
    /// Attention probabilities by source position, as [`BlockHook::AttnScores`].
    Pattern => "attn.hook_pattern", of_head: true, seen_later: false;
    /// The attention-weighted sum of values, `[head, d_head]`.
    Z => "attn.hook_z", of_head: true, seen_later: false;
    /// The output of a head, `z W_O` without b_O, `[head, d_model]`.
    Result => "attn.hook_result", of_head: true, seen_later: false;
    /// Neurons after the activation function, `[d_mlp]`.
    MlpPost => "mlp.hook_post", of_head: false, seen_later: false;
    /// The output of the MLP, b_out included, `[d_model]`.
    MlpOut => "hook_mlp_out", of_head: false, seen_later: false;
}

/// A hook point: "blocks.9.attn.hook_q".
///
/// ```
/// use keyside::names::{BlockHook, HookPoint};
///
/// let point: HookPoint = "blocks.9.attn.hook_q".parse()?;
/// assert_eq!(point, HookPoint::block(9, BlockHook::Q));
/// assert_eq!(point.to_string(), "blocks.9.attn.hook_q");
/// # Ok::<(), keyside::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HookPoint {
    /// A place within a block.
    Block {
        /// The block's layer.
        layer: usize,
        /// The hook.
        hook: BlockHook,
    },
    /// The scale of the final LayerNorm, one number.
    LnFinalScale,
}

impl HookPoint {
    /// `hook` of block `layer`.
    pub const fn block(layer: usize, hook: BlockHook) -> Self {
        Self::Block { layer, hook }
    }

    /// Whether every head has its own.
    pub const fn is_of_head(self) -> bool {
        match self {
            Self::Block { hook, .. } => hook.is_of_head(),
            Self::LnFinalScale => false,
        }
    }
}

const BLOCKS: &str = "blocks.";
const LN_FINAL_SCALE: &str = "ln_final.hook_scale";

impl fmt::Display for HookPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Block { layer, hook } => write!(f, "{BLOCKS}{layer}.{}", hook.text()),
            Self::LnFinalScale => f.write_str(LN_FINAL_SCALE),
        }
    }
}

impl FromStr for HookPoint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text == LN_FINAL_SCALE {
            return Ok(Self::LnFinalScale);
        }
        let of_block = text.strip_prefix(BLOCKS).and_then(|rest| {
            let (layer, name) = rest.split_once('.')?;
            let hook = BlockHook::ALL.into_iter().find(|hook| hook.text() == name)?;
            Some(Self::block(layer.parse().ok()?, hook))
        });
        of_block.ok_or_else(|| {
            let names = BlockHook::ALL.map(BlockHook::text).join(", ");
            Error::new(ErrorKind::Request, format!("\"{text}\" is not a hook point"))
                .expected(format!("{LN_FINAL_SCALE}, or {BLOCKS}L. and one of {names}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        let blocks = BlockHook::ALL.map(|hook| HookPoint::block(11, hook));
        for point in blocks.into_iter().chain([HookPoint::LnFinalScale]) {
            assert_eq!(point.to_string().parse::<HookPoint>(), Ok(point));
        }
        assert_eq!(
            HookPoint::block(3, BlockHook::MlpPost).to_string(),
            "blocks.3.mlp.hook_post"
        );
        for text in ["", "blocks.", "blocks.x.attn.hook_q", "blocks.1.hook_q", "hook_q"] {
            let error = text.parse::<HookPoint>().expect_err(text);
            assert!(error.to_string().contains("is not a hook point"), "{error}");
        }
    }
}
