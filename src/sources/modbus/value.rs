//! What a register's words say: a number, or that there is none. Pure.

use crate::model::meter::{Coding, Meter, Profile, Register, RegisterType, WordOrder};
use crate::model::quantity::{Channel, Quantity};

/// A float nearer to zero than this, but not zero, was not measured: it is what another word order looks like.
const TINY: f64 = 1e-20;

/// Nor was one beyond this: a terawatt, or a billion megawatt hours.
const HUGE: f64 = 1e15;

/// What the words say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// A number, in the channel's unit, as the meter sees it (its own side of the transformers).
    Is(f64),
    /// The meter says that it has none: NaN, or the mark its type has for that.
    Missing,
    /// A number that no meter measures; most often the word order is another.
    Absurd(f64),
}

impl Value {
    /// The number, if it is one that can be used.
    #[must_use]
    pub const fn number(self) -> Option<f64> {
        match self {
            Value::Is(v) => Some(v),
            Value::Missing | Value::Absurd(_) => None,
        }
    }
}

/// Reads `words`, which must be as many as the register's type has; otherwise the value is missing.
#[must_use]
pub fn read(register: &Register, order: WordOrder, words: &[u16]) -> Value {
    if words.len() != usize::from(register.kind.words()) {
        return Value::Missing;
    }
    let raw = match number(register.kind, bits(order, words)) {
        Value::Is(raw) => raw,
        other => return other,
    };
    // Adding zero takes the sign off a negative zero.
    match coded(register.coding, raw * register.scale + 0.0) {
        Some(value) if value.is_finite() => Value::Is(value),
        _ => Value::Missing,
    }
}

/// What a value on the meter's side of its transformers is times on the primary side.
#[must_use]
pub fn ratio(profile: &Profile, meter: &Meter, channel: Channel) -> f64 {
    if !profile.secondary_side {
        return 1.0;
    }
    match channel.quantity() {
        Quantity::Voltage => meter.pt,
        Quantity::Current => meter.ct,
        Quantity::PowerFactor | Quantity::Frequency => 1.0,
        Quantity::ActivePower
        | Quantity::ReactivePower
        | Quantity::ApparentPower
        | Quantity::EnergyImport
        | Quantity::EnergyExport
        | Quantity::EnergyTotal => meter.ct * meter.pt,
    }
}

/// The words as one number, high word first.
fn bits(order: WordOrder, words: &[u16]) -> u64 {
    let push = |bits: u64, word: &u16| bits << 16 | u64::from(*word);
    match order {
        WordOrder::Big => words.iter().fold(0, push),
        WordOrder::Little => words.iter().rev().fold(0, push),
    }
}

/// By type. The marks for "none" are those of domain.md 4.6: all ones where there is no sign, the largest and the
/// smallest number where there is one. What is not a mark of its own type is a number: 0x8000 may well be 32,768.
#[expect(clippy::cast_precision_loss, reason = "beyond 2^53 no counter counts")]
fn number(kind: RegisterType, bits: u64) -> Value {
    let unsigned = |bits: u64, ones: u64| if bits == ones { Value::Missing } else { Value::Is(bits as f64) };
    let signed = |n: i64, min: i64, max: i64| {
        if n == min || n == max { Value::Missing } else { Value::Is(n as f64) }
    };
    match kind {
        RegisterType::U16 => unsigned(bits, u64::from(u16::MAX)),
        RegisterType::U32 => unsigned(bits, u64::from(u32::MAX)),
        RegisterType::U64 => unsigned(bits, u64::MAX),
        RegisterType::I16 => {
            signed(i64::from((bits as u16).cast_signed()), i64::from(i16::MIN), i64::from(i16::MAX))
        }
        RegisterType::I32 => {
            signed(i64::from((bits as u32).cast_signed()), i64::from(i32::MIN), i64::from(i32::MAX))
        }
        RegisterType::I64 => signed(bits.cast_signed(), i64::MIN, i64::MAX),
        RegisterType::F32 => float(f64::from(f32::from_bits(bits as u32))),
        RegisterType::F64 => float(f64::from_bits(bits)),
    }
}

fn float(value: f64) -> Value {
    let size = value.abs();
    if !value.is_finite() {
        Value::Missing
    } else if (size > 0.0 && size < TINY) || size > HUGE {
        Value::Absurd(value)
    } else {
        Value::Is(value)
    }
}

fn coded(coding: Coding, value: f64) -> Option<f64> {
    match coding {
        Coding::Plain => Some(value),
        Coding::SignIsLeading => Some(value.abs()),
        Coding::FourQuadrant if value.abs() > 2.0 => None,
        Coding::FourQuadrant if value.abs() > 1.0 => Some((2.0 - value.abs()).copysign(value)),
        Coding::FourQuadrant => Some(value),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn register(kind: RegisterType, coding: Coding) -> Register {
        Register { channel: Channel::POWER, address: 0, kind, scale: 1.0, coding }
    }

    fn plain(kind: RegisterType, words: &[u16]) -> Option<f64> {
        read(&register(kind, Coding::Plain), WordOrder::Big, words).number()
    }

    fn words_of(bits: u64, n: u16, order: WordOrder) -> Vec<u16> {
        let mut words: Vec<u16> = (0..n).rev().map(|i| (bits >> (16 * i)) as u16).collect();
        if order == WordOrder::Little {
            words.reverse();
        }
        words
    }

    #[test]
    fn what_marks_no_value_is_missing_and_never_zero() {
        use RegisterType::{F32, F64, I16, I32, I64, U16, U32, U64};
        for (kind, words) in [
            (U16, &[0xffff][..]),
            (I16, &[0x8000]),
            (I16, &[0x7fff]),
            (U32, &[0xffff, 0xffff]),
            (I32, &[0x8000, 0]),
            (I32, &[0x7fff, 0xffff]),
            (U64, &[0xffff; 4]),
            (I64, &[0x8000, 0, 0, 0]),
            (I64, &[0x7fff, 0xffff, 0xffff, 0xffff]),
            (F32, &[0x7fc0, 0]),
            (F32, &[0xffc0, 0]),
            (F32, &[0xffff, 0xffff]),
            (F32, &[0x7fff, 0xffff]),
            (F32, &[0x7f80, 0]),
            (F64, &[0x7ff8, 0, 0, 0]),
            (F64, &[0xffff; 4]),
        ] {
            assert_eq!(plain(kind, words), None, "{kind:?} {words:04x?}");
        }
        // Carlo Gavazzi's mark as it stands on the wire, low word first.
        let mark = read(&register(I32, Coding::Plain), WordOrder::Little, &[0xffff, 0x7fff]);
        assert_eq!(mark, Value::Missing);
        // What only looks like a mark is a number.
        assert_eq!(plain(U16, &[0x8000]), Some(32_768.0));
        assert_eq!(plain(I16, &[0xffff]), Some(-1.0));
        assert_eq!(plain(I32, &[0xffff, 0xffff]), Some(-1.0));
        assert_eq!(plain(F32, &[0x8000, 0]), Some(0.0));
        assert_eq!(plain(F32, &[0x4366]), None, "one word is not a float");
    }

    #[test]
    fn a_float_in_the_other_word_order_is_absurd_and_not_almost_zero() {
        // 230.0 V and 35 200 W, high word first, read low word first.
        for words in [[0x4366, 0x0000], [0x4709, 0x8000]] {
            let wrong = read(&register(RegisterType::F32, Coding::Plain), WordOrder::Little, &words);
            assert!(matches!(wrong, Value::Absurd(_)), "{wrong:?}");
        }
    }

    #[test]
    fn power_factors_are_read_by_their_coding() {
        let pf = |coding, value: f32| {
            let bits = value.to_bits();
            let words = [(bits >> 16) as u16, bits as u16];
            read(&register(RegisterType::F32, coding), WordOrder::Big, &words).number()
        };
        assert_eq!(pf(Coding::FourQuadrant, 0.75), Some(0.75));
        assert_eq!(pf(Coding::FourQuadrant, 1.25), Some(0.75));
        assert_eq!(pf(Coding::FourQuadrant, -1.25), Some(-0.75));
        assert_eq!(pf(Coding::FourQuadrant, 2.5), None);
        assert_eq!(pf(Coding::SignIsLeading, -0.5), Some(0.5));
        assert_eq!(pf(Coding::Plain, -0.5), Some(-0.5));
    }

    proptest! {
        #[test]
        fn numbers_come_back_in_both_word_orders(
            n in any::<i32>(), f in -1e9_f32..1e9, big in 0_u64..1 << 53, little in any::<bool>(),
        ) {
            let order = if little { WordOrder::Little } else { WordOrder::Big };
            let read = |kind: RegisterType, bits| {
                read(&register(kind, Coding::Plain), order, &words_of(bits, kind.words(), order))
            };
            if n != i32::MIN && n != i32::MAX {
                let bits = u64::from(n.cast_unsigned());
                prop_assert_eq!(read(RegisterType::I32, bits), Value::Is(f64::from(n)));
            }
            if f.abs() > 1e-19 {
                prop_assert_eq!(read(RegisterType::F32, u64::from(f.to_bits())), Value::Is(f64::from(f)));
            }
            prop_assert_eq!(read(RegisterType::U64, big), Value::Is(big as f64));
        }

        #[test]
        fn any_words_give_a_finite_number_or_none(
            words in proptest::collection::vec(any::<u16>(), 0..6), kind in 0_usize..8, scale in any::<f64>(),
        ) {
            use RegisterType::{F32, F64, I16, I32, I64, U16, U32, U64};
            let kind = [U16, I16, U32, I32, U64, I64, F32, F64][kind];
            let register = Register { scale, ..register(kind, Coding::FourQuadrant) };
            if let Some(value) = read(&register, WordOrder::Big, &words).number() {
                prop_assert!(value.is_finite());
            }
        }
    }
}
