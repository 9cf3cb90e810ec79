//! The kinds of work that threads share.

use super::attention::Attention;
use super::functions::softmax;
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
use super::lanes::Plain as Native;
use super::norm::{Norm, normalize};
use super::output::Output;
use super::pack::PackRows;
use super::product::Product;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use super::simd::Simd as Native;

/// Number of rows per piece of work.
const TILE_ROWS: usize = 16;

/// Work in independent pieces.
#[derive(Clone, Copy)]
pub(super) enum Phase<'a> {
    PackRows(PackRows<'a>),
    Product(Product<'a>),
    Attention(Attention<'a>),
    /// LayerNorm of `x [rows, width]`.
    Norm {
        x: &'a [f32],
        width: usize,
        norm: Norm<'a>,
        out: Output<'a>,
    },
    /// Softmax of each of `rows` rows, in place.
    Softmax {
        x: Output<'a>,
        rows: usize,
        width: usize,
    },
}

impl Phase<'_> {
    /// Number of pieces.
    pub(super) fn tiles(&self) -> usize {
        match self {
            Self::PackRows(rows) => rows.tiles(),
            Self::Product(product) => product.tiles(),
            Self::Attention(attention) => attention.tiles(),
            Self::Norm { x, width, .. } => x.len().checked_div(*width).unwrap_or(0).div_ceil(TILE_ROWS),
            Self::Softmax { rows, .. } => rows.div_ceil(TILE_ROWS),
        }
    }

    /// Computes one piece.
    pub(super) fn run(&self, tile: usize) {
        match self {
            Self::PackRows(rows) => rows.run::<Native>(tile),
            Self::Product(product) => product.run::<Native>(tile),
            Self::Attention(attention) => attention.run::<Native>(tile),
            Self::Norm { x, width, norm, out } => {
                let rows = x.chunks_exact(*width).enumerate();
                for (index, row) in rows.skip(tile * TILE_ROWS).take(TILE_ROWS) {
                    // SAFETY: rows do not overlap, and each belongs to one tile.
                    normalize::<Native>(row, norm, unsafe { out.part(index * width, *width) });
                }
            }
            Self::Softmax { x, rows, width } => {
                for row in tile * TILE_ROWS..((tile + 1) * TILE_ROWS).min(*rows) {
                    // SAFETY: as above.
                    softmax::<Native>(unsafe { x.part(row * width, *width) });
                }
            }
        }
    }
}
