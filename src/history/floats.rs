//! A column of measured values as bytes, exact to the last bit.
//!
//! Meters say numbers with few digits, so most columns are whole numbers over a power of ten; what scaling left over in
//! the last bit (2231 × 0.1 is not 223.1) goes into a column of corrections beside. All else is stored as its bits,
//! without the trailing ones that are zero in the whole column (a 32-bit float in a 64-bit one has 29 of those).
//!
//! ```text
//! mode         1 byte: 0 to 9 = digits behind the point, | CORRECTED; 64 to 127 = bits, shifted by mode - 64
//! numbers      a column of whole numbers
//! corrections  another, if CORRECTED
//! ```

use super::bits::Cursor;
use super::ints::{self, Effort};

const CORRECTED: u8 = 0x80;
const BITS: u8 = 0x40;

const TENS: [f64; 8] = [1.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6, 1e7];

/// A whole number over a power of ten may be beside the value by so many representable numbers.
const CORRECTION_MAX: i64 = 3;

/// Adding it to a number between ±2^51 leaves the nearest whole number in the low bits.
const ROUNDER: f64 = 6_755_399_441_055_744.0;

/// Above this a whole number saves too little.
const WHOLE_MAX: f64 = 140_737_488_355_328.0;

const SIGN: u64 = 1 << 63;

/// Memory that is used again from column to column.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    numbers: Vec<i64>,
    corrections: Vec<i64>,
    ints: ints::Scratch,
}

impl Scratch {
    /// What a column of whole numbers needs.
    pub(super) fn ints(&mut self) -> &mut ints::Scratch {
        &mut self.ints
    }
}

/// Appends a column.
pub(super) fn put(out: &mut Vec<u8>, values: &[f64], effort: Effort, scratch: &mut Scratch) {
    let Scratch { numbers, corrections, ints } = scratch;
    if let Some((digits, corrected)) = decimal(values, numbers, corrections) {
        out.push(if corrected { digits | CORRECTED } else { digits });
        ints::put(out, numbers, effort, ints);
        if corrected {
            ints::put(out, corrections, effort, ints);
        }
        return;
    }
    let all = values.iter().fold(0, |all, v| all | v.to_bits());
    let shift = all.trailing_zeros().min(62);
    numbers.clear();
    numbers.extend(values.iter().map(|v| number_of_bits(v.to_bits(), shift)));
    out.push(BITS | shift.to_le_bytes()[0]);
    ints::put(out, numbers, effort, ints);
}

/// Finds the fewest digits that give every value, fills `numbers` and `corrections`, and tells whether the latter count.
fn decimal(values: &[f64], numbers: &mut Vec<i64>, corrections: &mut Vec<i64>) -> Option<(u8, bool)> {
    let mut digits = 0_u8;
    // A value of the middle first: columns often begin with zeros, and a wrong guess costs a whole pass.
    let probe = values.get(values.len() / 2).copied().unwrap_or(0.0);
    while fit(probe, *TENS.get(usize::from(digits))?).is_none() {
        digits += 1;
    }
    loop {
        let ten = *TENS.get(usize::from(digits))?;
        match fill(values, ten, numbers, corrections) {
            Some(corrected) => return Some((digits, corrected)),
            None => digits += 1,
        }
    }
}

fn fill(values: &[f64], ten: f64, numbers: &mut Vec<i64>, corrections: &mut Vec<i64>) -> Option<bool> {
    numbers.clear();
    corrections.clear();
    let mut any = 0;
    for chunk in values.chunks(64) {
        let mut worst = 0;
        for value in chunk {
            let (number, correction, fits) = split(*value, ten);
            numbers.push(number);
            corrections.push(correction);
            any |= correction;
            worst |= i64::from(!fits);
        }
        if worst != 0 {
            return None;
        }
    }
    Some(any != 0)
}

fn fit(value: f64, ten: f64) -> Option<i64> {
    let (number, _, fits) = split(value, ten);
    fits.then_some(number)
}

/// The nearest whole number to `value * ten`, the correction that gives the value back exactly, and whether it is small.
fn split(value: f64, ten: f64) -> (i64, i64, bool) {
    let scaled = value * ten;
    let whole = scaled + ROUNDER;
    let number = whole.to_bits().wrapping_sub(ROUNDER.to_bits()).cast_signed();
    let near = (whole - ROUNDER) / ten;
    let correction = number_of_bits(value.to_bits(), 0).wrapping_sub(number_of_bits(near.to_bits(), 0));
    let fits = scaled.abs() < WHOLE_MAX
        && correction.wrapping_add(CORRECTION_MAX).cast_unsigned() <= 2 * CORRECTION_MAX.cast_unsigned();
    (number, correction, fits)
}

/// Bits as a number that rises with the value; negative zero stays apart from zero.
const fn number_of_bits(bits: u64, shift: u32) -> i64 {
    let magnitude = ((bits & !SIGN) >> shift).cast_signed();
    if bits & SIGN == 0 { magnitude } else { !magnitude }
}

const fn bits_of_number(number: i64, shift: u32) -> u64 {
    if number >= 0 { number.cast_unsigned() << shift } else { SIGN | ((!number).cast_unsigned() << shift) }
}

/// Appends the `n` values of a column to `out`; `None` where the bytes are not one.
pub(super) fn take(
    cursor: &mut Cursor<'_>,
    n: usize,
    out: &mut Vec<f64>,
    scratch: &mut Scratch,
) -> Option<()> {
    let Scratch { numbers, corrections, .. } = scratch;
    let mode = cursor.byte()?;
    numbers.clear();
    ints::take(cursor, n, numbers)?;
    if mode & (BITS | CORRECTED) == BITS {
        let shift = u32::from(mode & !BITS);
        out.extend(numbers.iter().map(|number| f64::from_bits(bits_of_number(*number, shift))));
        return Some(());
    }
    let ten = *TENS.get(usize::from(mode & !CORRECTED))?;
    if mode & CORRECTED == 0 {
        out.extend(numbers.iter().map(|number| quotient(*number, ten)));
        return Some(());
    }
    corrections.clear();
    ints::take(cursor, n, corrections)?;
    out.extend(numbers.iter().zip(&*corrections).map(|(number, correction)| {
        let near = number_of_bits(quotient(*number, ten).to_bits(), 0);
        f64::from_bits(bits_of_number(near.wrapping_add(*correction), 0))
    }));
    Some(())
}

#[expect(clippy::cast_precision_loss, reason = "what was stored is below 2^47")]
fn quotient(number: i64, ten: f64) -> f64 {
    number as f64 / ten
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packed(values: &[f64], effort: Effort) -> Vec<u8> {
        let mut out = Vec::new();
        put(&mut out, values, effort, &mut Scratch::default());
        out
    }

    fn bits(values: &[f64]) -> Vec<u64> {
        values.iter().map(|v| v.to_bits()).collect()
    }

    fn back(bytes: &[u8], n: usize) -> Vec<u64> {
        let (mut cursor, mut out) = (Cursor::new(bytes), Vec::new());
        take(&mut cursor, n, &mut out, &mut Scratch::default()).unwrap();
        assert!(cursor.is_at_end());
        bits(&out)
    }

    fn finite() -> impl Strategy<Value = f64> {
        any::<f64>().prop_filter("finite", |v| v.is_finite())
    }

    fn columns() -> impl Strategy<Value = Vec<f64>> {
        let decimal = (0..6_i32, prop::collection::vec(-40_000_i32..4_000_000, 1..80))
            .prop_map(|(d, v)| v.iter().map(|v| f64::from(*v) / 10_f64.powi(d)).collect());
        let scaled = (
            prop::sample::select(vec![0.1, 0.01, 0.001, 40.0, 0.1 * 40.0, 1.0 / 3.0]),
            prop::collection::vec(any::<i16>(), 1..80),
        )
            .prop_map(|(s, v)| v.iter().map(|v| f64::from(*v) * s).collect());
        let single = prop::collection::vec(any::<f32>().prop_filter("finite", |v| v.is_finite()), 1..80)
            .prop_map(|v| v.iter().map(|v| f64::from(*v)).collect());
        let odd =
            prop::sample::select(vec![0.0, -0.0, f64::MIN_POSITIVE, 5e-324, f64::MAX, f64::MIN, 0.1, -0.1]);
        let mixed = prop::collection::vec(prop_oneof![finite(), odd], 1..80);
        prop_oneof![decimal, scaled, single, mixed]
    }

    proptest! {
        #[test]
        fn columns_come_back_to_the_last_bit(values in columns()) {
            for effort in [Effort::Quick, Effort::Thorough] {
                let bytes = packed(&values, effort);
                prop_assert_eq!(back(&bytes, values.len()), bits(&values));
            }
        }
    }

    #[test]
    fn measured_columns_cost_little() {
        let voltage: Vec<f64> = (0..60).map(|i| f64::from(2_200 + i * 37 % 31) / 10.0).collect();
        assert!(packed(&voltage, Effort::Thorough).len() <= 45, "5 bits a value");
        let scaled: Vec<f64> = (0..60).map(|i| f64::from(2_200 + i * 37 % 31) * 0.1).collect();
        assert!(packed(&scaled, Effort::Thorough).len() <= 60, "and a bit for the correction");
        let single: Vec<f64> = (0..60).map(|i| f64::from(220.0_f32 + 0.37 * (i % 7) as f32)).collect();
        assert!(packed(&single, Effort::Thorough).len() <= 60 * 3);
    }
}
