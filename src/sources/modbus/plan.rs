//! Which blocks are asked for to read a meter: few, and none that its firmware would refuse. Pure.

use super::payload::WORDS_MAX;
use crate::model::meter::{Profile, Register, Table};
use crate::model::quantity::Channel;

/// One request: registers that lie side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Block {
    /// From which table.
    pub table: Table,
    /// The first one.
    pub address: u16,
    /// How many.
    pub count: u16,
}

impl Block {
    /// Whether all words of the register are in it.
    #[must_use]
    pub fn holds(&self, register: &Register) -> bool {
        let (start, end) = span(register);
        u32::from(self.address) <= start && end <= u32::from(self.address) + u32::from(self.count)
    }
}

/// A register that no request can read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("profile {profile}: {} at {address} does not fit into a request of {max_registers} registers", channel.name())]
pub struct PlanError {
    /// The profile.
    pub profile: Box<str>,
    /// What lies there.
    pub channel: Channel,
    /// Where.
    pub address: u16,
    /// What the profile allows.
    pub max_registers: u16,
}

/// The blocks of a profile, by address.
///
/// # Errors
/// A register does not fit into any request the profile allows.
pub fn plan(profile: &Profile) -> Result<Vec<Block>, PlanError> {
    group(profile, profile.registers.iter().collect(), profile.max_gap)
}

/// What to ask for instead of a block that was refused with exception 02, "illegal data address": the same registers
/// without the gaps between them; where there were none, each register alone, but those that need the whole block.
/// `None` if nothing smaller is left to ask for.
#[must_use]
pub fn split(profile: &Profile, refused: Block) -> Option<Vec<Block>> {
    let inside: Vec<&Register> = profile.registers.iter().filter(|r| refused.holds(r)).collect();
    let gapless = group(profile, inside.clone(), 0).ok()?;
    if gapless != [refused] {
        return Some(gapless);
    }
    let mut alone = Vec::new();
    for register in inside {
        alone.extend(group(profile, vec![register], 0).ok()?);
    }
    alone.sort_unstable();
    alone.dedup();
    alone.retain(|block| *block != refused);
    (!alone.is_empty()).then_some(alone)
}

fn group(profile: &Profile, mut registers: Vec<&Register>, max_gap: u16) -> Result<Vec<Block>, PlanError> {
    registers.sort_by_key(|r| (r.address, r.kind.words()));
    let grid = Grid::of(profile);
    let max = u32::from(profile.max_registers.min(WORDS_MAX));
    let mut blocks: Vec<(u32, u32)> = Vec::new();
    for register in registers {
        let (start, end) = grid.widen(span(register));
        if end - start > max || end > 1 << 16 {
            return Err(PlanError {
                profile: profile.name.clone(),
                channel: register.channel,
                address: register.address,
                max_registers: profile.max_registers,
            });
        }
        match blocks.last_mut() {
            Some((first, last))
                if start.saturating_sub(*last) <= u32::from(max_gap) && end.max(*last) - *first <= max =>
            {
                *last = end.max(*last);
            }
            _ => blocks.push((start, end)),
        }
    }
    let block = |(start, end): (u32, u32)| {
        Some(Block {
            table: profile.table,
            address: u16::try_from(start).ok()?,
            count: u16::try_from(end - start).ok()?,
        })
    };
    Ok(blocks.into_iter().filter_map(block).collect())
}

/// First address and the one after the last.
fn span(register: &Register) -> (u32, u32) {
    let start = u32::from(register.address);
    (start, start + u32::from(register.kind.words()))
}

/// Where blocks may start and end: anywhere, or at even distances from the profile's first register.
struct Grid {
    even: bool,
    origin: u32,
}

impl Grid {
    fn of(profile: &Profile) -> Grid {
        let origin = profile.registers.iter().map(|r| u32::from(r.address)).min().unwrap_or(0);
        Grid { even: profile.even_counts, origin }
    }

    fn widen(&self, (start, end): (u32, u32)) -> (u32, u32) {
        if !self.even {
            return (start, end);
        }
        (start - (start - self.origin) % 2, end + (end - self.origin) % 2)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::meter::{Coding, RegisterType, WordOrder};
    use crate::model::quantity::N_CHANNELS;

    fn profile(
        registers: &[(u16, RegisterType)],
        max_registers: u16,
        even_counts: bool,
        max_gap: u16,
    ) -> Profile {
        let register = |(i, (address, kind)): (u8, &(u16, RegisterType))| Register {
            channel: Channel(i),
            address: *address,
            kind: *kind,
            scale: 1.0,
            coding: Coding::Plain,
        };
        Profile {
            name: "test".into(),
            table: Table::Input,
            word_order: WordOrder::Big,
            max_registers,
            even_counts,
            max_gap,
            pause_ms: 0,
            secondary_side: false,
            registers: (0..).zip(registers).map(register).collect(),
        }
    }

    fn spans(blocks: &[Block]) -> Vec<(u16, u16)> {
        blocks.iter().map(|b| (b.address, b.count)).collect()
    }

    /// The registers of a three-phase Eastron that matter here.
    fn sdm630(max_gap: u16) -> Profile {
        let addresses = [0, 2, 4, 6, 8, 10, 12, 14, 16, 52, 60, 62, 70, 72, 74, 342];
        profile(&addresses.map(|a| (a, RegisterType::F32)), 80, true, max_gap)
    }

    #[test]
    fn gaps_are_read_only_as_far_as_the_profile_allows() {
        let strict = plan(&sdm630(0)).unwrap();
        assert_eq!(spans(&strict), [(0, 18), (52, 2), (60, 4), (70, 6), (342, 2)]);
        let generous = plan(&sdm630(40)).unwrap();
        assert_eq!(spans(&generous), [(0, 76), (342, 2)]);
    }

    #[test]
    fn a_refused_block_is_split_at_its_gaps_and_then_to_single_registers() {
        let profile = sdm630(40);
        let refused = plan(&profile).unwrap()[0];
        let gapless = split(&profile, refused).unwrap();
        assert_eq!(spans(&gapless), [(0, 18), (52, 2), (60, 4), (70, 6)]);
        let singles = split(&profile, gapless[2]).unwrap();
        assert_eq!(spans(&singles), [(60, 2), (62, 2)]);
        assert_eq!(split(&profile, singles[0]), None);
    }

    #[test]
    fn a_register_that_no_request_can_hold_is_named() {
        let error =
            plan(&profile(&[(0, RegisterType::U16), (1, RegisterType::U32)], 2, true, 0)).unwrap_err();
        assert_eq!(error.address, 1);
        assert!(
            plan(&profile(&[(65_535, RegisterType::U32)], 80, false, 0)).is_err(),
            "past the end of the table"
        );
    }

    fn any_profile() -> impl Strategy<Value = Profile> {
        use RegisterType::{F32, F64, I16, I32, I64, U16, U32, U64};
        let kinds = [U16, I16, U32, I32, U64, I64, F32, F64];
        let register = (0_u16..400, 0_usize..8).prop_map(move |(address, kind)| (address, kinds[kind]));
        (proptest::collection::vec(register, 1..N_CHANNELS), 6_u16..200, any::<bool>(), 0_u16..30)
            .prop_map(|(registers, max, even, gap)| profile(&registers, max, even, gap))
    }

    proptest! {
        #[test]
        fn every_register_is_in_one_block_and_no_block_breaks_a_limit(profile in any_profile()) {
            let blocks = plan(&profile).unwrap();
            let origin = profile.registers.iter().map(|r| r.address).min().unwrap();
            for register in &profile.registers {
                let n = blocks.iter().filter(|b| b.holds(register)).count();
                // Widening to even bounds, or a register that lies over it, may bring it into a second block; it is read
                // twice then.
                let (start, end) = span(register);
                let overlaps = |r: &&Register| span(r).0 < end && start < span(r).1;
                let alone = profile.registers.iter().filter(overlaps).count() == 1;
                let twice = n == 2 && (profile.even_counts || !alone);
                prop_assert!(n == 1 || twice, "{register:?} is in {n} of {blocks:?}");
            }
            for block in &blocks {
                prop_assert!(block.count > 0 && block.count <= profile.max_registers.min(125));
                if profile.even_counts {
                    prop_assert_eq!((block.count % 2, (block.address - origin) % 2), (0, 0));
                }
                let mut gap = 0;
                for address in block.address..block.address + block.count {
                    let wanted = profile.registers.iter()
                        .any(|r| (r.address..r.address + r.kind.words()).contains(&address));
                    gap = if wanted { 0 } else { gap + 1 };
                    // To the gap itself the even bounds may add a word on each side.
                    let allowed = profile.max_gap + if profile.even_counts { 2 } else { 0 };
                    prop_assert!(gap <= allowed, "{block:?} reads over {gap} registers");
                }
            }
            let mut shuffled = profile.clone();
            shuffled.registers.reverse();
            prop_assert_eq!(plan(&shuffled).unwrap(), blocks, "the order in the profile does not matter");
        }

        #[test]
        fn splitting_ends_and_loses_no_register(profile in any_profile()) {
            let mut open = plan(&profile).unwrap();
            let mut rounds = 0;
            while let Some(block) = open.pop() {
                if let Some(parts) = split(&profile, block) {
                    rounds += 1;
                    prop_assert!(rounds < 400, "it goes on for ever");
                    for register in profile.registers.iter().filter(|r| block.holds(r)) {
                        let needs_all = register.kind.words() + 2 >= block.count;
                        prop_assert!(needs_all || parts.iter().any(|b| b.holds(register)));
                    }
                    open.extend(parts);
                }
            }
        }
    }
}
