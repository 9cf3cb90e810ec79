//! Divides a weights file into pieces to store, and combines reads of adjacent tensors into requests.

use std::ops::Range;

/// A tensor larger than this, in bytes, is cut into equal pieces.
const LARGEST_PIECE: u64 = 16 << 20;
/// Adjacent tensors are combined into one piece up to this size in bytes.
const JOINED_PIECE: u64 = 8 << 20;
/// Limit of the bytes that one request reads.
const LARGEST_REQUEST: u64 = 32 << 20;
/// A gap between two ranges up to this size, in bytes, is read along instead of sending two requests.
const SMALL_GAP: u64 = 64 << 10;

/// Divides the byte ranges of tensors (ascending) into pieces.
///
/// The result depends on the file alone, not on what a run needs of it, so that later runs find the same pieces.
pub(crate) fn divide(tensors: impl IntoIterator<Item = Range<u64>>) -> Vec<Range<u64>> {
    let mut pieces: Vec<Range<u64>> = Vec::new();
    let mut open = false;
    for tensor in tensors {
        let size = tensor.end - tensor.start;
        if size > LARGEST_PIECE {
            pieces.extend(cut(&tensor));
            open = false;
            continue;
        }
        match pieces.last_mut() {
            Some(last) if open && last.end == tensor.start && tensor.end - last.start <= JOINED_PIECE => {
                last.end = tensor.end;
            }
            _ if size == 0 => continue,
            _ => pieces.push(tensor),
        }
        open = true;
    }
    pieces
}

/// Cuts a large tensor into equal pieces.
fn cut(tensor: &Range<u64>) -> impl Iterator<Item = Range<u64>> + use<> {
    let (start, size) = (tensor.start, tensor.end - tensor.start);
    let count = size.div_ceil(LARGEST_PIECE);
    // u128, so that corrupt sizes cannot overflow the product.
    let edge = move |index: u64| start + (u128::from(size) * u128::from(index) / u128::from(count)) as u64;
    (0..count).map(move |index| edge(index)..edge(index + 1))
}

/// The ranges to request in order to read `wanted` (ascending): adjacent ones are combined, and ranges end where pieces
/// end.
pub(crate) fn requests(wanted: &[Range<u64>], pieces: &[Range<u64>]) -> Vec<Range<u64>> {
    let mut requests: Vec<Range<u64>> = Vec::new();
    for part in wanted.iter().flat_map(|range| at_edges(range, pieces)) {
        match requests.last_mut() {
            Some(last) if part.start <= last.end + SMALL_GAP && part.end - last.start <= LARGEST_REQUEST => {
                last.end = last.end.max(part.end);
            }
            _ => requests.push(part),
        }
    }
    requests
}

/// Cuts `range` at the ends of pieces.
fn at_edges(range: &Range<u64>, pieces: &[Range<u64>]) -> Vec<Range<u64>> {
    let first = pieces.partition_point(|piece| piece.end <= range.start);
    let mut parts = Vec::new();
    let mut start = range.start;
    for piece in &pieces[first..] {
        if piece.end >= range.end {
            break;
        }
        parts.push(start..piece.end);
        start = piece.end;
    }
    if start < range.end {
        parts.push(start..range.end);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    const MB: u64 = 1 << 20;

    #[test]
    fn neighbors_are_joined_and_large_tensors_cut() {
        let tensors = [
            0..MB,
            MB..3 * MB,
            4 * MB..11 * MB,
            11 * MB..13 * MB,
            13 * MB..53 * MB,
            53 * MB..54 * MB,
        ];
        let pieces = divide(tensors);
        assert_eq!(pieces[..3], [0..3 * MB, 4 * MB..11 * MB, 11 * MB..13 * MB]);
        assert_eq!(pieces.len(), 7);
        assert_eq!((pieces[3].start, pieces[5].end), (13 * MB, 53 * MB));
        assert_eq!(pieces[6], 53 * MB..54 * MB);
        for pair in pieces.windows(2) {
            assert!(pair[0].end <= pair[1].start);
            assert!(pair[0].end - pair[0].start <= LARGEST_PIECE);
        }
        assert!(divide([0..0, 0..0]).is_empty());
    }

    #[test]
    fn a_block_of_gpt2_small_is_one_request_and_its_embedding_five() {
        let d = 768 * 4;
        let sizes = [
            3 * d,
            768 * 3 * d,
            d,
            768 * d,
            d,
            d,
            d,
            d,
            4 * d,
            768 * 4 * d,
            d,
            4 * 768 * d,
            50257 * d,
        ];
        let mut end = 0;
        let tensors = sizes.map(|size| {
            end += size;
            end - size..end
        });
        let pieces = divide(tensors.clone());
        assert_eq!(requests(&tensors[..12], &pieces), vec![0..tensors[11].end; 1]);
        let embedding = requests(&tensors[12..], &pieces);
        assert_eq!(embedding.len(), 5);
        for request in embedding {
            assert!(
                (8 * MB..=32 * MB).contains(&(request.end - request.start)),
                "{request:?}"
            );
        }
    }

    #[test]
    fn requests_read_exactly_what_is_wanted_and_small_gaps() {
        let pieces = [0..MB, MB..2 * MB, 2 * MB..40 * MB];
        let wanted = [0..10, 100..200, MB / 2..MB / 2 + 4, 3 * MB..4 * MB];
        assert_eq!(requests(&wanted, &pieces), [0..200, MB / 2..MB / 2 + 4, 3 * MB..4 * MB]);
        assert_eq!(requests(&vec![0..3 * MB; 1], &pieces), vec![0..3 * MB; 1]);
        assert!(requests(&[], &pieces).is_empty());
    }
}
