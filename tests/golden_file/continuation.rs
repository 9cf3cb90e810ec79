//! Continuations by the bundled model, the same natively and in a browser.

#![allow(dead_code, reason = "every test uses a part of it")]

use keyside::forward::Sampling;

/// The sentence that the bundled model (`public/models/tiny-ioi`) goes on after.
pub const TEXT: &str = "When Mary and John went to the store, John gave a drink to";

/// How tokens are drawn.
pub const SAMPLING: Sampling = Sampling {
    temperature: 0.9,
    top_k: Some(100),
    top_p: Some(0.95),
    seed: 7,
};

/// The fifty tokens that follow.
pub const CONTINUATION: [u32; 50] = [
    3306, 13, 3281, 2921, 257, 3280, 284, 3306, 13, 3295, 2921, 257, 3401, 284, 3306, 13, 3391, 2921, 257, 3409, 284,
    3306, 13, 1757, 2921, 257, 3315, 284, 3306, 13, 3473, 2921, 257, 3594, 284, 3306, 13, 3394, 2921, 257, 3280, 284,
    3306, 13, 1757, 2921, 257, 3541, 284, 1757,
];
