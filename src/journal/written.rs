//! What the writer has written since the start: how long its commits took, how many there were, and how large.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};

/// Shortest commit told apart, s: below it nothing was flushed.
const SHORTEST_S: f64 = 0.000_5;

/// Bounds of commit times, each twice the one before: up to 16 s, by when a disk is as good as gone.
const N_BOUNDS: u16 = 16;

/// The figures; clones are the same ones.
#[derive(Clone, Debug)]
pub struct Written {
    /// Time of each commit up to and with its flush to disk, s.
    pub commit_seconds: Histogram,
    /// Rows, one a commit.
    pub rows: Counter,
    /// Bytes of messages, before they were compressed.
    pub raw_bytes: Counter,
    /// Bytes of rows as they lie there, compressed.
    pub bytes: Counter,
}

impl Default for Written {
    fn default() -> Written {
        Written {
            commit_seconds: Histogram::new(exponential_buckets(SHORTEST_S, 2.0, N_BOUNDS)),
            rows: Counter::default(),
            raw_bytes: Counter::default(),
            bytes: Counter::default(),
        }
    }
}
