//! A wall of meters: readings with phases and registers, judged for what the rules about meters say.

use crate::alerts::finding::{AlertFinding, Change};
use crate::detection::finding::Finding;
use crate::detection::observe::{Observation, Stamp};
use crate::detection::site::{Offer, SiteContext, SiteJudge};
use crate::model::meter::Meter;
use crate::model::quantity::{Channel, Phase, Quantity};
use crate::model::rule::{Level, Rule, Scope};
use crate::model::site::{PointKind, Site};
use crate::model::time::{MINUTE_MS, UtcMs};

use super::plant::{REORDER_MS, START, plant};
use crate::model::press_and_fan::point;

/// What a meter says at one minute.
#[derive(Clone, Debug)]
pub struct Said {
    pub point: u16,
    pub minute: i64,
    pub u: [f64; 3],
    pub i: [f64; 3],
    pub kw: f64,
    pub kwh: Option<f64>,
}

/// A unit of 10 kW that draws 6 kW on a sound grid that moves a little; its register counts hundredths, begun at 1,000.
pub fn sound(point: u16, minute: i64) -> Said {
    let wobble = |k: i64| ((minute * 37 + k * 11 + i64::from(point) * 5) % 17 - 8) as f64 / 10.0;
    let hundredths = (100_000 + minute * 10) as f64;
    Said {
        point,
        minute,
        u: [221.3 + wobble(1), 220.7 + wobble(2), 222.1 + wobble(3)],
        i: [9.1 + wobble(4) / 20.0, 9.2, 9.0],
        kw: 6.0 + wobble(5) / 100.0,
        kwh: Some(hundredths / 100.0),
    }
}

impl Said {
    fn values(&self) -> Vec<(Channel, f64)> {
        let phases = [Phase::L1, Phase::L2, Phase::L3];
        let mut values = vec![(Channel::POWER, self.kw * 1_000.0)];
        for (phase, (u, i)) in phases.into_iter().zip(self.u.into_iter().zip(self.i)) {
            values.extend(
                [u].map(|u| (Channel::of(Quantity::Voltage, phase), u)).iter().filter(|v| v.1.is_finite()),
            );
            values.extend(
                [i].map(|i| (Channel::of(Quantity::Current, phase), i)).iter().filter(|v| v.1.is_finite()),
            );
            if u.is_finite() {
                let share = i / self.i.iter().map(|i| i.abs()).sum::<f64>().max(1e-9);
                values.push((Channel::of(Quantity::ActivePower, phase), self.kw * 1_000.0 * share));
            }
        }
        values.extend(self.kwh.map(|kwh| (Channel::ENERGY, kwh)));
        values
    }
}

/// A press, a fan and the total of the site, each on a meter of its own.
pub fn wall() -> (Site, Vec<Meter>) {
    let (mut site, mut meters) = plant();
    meters.push(Meter { id: "plant/total".into(), ..meters[0].clone() });
    site.points.push(point("total", PointKind::Total, 2));
    (site, meters)
}

pub fn observations((site, meters): &(Site, Vec<Meter>), said: &[Said]) -> Vec<Observation> {
    let context = SiteContext::new(site, meters);
    let one = |(n, said): (u64, &Said)| {
        let stamp = Stamp { at: START.plus(said.minute * MINUTE_MS), offset: n, is_merged: false };
        Observation::of(said.point, stamp, &said.values(), &context.meters)
    };
    (1..).zip(said).map(one).collect()
}

/// What rules about meters say of readings that are judged every `tick_ms`; beside R8, which has its own tests.
pub fn told(wall: &(Site, Vec<Meter>), said: &[Said], tick_ms: i64) -> Vec<AlertFinding> {
    let (site, meters) = wall;
    let context = SiteContext::new(site, meters);
    let mut judge = SiteJudge::new(site, &context, START.plus(-1));
    let mut out = Vec::new();
    let mut now = START;
    for seen in observations(wall, said) {
        while seen.at.since(now) > tick_ms {
            now = now.plus(tick_ms);
            judge.advance(site, &context, now, &mut |f| out.push(f));
        }
        assert_eq!(judge.offer(seen), Offer::Accepted);
    }
    judge.advance(site, &context, UtcMs(now.0 + 2 * tick_ms + MINUTE_MS), &mut |f| out.push(f));
    alerts(out)
}

/// The same where each reading comes later than it was measured, by up to half of what is waited for.
pub fn told_late(
    wall: &(Site, Vec<Meter>),
    said: &[Said],
    tick_ms: i64,
    late_ms: &[i64],
) -> Vec<AlertFinding> {
    let (site, meters) = wall;
    let context = SiteContext::new(site, meters);
    let mut judge = SiteJudge::new(site, &context, START.plus(-1));
    let mut out = Vec::new();
    let mut arrivals: Vec<_> = observations(wall, said)
        .into_iter()
        .zip(late_ms.iter().cycle())
        .map(|(seen, late_ms)| (seen.at.plus(late_ms % i64::from(REORDER_MS / 2)), seen))
        .collect();
    arrivals.sort_by_key(|(received, seen)| (*received, std::cmp::Reverse(seen.point)));
    let mut now = START;
    for (received, seen) in arrivals {
        while received.since(now) > tick_ms {
            now = now.plus(tick_ms);
            judge.advance(site, &context, now.plus(-i64::from(REORDER_MS)), &mut |f| out.push(f));
        }
        assert_eq!(judge.offer(seen), Offer::Accepted);
    }
    judge.advance(site, &context, UtcMs(now.0 + 2 * tick_ms + MINUTE_MS), &mut |f| out.push(f));
    alerts(out)
}

pub fn alerts(found: Vec<Finding>) -> Vec<AlertFinding> {
    let others = [Rule::DataMissing, Rule::IncompleteDay];
    let own = |f| match f {
        Finding::Alert(a) if a.rule.scope() != Scope::Process && !others.contains(&a.rule) => Some(*a),
        _ => None,
    };
    found.into_iter().filter_map(own).collect()
}

/// Rule, change, minute of the change, first minute, level.
pub type Line = (Rule, Change, i64, i64, Level);

pub fn lines(alerts: &[AlertFinding]) -> Vec<Line> {
    let minute = |t: UtcMs| t.since(START) / MINUTE_MS;
    alerts.iter().map(|a| (a.rule, a.change, minute(a.at), minute(a.first), a.level)).collect()
}

/// The fan over so many minutes, each changed as said; beside it a press that is sound.
pub fn fan(minutes: i64, change: impl Fn(&mut Said)) -> Vec<Said> {
    let both = |minute| {
        let mut own = sound(1, minute);
        change(&mut own);
        [sound(0, minute), own]
    };
    (0..minutes).flat_map(both).collect()
}

/// What is said of the fan alone, minute by minute.
pub fn said_of(said: &[Said]) -> Vec<Line> {
    lines(&told(&plant(), said, MINUTE_MS))
}
