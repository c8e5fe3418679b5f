//! A column of whole numbers as bytes: plain or as differences, around a base, in one bit width, a few outliers apart.
//!
//! ```text
//! width | DELTA     1 byte
//! flags             1 byte
//! first             zigzag varint, if DELTA
//! base              zigzag varint
//! step              varint, if STEP: all numbers are multiples of it, from the base
//! the low bits      packed
//! outliers          if OUTLIERS: how many, then for each the distance from the one before and the high bits
//! ```

use super::bits::{Cursor, mask, pack, put_varint, unzigzag, width, zigzag};

/// Bit of the first byte: differences are stored.
const DELTA: u8 = 0x80;

/// Flag: distances from the base have either sign and are zigzagged.
const TWO_SIDED: u8 = 1;
/// Flag: distances are multiples of a step.
const STEP: u8 = 2;
/// Flag: some numbers have bits beyond the width.
const OUTLIERS: u8 = 4;

/// Bits that an outlier costs beside its own high bits: its place, and what rounding up to bytes wastes.
const OUTLIER_COST_BITS: u64 = 14;

/// How much work may be spent on saving bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effort {
    /// Rows, which are written in haste and live for a minute or so.
    Quick,
    /// Blocks, which are kept for years.
    Thorough,
}

/// Memory that is used again from column to column.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    deltas: Vec<i64>,
    distances: Vec<u64>,
    best: Vec<u64>,
    sorted: Vec<i64>,
}

#[derive(Clone, Copy, Debug)]
struct Plan {
    delta: bool,
    two_sided: bool,
    base: i64,
    step: u64,
    width: u32,
    cost_bits: u64,
}

/// Appends a column.
pub(super) fn put(out: &mut Vec<u8>, numbers: &[i64], effort: Effort, scratch: &mut Scratch) {
    let Some(first) = numbers.first() else { return };
    scratch.deltas.clear();
    scratch.deltas.extend(numbers.windows(2).map(|w| w[1].wrapping_sub(w[0])));
    match effort {
        Effort::Quick => put_quick(out, *first, numbers, &scratch.deltas),
        Effort::Thorough => put_thorough(out, *first, numbers, scratch),
    }
}

fn put_quick(out: &mut Vec<u8>, first: i64, numbers: &[i64], deltas: &[i64]) {
    let (base, plain_width) = span(numbers);
    let (delta_base, delta_width) = span(deltas);
    let delta = delta_width < plain_width;
    let (base, width) = if delta { (delta_base, delta_width) } else { (base, plain_width) };
    let numbers = if delta { deltas } else { numbers };
    put_head(out, first, &Plan { delta, two_sided: false, base, step: 1, width, cost_bits: 0 }, 0);
    pack(out, numbers.iter().map(|n| n.wrapping_sub(base).cast_unsigned()), width);
}

/// The smallest number, and the bits that the distance to the largest needs.
fn span(numbers: &[i64]) -> (i64, u32) {
    let least = numbers.iter().copied().min().unwrap_or(0);
    let most = numbers.iter().copied().max().unwrap_or(0);
    (least, width(most.wrapping_sub(least).cast_unsigned()))
}

fn put_thorough(out: &mut Vec<u8>, first: i64, numbers: &[i64], scratch: &mut Scratch) {
    let Scratch { deltas, distances, best, sorted } = scratch;
    if span(numbers).1 == 0 || span(deltas).1 == 0 {
        // Meter, quality and often time: nothing can be shorter than no bits at all.
        return put_quick(out, first, numbers, deltas);
    }
    let mut chosen: Option<Plan> = None;
    for delta in [false, true] {
        let numbers = if delta { deltas.as_slice() } else { numbers };
        for two_sided in [false, true] {
            let base = if two_sided { middle(numbers, sorted) } else { span(numbers).0 };
            let step = step(numbers, base);
            distances.clear();
            distances.extend(numbers.iter().map(|n| distance(*n, base, two_sided, step)));
            let (width, cost_bits) = best_width(distances);
            // What the head costs more: the first number, the step.
            let head_bits = if delta { 8 * varint_bytes(zigzag(first)) } else { 0 }
                + if step > 1 { 8 * varint_bytes(step) } else { 0 }
                + 8 * varint_bytes(zigzag(base));
            let plan = Plan { delta, two_sided, base, step, width, cost_bits: cost_bits + head_bits };
            if chosen.is_none_or(|c| plan.cost_bits < c.cost_bits) {
                chosen = Some(plan);
                std::mem::swap(distances, best);
            }
        }
    }
    let Some(plan) = chosen else { return };
    let beyond = |d: &u64| *d & !mask(plan.width) != 0;
    let n_outliers = best.iter().filter(|d| beyond(d)).count();
    put_head(out, first, &plan, n_outliers);
    pack(out, best.iter().copied(), plan.width);
    if n_outliers > 0 {
        put_varint(out, n_outliers as u64);
        let mut next = 0;
        for (i, d) in best.iter().enumerate().filter(|(_, d)| beyond(d)) {
            put_varint(out, (i - next) as u64);
            put_varint(out, *d >> plan.width);
            next = i + 1;
        }
    }
}

fn put_head(out: &mut Vec<u8>, first: i64, plan: &Plan, n_outliers: usize) {
    let width = plan.width.to_le_bytes()[0];
    out.push(if plan.delta { width | DELTA } else { width });
    let flag = |set: bool, bit: u8| if set { bit } else { 0 };
    out.push(flag(plan.two_sided, TWO_SIDED) | flag(plan.step > 1, STEP) | flag(n_outliers > 0, OUTLIERS));
    if plan.delta {
        put_varint(out, zigzag(first));
    }
    put_varint(out, zigzag(plan.base));
    if plan.step > 1 {
        put_varint(out, plan.step);
    }
}

const fn varint_bytes(n: u64) -> u64 {
    (width(n | 1) as u64).div_ceil(7)
}

/// The number in the middle.
fn middle(numbers: &[i64], sorted: &mut Vec<i64>) -> i64 {
    if numbers.is_empty() {
        return 0;
    }
    sorted.clear();
    sorted.extend_from_slice(numbers);
    let half = sorted.len() / 2;
    *sorted.select_nth_unstable(half).1
}

fn distance(n: i64, base: i64, two_sided: bool, step: u64) -> u64 {
    if !two_sided {
        let d = n.wrapping_sub(base).cast_unsigned();
        return if step > 1 { d / step } else { d };
    }
    let d = n.wrapping_sub(base);
    // A step fits in i64 here: see `step`.
    zigzag(if step > 1 { d / step.cast_signed() } else { d })
}

/// The largest step that all distances from the base are multiples of; 1 where there is none.
fn step(numbers: &[i64], base: i64) -> u64 {
    let mut step = 0_u64;
    for n in numbers {
        let Some(d) = n.checked_sub(base) else { return 1 };
        step = gcd(step, d.unsigned_abs());
        if step == 1 {
            return 1;
        }
    }
    if step == 0 || i64::try_from(step).is_err() { 1 } else { step }
}

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// The width at which packed bits and outliers together cost least, and that cost.
fn best_width(distances: &[u64]) -> (u32, u64) {
    let mut n_by_width = [0_u64; 65];
    for d in distances {
        n_by_width[width(*d) as usize] += 1;
    }
    let n = distances.len() as u64;
    let mut best = (0, u64::MAX);
    // From wide to narrow: how many numbers are wider, and the sum of their widths.
    let (mut n_beyond, mut sum_beyond) = (0, 0);
    for (width, own) in (0..65_u32).zip(n_by_width).rev() {
        let outliers = n_beyond * OUTLIER_COST_BITS + sum_beyond - n_beyond * u64::from(width);
        let cost = n * u64::from(width) + outliers;
        if cost <= best.1 {
            best = (width, cost);
        }
        n_beyond += own;
        sum_beyond += own * u64::from(width);
    }
    best
}

/// Appends the `n` numbers of a column to `out`; `None` where the bytes are not one.
pub(super) fn take(cursor: &mut Cursor<'_>, n: usize, out: &mut Vec<i64>) -> Option<()> {
    if n == 0 {
        return Some(());
    }
    let from = out.len();
    let head = cursor.byte()?;
    let flags = cursor.byte()?;
    let (delta, width) = (head & DELTA != 0, u32::from(head & !DELTA));
    if width > 64 || flags & !(TWO_SIDED | STEP | OUTLIERS) != 0 {
        return None;
    }
    let first = if delta { Some(unzigzag(cursor.varint()?)) } else { None };
    let base = unzigzag(cursor.varint()?);
    let step = if flags & STEP == 0 { 1 } else { cursor.varint()? };
    out.extend(first);
    let n_packed = n - usize::from(delta);
    let start = out.len();
    let number = |d: u64| {
        if flags & TWO_SIDED == 0 {
            base.wrapping_add(d.wrapping_mul(step).cast_signed())
        } else {
            base.wrapping_add(unzigzag(d).wrapping_mul(step.cast_signed()))
        }
    };
    if flags & OUTLIERS == 0 {
        cursor.unpack(n_packed, width, out, number)?;
    } else {
        cursor.unpack(n_packed, width, out, u64::cast_signed)?;
        let packed = &mut out[start..];
        let mut next = 0;
        for _ in 0..cursor.count(n_packed)? {
            let at = next + cursor.count(n_packed)?;
            let high = cursor.varint()?;
            let slot = packed.get_mut(at)?;
            *slot |= high.checked_shl(width)?.cast_signed();
            next = at + 1;
        }
        packed.iter_mut().for_each(|d| *d = number(d.cast_unsigned()));
    }
    if delta {
        let mut sum = out[from];
        for number in &mut out[start..] {
            sum = sum.wrapping_add(*number);
            *number = sum;
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packed(numbers: &[i64], effort: Effort) -> Vec<u8> {
        let mut out = Vec::new();
        put(&mut out, numbers, effort, &mut Scratch::default());
        out
    }

    fn unpacked(bytes: &[u8], n: usize) -> Option<Vec<i64>> {
        let (mut cursor, mut out) = (Cursor::new(bytes), vec![7]);
        take(&mut cursor, n, &mut out)?;
        assert_eq!(out.remove(0), 7, "what was there stays");
        cursor.is_at_end().then_some(out)
    }

    fn columns() -> impl Strategy<Value = Vec<i64>> {
        let anything = prop::collection::vec(any::<i64>(), 0..40);
        let close = (any::<i64>(), prop::collection::vec(-500_i64..500, 0..100), 1_i64..1_000)
            .prop_map(|(base, d, step)| d.iter().map(|d| base.wrapping_add(d * step)).collect());
        let rising = (any::<i32>(), prop::collection::vec(0_i64..90, 0..100)).prop_map(|(base, d)| {
            d.iter()
                .scan(i64::from(base), |sum, d| {
                    *sum += d;
                    Some(*sum)
                })
                .collect()
        });
        let spiked = prop::collection::vec(prop_oneof![9 => 0_i64..4, 1 => any::<i64>()], 0..100);
        prop_oneof![anything, close, rising, spiked]
    }

    proptest! {
        #[test]
        fn columns_come_back(numbers in columns()) {
            for effort in [Effort::Quick, Effort::Thorough] {
                let bytes = packed(&numbers, effort);
                prop_assert_eq!(unpacked(&bytes, numbers.len()), Some(numbers.clone()));
            }
        }

        #[test]
        fn damaged_bytes_are_refused_or_read_but_never_a_panic(
            numbers in columns(), at in any::<prop::sample::Index>(), flip in 1_u8..,
        ) {
            let mut bytes = packed(&numbers, Effort::Thorough);
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] ^= flip;
                let _ = unpacked(&bytes, numbers.len());
                prop_assert_eq!(unpacked(&bytes[..at.min(1)], numbers.len().max(1)), None);
            }
        }
    }

    #[test]
    fn regular_columns_cost_little() {
        let minutes: Vec<i64> = (0..60).map(|i| 1_790_000_000_000 + i * 60_000).collect();
        assert!(packed(&minutes, Effort::Thorough).len() <= 12);
        let mut with_gap = minutes.clone();
        with_gap[30..].iter_mut().for_each(|t| *t += 600_000);
        assert!(packed(&with_gap, Effort::Thorough).len() <= 18);
        let multiples: Vec<i64> = (0..60).map(|i| (i * i % 8) * 4_000).collect();
        assert!(packed(&multiples, Effort::Thorough).len() <= 30);
        assert!(packed(&[5; 60], Effort::Quick).len() <= 3);
    }
}
