//! Recordings of which a quarter of the readings is missing, as brokers, gateways and radios lose them.

use super::recording::Recording;

/// One reading in four.
const LOST_OF_100: u64 = 25;

/// The longest block, rows.
const BLOCK_MAX: u64 = 40;

/// How readings are lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// Each for itself.
    Singly,
    /// Up to [`BLOCK_MAX`] of a meter one after the other.
    InBlocks,
    /// The same of all meters at once.
    OfAllAtOnce,
}

impl Lost {
    pub const ALL: [Lost; 3] = [Lost::Singly, Lost::InBlocks, Lost::OfAllAtOnce];
}

/// SplitMix64: the same numbers from the same seed, everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}

/// Which of so many rows are lost.
fn lost(n_rows: usize, how: Lost, dice: &mut Dice) -> Vec<bool> {
    if how == Lost::Singly {
        return (0..n_rows).map(|_| dice.below(100) < LOST_OF_100).collect();
    }
    let (mut is_lost, mut n_lost) = (vec![false; n_rows], 0);
    while n_lost * 100 < n_rows as u64 * LOST_OF_100 {
        let (from, n) = (dice.below(n_rows as u64) as usize, 1 + dice.below(BLOCK_MAX) as usize);
        for row in is_lost.iter_mut().skip(from).take(n) {
            n_lost += u64::from(!std::mem::replace(row, true));
        }
    }
    is_lost
}

/// The recording without a quarter of its readings.
pub fn thinned(recording: &Recording, how: Lost, seed: u64) -> Recording {
    let mut dice = Dice(seed);
    let mut rows = recording.rows.clone();
    let once = lost(rows.len(), how, &mut dice);
    for column in 0..recording.meters.len() {
        let own = if how == Lost::OfAllAtOnce { once.clone() } else { lost(rows.len(), how, &mut dice) };
        for ((_, powers), _) in rows.iter_mut().zip(own).filter(|(_, is_lost)| *is_lost) {
            powers[column] = None;
        }
    }
    Recording { meters: recording.meters.clone(), rows }
}
