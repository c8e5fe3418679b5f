//! The part of a world that is saved, and its form; the rest follows from the configuration. Pure.

use serde::{Deserialize, Serialize};

use super::book::Book;
use super::effects::Counts;
use super::past::late::LateBook;
use super::past::rejudge::Rejudging;
use crate::detection::meters::arrivals::Arrivals;
use crate::detection::site::SiteJudge;
use crate::model::reading::Offset;
use crate::model::time::UtcMs;
use crate::sources::mqtt::merge::Merge;

/// The engine waits meanwhile: half the time of zstd's first ordinary level, for a sixth more bytes.
const COMPRESSION_LEVEL: i32 = -1;

/// The compressor is given so much at once, bytes: the state comes to it in single numbers.
const SAVE_BUFFER_BYTES: usize = 64 << 10;

/// What is saved.
#[derive(Default, Deserialize)]
pub(super) struct Saved {
    pub(super) judges: Vec<SiteJudge>,
    pub(super) versions: Vec<Offset>,
    pub(super) late: LateBook,
    pub(super) past: Option<Box<Rejudging>>,
    pub(super) readings_at_tick: u64,
    pub(super) merge: Merge,
    pub(super) now: UtcMs,
    pub(super) counts: Counts,
    pub(super) arrivals: Arrivals,
    pub(super) book: Book,
}

/// The same, borrowed.
#[derive(Serialize)]
pub(super) struct Borrowed<'a> {
    pub(super) judges: &'a [SiteJudge],
    pub(super) versions: &'a [Offset],
    pub(super) late: &'a LateBook,
    pub(super) past: &'a Option<Box<Rejudging>>,
    pub(super) readings_at_tick: u64,
    pub(super) merge: &'a Merge,
    pub(super) now: UtcMs,
    pub(super) counts: Counts,
    pub(super) arrivals: &'a Arrivals,
    pub(super) book: &'a Book,
}

/// Why a world cannot be saved or restored.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// Not in the form of a saved world.
    #[error("the state is not in its saved form")]
    Form(#[source] postcard::Error),
    /// Not compressed as a saved world is.
    #[error("the state cannot be compressed or uncompressed")]
    Packing(#[source] std::io::Error),
}

/// As bytes, compressed, behind what `out` holds.
///
/// # Errors
/// They cannot be written; else only memory could be the reason.
pub(super) fn pack<W: std::io::Write>(all: &Borrowed<'_>, out: W) -> Result<W, SaveError> {
    let packer = zstd::Encoder::new(out, COMPRESSION_LEVEL).map_err(SaveError::Packing)?;
    let packer = std::io::BufWriter::with_capacity(SAVE_BUFFER_BYTES, packer);
    let packer = postcard::to_io(all, packer).map_err(SaveError::Form)?;
    let packer = packer.into_inner().map_err(|error| SaveError::Packing(error.into_error()))?;
    packer.finish().map_err(SaveError::Packing)
}

/// From its bytes.
///
/// # Errors
/// They are not that.
pub(super) fn unpack(bytes: &[u8]) -> Result<Saved, SaveError> {
    let bytes = zstd::decode_all(bytes).map_err(SaveError::Packing)?;
    postcard::from_bytes(&bytes).map_err(SaveError::Form)
}
