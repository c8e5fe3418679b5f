//! Every reason, remark and refusal there is, once.

use crate::engine::because::Because;
use crate::learning::acceptance::Failed;
use crate::learning::adopt::NeedsPerson;
use crate::learning::commission::Refusal;
use crate::learning::confirm::Denied;
use crate::learning::plausible::Remark;
use crate::model::basis::Basis;
use crate::model::commissioning::PhaseKind;
use crate::sources::reject::Reject;

pub const BASES: [Basis; 5] =
    [Basis::Configured, Basis::Commissioned, Basis::Confirmed, Basis::Learned, Basis::Fallback];

/// Each of these lists has every variant: one that is new does not compile until it stands in the list below it.
pub fn failed() -> Vec<Failed> {
    let all = vec![
        Failed::Window { days: 3, days_min: 7 },
        Failed::FewMinutes { clean: 10, minutes_min: 2_000 },
        Failed::Range { range: 1.2 },
        Failed::Separability { separability: 0.8 },
        Failed::Share { share: 0.005, minutes: 20 },
        Failed::Medians { medians: 1.5 },
        Failed::Gap { gap: 1.1 },
        Failed::Valley { valley: 0.5 },
        Failed::LowOfRated { low_of_rated: 0.5 },
    ];
    let place = |own: &Failed| match own {
        Failed::Window { .. } => 0,
        Failed::FewMinutes { .. } => 1,
        Failed::Range { .. } => 2,
        Failed::Separability { .. } => 3,
        Failed::Share { .. } => 4,
        Failed::Medians { .. } => 5,
        Failed::Gap { .. } => 6,
        Failed::Valley { .. } => 7,
        Failed::LowOfRated { .. } => 8,
    };
    assert!((0..9).eq(all.iter().map(place)));
    all
}

pub fn remarks() -> Vec<Remark> {
    let (over, under) = (0, 1);
    let all = vec![
        Remark::Above { point: 0, largest_w: 9_000.0, rated_w: 5_000.0 },
        Remark::Below { point: 0, running_w: 90.0, rated_w: 5_000.0 },
        Remark::Swapped { over, under, over_w: 9e3, over_rated_w: 4e3, under_w: 4e3, under_rated_w: 9e3 },
    ];
    let place = |own: &Remark| match own {
        Remark::Above { .. } => 0,
        Remark::Below { .. } => 1,
        Remark::Swapped { .. } => 2,
    };
    assert!((0..3).eq(all.iter().map(place)));
    all
}

pub fn refusals() -> Vec<Refusal> {
    let (kind, point) = (PhaseKind::FullLoad, || "fan".into());
    let all = vec![
        Refusal::Nobody,
        Refusal::PhaseMissing { kind },
        Refusal::PhaseRepeated { kind },
        Refusal::PhasesOverlap { first: PhaseKind::Off, second: PhaseKind::Idle },
        Refusal::PhaseTooShort { kind, minutes: 3, minutes_min: 30 },
        Refusal::MinutesUnknown { point: point(), kind, known: 3, of: 30 },
        Refusal::NotClear { point: point(), off_w: 100.0, full_w: 150.0 },
        Refusal::NotAtFullLoad { share: 0.3 },
    ];
    let place = |own: &Refusal| match own {
        Refusal::Nobody => 0,
        Refusal::PhaseMissing { .. } => 1,
        Refusal::PhaseRepeated { .. } => 2,
        Refusal::PhasesOverlap { .. } => 3,
        Refusal::PhaseTooShort { .. } => 4,
        Refusal::MinutesUnknown { .. } => 5,
        Refusal::NotClear { .. } => 6,
        Refusal::NotAtFullLoad { .. } => 7,
    };
    assert!((0..8).eq(all.iter().map(place)));
    all
}

pub fn denied() -> Vec<Denied> {
    let sham = Denied::Sham { level: 2, learned_w: 1_000.0, commissioned_w: 5_000.0 };
    let all = vec![Denied::NoRecord, Denied::NotTested, Denied::Empty, sham];
    let place = |own: &Denied| match own {
        Denied::NoRecord => 0,
        Denied::NotTested => 1,
        Denied::Empty => 2,
        Denied::Sham { .. } => 3,
    };
    assert!((0..4).eq(all.iter().map(place)));
    all
}

pub fn persons() -> Vec<NeedsPerson> {
    let all = vec![
        NeedsPerson::MoreCertain { in_force: Basis::Confirmed },
        NeedsPerson::Moves { from_w: 100.0, to_w: 900.0 },
        NeedsPerson::IdleLevel { median_w: 300.0, up_to_w: 500.0, begins_w: 200.0 },
    ];
    let place = |own: &NeedsPerson| match own {
        NeedsPerson::MoreCertain { .. } => 0,
        NeedsPerson::Moves { .. } => 1,
        NeedsPerson::IdleLevel { .. } => 2,
    };
    assert!((0..3).eq(all.iter().map(place)));
    all
}

pub fn becauses() -> Vec<Because<'static>> {
    let mut all = vec![
        Because::Outweighed(persons()[1]),
        Because::HasIdleLevel,
        Because::RefusedNumbers,
        Because::RefusedAnother,
        Because::FirstThresholds,
        Because::FirstBaseline,
        Because::NothingProposed,
        Because::NothingLearned,
        Because::ConfirmedBy("李 (uid 7)"),
        Because::RefusedBy("李 (uid 7)"),
        Because::SupervisedBy("李 (uid 7)"),
        Because::Denied(denied()[3]),
        Because::NoProcess,
        Because::NobodyNamed,
        Because::BesideFile,
        Because::Measured,
    ];
    let place = |own: &Because<'_>| match own {
        Because::Outweighed(_) => 0,
        Because::HasIdleLevel => 1,
        Because::RefusedNumbers => 2,
        Because::RefusedAnother => 3,
        Because::FirstThresholds => 4,
        Because::FirstBaseline => 5,
        Because::NothingProposed => 6,
        Because::NothingLearned => 7,
        Because::ConfirmedBy(_) => 8,
        Because::RefusedBy(_) => 9,
        Because::SupervisedBy(_) => 10,
        Because::Denied(_) => 11,
        Because::NoProcess => 12,
        Because::NobodyNamed => 13,
        Because::BesideFile => 14,
        Because::Measured => 15,
        Because::InForce(_) | Because::GoesBefore(_) | Because::BaselineInForce(_) => 16,
    };
    assert!((0..16).eq(all.iter().map(place)));
    for basis in BASES {
        all.extend([Because::InForce(basis), Because::GoesBefore(basis), Because::BaselineInForce(basis)]);
    }
    all
}

pub fn rejects() -> Vec<Reject> {
    let why = || "7".into();
    let all = vec![
        Reject::Topic,
        Reject::UnknownMeter { meter: "fan".into() },
        Reject::NotJson { why: why() },
        Reject::Shape { why: why() },
        Reject::BadTime { text: why() },
        Reject::Future { ahead_ms: 900_000, limit_ms: 600_000 },
        Reject::NoValue { why: why() },
        Reject::Implausible { channel: "power_w", value: "-1".into() },
        Reject::TooLarge { bytes: 9, bytes_max: 8 },
        Reject::Oversized { bytes: 9 },
        Reject::Registers { profile: "7".into(), why: why() },
        Reject::Command { why: "7".into() },
    ];
    let place = |own: &Reject| match own {
        Reject::Topic => 0,
        Reject::UnknownMeter { .. } => 1,
        Reject::NotJson { .. } => 2,
        Reject::Shape { .. } => 3,
        Reject::BadTime { .. } => 4,
        Reject::Future { .. } => 5,
        Reject::NoValue { .. } => 6,
        Reject::Implausible { .. } => 7,
        Reject::TooLarge { .. } => 8,
        Reject::Oversized { .. } => 9,
        Reject::Registers { .. } => 10,
        Reject::Command { .. } => 11,
    };
    assert!((0..12).eq(all.iter().map(place)));
    all
}
