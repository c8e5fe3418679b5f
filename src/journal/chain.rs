//! The hash chain: each row's hash covers the hash before it, its own figures and its bytes. Pure.

use sha2::{Digest, Sha256};

use crate::model::reading::Offset;
use crate::model::time::UtcMs;

/// A SHA-256.
pub type Hash = [u8; 32];

/// What stands before the first row.
pub const GENESIS: Hash = [0; 32];

/// The figures of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowHead {
    /// First message.
    pub first: Offset,
    /// Last message.
    pub last: Offset,
    /// When it was committed.
    pub committed: UtcMs,
    /// Length before compression.
    pub raw_bytes: u64,
}

/// The hash of a row.
#[must_use]
pub fn link(before: &Hash, head: &RowHead, body: &[u8]) -> Hash {
    let mut hash = Sha256::new();
    hash.update(before);
    for figure in [head.first, head.last, head.committed.0.cast_unsigned(), head.raw_bytes] {
        hash.update(figure.to_be_bytes());
    }
    hash.update(body);
    hash.finalize().into()
}
