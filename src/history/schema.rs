//! Tables of history, and how a block's number is made.

use crate::model::time::{HOUR_MS, UtcMs};

/// The tables. Bodies are groups of columns, see `group`.
///
/// - `history_row`: one engine step. Numbers are never used again, because the outbox names rows by them.
/// - `history_part`: readings on their way from rows to blocks; `history_place` counts them by hour and bucket.
/// - `history_block`: a meter's hour; meter in the high, hour in the low 32 bits of its number.
/// - `history_kept`: from this hour on nothing was removed.
/// - `history_mark`: all rows up to `gathered` are in parts or blocks; `block_bytes` is the size of all blocks.
pub const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS history_meter (key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS history_row (
  id INTEGER PRIMARY KEY AUTOINCREMENT, n INTEGER NOT NULL, min_ms INTEGER NOT NULL, max_ms INTEGER NOT NULL,
  received_ms INTEGER NOT NULL, body BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS history_part (
  id INTEGER PRIMARY KEY, bucket INTEGER NOT NULL, hour INTEGER NOT NULL, body BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS history_part_by_place ON history_part (bucket, hour);
CREATE TABLE IF NOT EXISTS history_place (
  hour INTEGER, bucket INTEGER, n INTEGER NOT NULL, PRIMARY KEY (hour, bucket)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS history_block (id INTEGER PRIMARY KEY, hour INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS history_block_by_hour ON history_block (hour);
CREATE TABLE IF NOT EXISTS history_mark (
  id INTEGER PRIMARY KEY CHECK (id = 1), gathered INTEGER NOT NULL, block_bytes INTEGER NOT NULL
);
INSERT OR IGNORE INTO history_mark VALUES (1, 0, 0);
CREATE TABLE IF NOT EXISTS history_kept (id INTEGER PRIMARY KEY CHECK (id = 1), hour INTEGER NOT NULL);
INSERT OR IGNORE INTO history_kept VALUES (1, -1000000000);
";

/// Meters whose readings travel together from rows to blocks, as a power of two.
const BUCKET_BITS: u32 = 7;

/// Hours since 1970. Times beyond 245,000 years share the outermost hours; their readings keep the exact time.
pub(super) fn hour_of(time: UtcMs) -> i32 {
    let hour = time.0.div_euclid(HOUR_MS);
    i32::try_from(hour).unwrap_or(if hour < 0 { i32::MIN } else { i32::MAX })
}

/// The bucket of a meter.
pub(super) const fn bucket_of(meter: u32) -> u32 {
    meter >> BUCKET_BITS
}

/// The number of a meter's block of an hour; rises with the meter, then with the hour.
pub(super) fn block_id(meter: u32, hour: i32) -> i64 {
    (i64::from(meter) << 32) | i64::from(hour.cast_unsigned() ^ (1 << 31))
}

/// The hour of a block.
pub(super) fn hour_of_block(id: i64) -> i32 {
    let low = u32::try_from(id & i64::from(u32::MAX)).unwrap_or(0);
    (low ^ (1 << 31)).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn block_numbers_are_in_order_of_meter_and_time() {
        let hours = [i32::MIN, -1, 0, 1, 497_000, i32::MAX];
        let ids: Vec<i64> = [1, 2, 70_000].iter().flat_map(|m| hours.map(|h| block_id(*m, h))).collect();
        assert!(ids.is_sorted() && ids.windows(2).all(|w| w[0] != w[1]));
        assert_eq!(hours.map(|h| hour_of_block(block_id(3, h))), hours);
        assert_eq!(hour_of(UtcMs(-1)), -1);
        assert_eq!(hour_of(UtcMs(i64::MAX)), i32::MAX);
        assert_eq!(hour_of(UtcMs::MIN), i32::MIN);
    }
}
