//! Which rules cannot say anything of a site, its processes and its points, and why: from the configuration alone. Pure.
//!
//! A plant that reads "no alerts" is to know what nobody looks at. What only readings can show is not told here: that the
//! days a rule learns from are still few, or that a meter's phases are wired otherwise.

use serde::{Deserialize, Serialize};

use crate::alerts::finding::Subject;
use crate::model::meter::{Input, Meter, Profile};
use crate::model::param::Param;
use crate::model::quantity::{Channel, Phase, Quantity};
use crate::model::rule::{Rule, Scope};
use crate::model::site::{Point, PointKind, Process, Site};

/// Why a rule says nothing, or not all it could.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// It is turned off.
    Off,
    /// What the treatment usually draws is not known.
    NoBaseline,
    /// No working time is declared.
    NoWorkingTime,
    /// The night ends when it begins.
    NoNight,
    /// No lag is asked for: only what stops before production is told.
    NoLag,
    /// Readings come so seldom that R1 speaks before an edge is sure.
    TooSeldom,
    /// The point is in no process.
    InNoProcess,
    /// Its meter gives no such value.
    NotMeasured,
    /// Its meter has a single phase.
    SinglePhase,
    /// Which values its meter gives is known only when they come.
    DependsOnMessages,
    /// The time of its readings is ours: it was asked for them.
    NoClockOfItsOwn,
    /// It does not number what it sends.
    NoNumbers,
    /// No other meter of the site gives such a value to compare with.
    NothingToCompare,
    /// The site has no point of kind total.
    NoTotal,
    /// The site has a single meter, and its silence is told as such.
    OneMeter,
}

/// A rule that says nothing of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Silent {
    /// Which rule.
    pub rule: Rule,
    /// Of what.
    pub subject: Subject,
    /// Why.
    pub why: Why,
}

/// All that cannot be told of a site: in the order of the rules, then of processes and points.
#[must_use]
pub fn silent(site: &Site, meters: &[Meter], profiles: &[Profile]) -> Vec<Silent> {
    let whole = Whole { site, meters, profiles };
    let mut all = Vec::new();
    for &rule in Rule::ALL {
        let mut add = |subject, why: Option<Why>| all.extend(why.map(|why| Silent { rule, subject, why }));
        match rule.scope() {
            Scope::Process => {
                for (index, process) in (0_u16..).zip(&site.processes) {
                    let subject = Subject::Process(index);
                    if process.rules.settings.is_on(rule) {
                        whole.of_process(rule, process, subject, &mut add);
                    } else {
                        add(subject, Some(Why::Off));
                    }
                }
            }
            Scope::Meter if !site.rules.is_on(rule) => add(Subject::Site, Some(Why::Off)),
            Scope::Meter => {
                for (index, point) in (0_u16..).zip(&site.points) {
                    add(Subject::Point(index), whole.of_point(rule, index, point));
                }
            }
            Scope::Site if !site.rules.is_on(rule) => add(Subject::Site, Some(Why::Off)),
            Scope::Site => add(Subject::Site, whole.of_site(rule)),
        }
    }
    all
}

/// A site with what measures it.
struct Whole<'a> {
    site: &'a Site,
    meters: &'a [Meter],
    profiles: &'a [Profile],
}

impl Whole<'_> {
    fn of_process(
        &self,
        rule: Rule,
        process: &Process,
        subject: Subject,
        add: &mut impl FnMut(Subject, Option<Why>),
    ) {
        let settings = &process.rules.settings;
        let (period_ms, raise_ms) = (self.period_ms(process), i64::from(process.rules.raise_ms));
        let lag_ms = i64::from(process.lag_ms);
        let why = match rule {
            // What is certainly late was seen off while production ran for a period or more, which is R1 then.
            Rule::LateStart if process.lead_ms == 0 && period_ms >= raise_ms => Some(Why::TooSeldom),
            Rule::EarlyStop
                if period_ms >= raise_ms && period_ms >= lag_ms - settings.ms(Param::EarlyTolerance) =>
            {
                Some(Why::TooSeldom)
            }
            Rule::EarlyStop if lag_ms == 0 => Some(Why::NoLag),
            Rule::TreatmentUnderload if process.baselines.is_empty() => Some(Why::NoBaseline),
            Rule::TreatmentUnderload => {
                let points = process.treatment.iter().flat_map(|group| &group.points);
                for point in points.filter(|p| process.baselines.iter().all(|b| b.point != **p)) {
                    add(Subject::Point(*point), Some(Why::NoBaseline));
                }
                None
            }
            Rule::OutsideHours if self.site.working_time(process).is_none() => Some(Why::NoWorkingTime),
            Rule::Night if settings.ms(Param::NightFrom) == settings.ms(Param::NightTo) => Some(Why::NoNight),
            _ => None,
        };
        add(subject, why);
    }

    /// How often the one of its units that is read most seldom is sampled, ms.
    fn period_ms(&self, process: &Process) -> i64 {
        let treatment = process.treatment.iter().flat_map(|group| &group.points);
        let points = process.production.iter().chain(treatment);
        let periods = points.filter_map(|p| {
            let point = self.site.points.get(usize::from(*p))?;
            self.meters.get(point.meter as usize).map(|meter| meter.period_ms)
        });
        i64::from(periods.max().unwrap_or_default().max(self.site.step_ms))
    }

    fn of_point(&self, rule: Rule, index: u16, point: &Point) -> Option<Why> {
        match rule {
            Rule::DataMissing => return None,
            Rule::IncompleteDay => {
                let is_member = |process: &Process| {
                    let mut treatment = process.treatment.iter().flat_map(|group| &group.points);
                    process.production.contains(&index) || treatment.any(|p| *p == index)
                };
                return (!self.site.processes.iter().any(is_member)).then_some(Why::InNoProcess);
            }
            _ => {}
        }
        let meter = self.meters.get(point.meter as usize)?;
        let Input::Modbus { profile, .. } = &meter.input else { return Some(Why::DependsOnMessages) };
        let profile = self.profiles.get(*profile as usize)?;
        let has =
            |quantity, phase| profile.registers.iter().any(|r| r.channel == Channel::of(quantity, phase));
        let phases = |quantity| PHASES.into_iter().filter(|phase| has(quantity, *phase)).count();
        let gives = |is_there: bool| (!is_there).then_some(Why::NotMeasured);
        let has_power = has(Quantity::ActivePower, Phase::Total) || phases(Quantity::ActivePower) > 0;
        let has_energy = has(Quantity::EnergyImport, Phase::Total);
        match rule {
            Rule::Frozen => gives(has_power),
            Rule::ClockDrift => Some(Why::NoClockOfItsOwn),
            Rule::Counter => gives(has_energy),
            Rule::PowerEnergyMismatch => gives(has_energy && has_power),
            Rule::ReverseCt if has(Quantity::EnergyExport, Phase::Total) => None,
            Rule::ReverseCt | Rule::Imbalance if is_single_phase(profile) => Some(Why::SinglePhase),
            Rule::ReverseCt => gives(phases(Quantity::ActivePower) > 1),
            Rule::Imbalance => gives(phases(Quantity::Current) == PHASES.len()),
            Rule::VoltageLoss => gives(has_voltage(profile) && has_current(profile)),
            Rule::Undervoltage if !has_voltage(profile) => Some(Why::NotMeasured),
            Rule::Undervoltage => (!self.may_compare_voltage(index)).then_some(Why::NothingToCompare),
            Rule::Restart => Some(Why::NoNumbers),
            _ => None,
        }
    }

    /// Whether another meter of the site gives voltages, or may.
    fn may_compare_voltage(&self, index: u16) -> bool {
        (0_u16..).zip(&self.site.points).filter(|(i, _)| *i != index).any(|(_, point)| {
            match self.meters.get(point.meter as usize).map(|meter| &meter.input) {
                Some(Input::Modbus { profile, .. }) => {
                    self.profiles.get(*profile as usize).is_some_and(has_voltage)
                }
                Some(Input::Mqtt { .. }) => true,
                None => false,
            }
        })
    }

    fn of_site(&self, rule: Rule) -> Option<Why> {
        let totals = self.site.points.iter().filter(|p| p.kind == PointKind::Total).count();
        match rule {
            Rule::Bypass if totals == 0 => Some(Why::NoTotal),
            Rule::Bypass if totals == self.site.points.len() => Some(Why::NothingToCompare),
            Rule::PowerCut if self.site.points.len() < 2 => Some(Why::OneMeter),
            _ => None,
        }
    }
}

const PHASES: [Phase; 3] = [Phase::L1, Phase::L2, Phase::L3];

fn is_single_phase(profile: &Profile) -> bool {
    !profile.registers.iter().any(|r| matches!(r.channel.phase(), Phase::L2 | Phase::L3))
}

fn has_voltage(profile: &Profile) -> bool {
    gives_phases(profile, Quantity::Voltage)
}

fn has_current(profile: &Profile) -> bool {
    gives_phases(profile, Quantity::Current)
}

/// Of each phase, or of the only one there is.
fn gives_phases(profile: &Profile, quantity: Quantity) -> bool {
    profile.registers.iter().any(|r| {
        r.channel.quantity() == quantity && (r.channel.phase() != Phase::Total || is_single_phase(profile))
    })
}

impl Why {
    /// Every reason.
    pub const ALL: [Why; 15] = [
        Why::Off,
        Why::NoBaseline,
        Why::NoWorkingTime,
        Why::NoNight,
        Why::NoLag,
        Why::TooSeldom,
        Why::InNoProcess,
        Why::NotMeasured,
        Why::SinglePhase,
        Why::DependsOnMessages,
        Why::NoClockOfItsOwn,
        Why::NoNumbers,
        Why::NothingToCompare,
        Why::NoTotal,
        Why::OneMeter,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detection::tests::plant::{FAN, PRESS, plant};
    use crate::model::baseline::Baseline;
    use crate::model::meter::{Coding, Register, RegisterType, Table, WordOrder};
    use crate::model::site::Basis;
    use crate::model::working_time::{Shift, WorkingTime};

    fn profile(channels: &[Channel]) -> Profile {
        let register = |channel| Register {
            channel,
            address: 0,
            kind: RegisterType::F32,
            scale: 1.0,
            coding: Coding::Plain,
        };
        Profile {
            name: "meter".into(),
            table: Table::Holding,
            word_order: WordOrder::Big,
            max_registers: 80,
            even_counts: false,
            max_gap: 0,
            pause_ms: 0,
            secondary_side: false,
            registers: channels.iter().copied().map(register).collect(),
        }
    }

    /// Reasons by rule, of a plant whose meters are read over Modbus by these profiles.
    fn reasons(
        change: impl FnOnce(&mut Site, &mut Vec<Meter>),
        profiles: &[Profile],
    ) -> Vec<(Rule, Subject, Why)> {
        let (mut site, mut meters) = plant();
        change(&mut site, &mut meters);
        if !profiles.is_empty() {
            for (meter, profile) in meters.iter_mut().zip(0..) {
                let profile = profile % profiles.len() as u32;
                meter.input = Input::Modbus { link: "bus".into(), unit: 1, profile };
            }
        }
        silent(&site, &meters, profiles).into_iter().map(|s| (s.rule, s.subject, s.why)).collect()
    }

    const LINE: Subject = Subject::Process(0);

    #[test]
    fn what_a_process_does_not_say_is_told_with_why() {
        let of_process = |change: fn(&mut Site, &mut Vec<Meter>)| -> Vec<_> {
            let all = reasons(change, &[]);
            all.into_iter().filter(|(rule, ..)| rule.scope() == Scope::Process).collect()
        };
        assert_eq!(
            of_process(|_, _| {}),
            [
                (Rule::EarlyStop, LINE, Why::NoLag),
                (Rule::TreatmentUnderload, LINE, Why::NoBaseline),
                (Rule::Night, LINE, Why::NoNight),
                (Rule::OutsideHours, LINE, Why::NoWorkingTime),
            ]
        );
        let whole = of_process(|site, _| {
            let process = &mut site.processes[0];
            process.lag_ms = 300_000;
            process.rules.settings = crate::model::param::Settings::DEFAULT;
            process.rules.settings.turn(Rule::Fragmented, false);
            let basis = Basis::Configured;
            let baseline =
                Baseline { point: PRESS, median_w: [None; 4], power_factor: None, basis, version: 1 };
            process.baselines = vec![baseline];
            let shifts = vec![Shift { days: 1, from_ms: 0, to_ms: 1 }];
            site.working_time = Some(WorkingTime { shifts });
        });
        let fan = Subject::Point(FAN);
        let expected = [(Rule::TreatmentUnderload, fan, Why::NoBaseline), (Rule::Fragmented, LINE, Why::Off)];
        assert_eq!(whole, expected);
        let seldom = of_process(|site, meters| {
            site.processes[0].lag_ms = 300_000;
            meters[1].period_ms = 900_000;
        });
        let expected = [(Rule::LateStart, LINE, Why::TooSeldom), (Rule::EarlyStop, LINE, Why::TooSeldom)];
        assert_eq!(seldom[..2], expected);
    }

    #[test]
    fn what_a_meter_cannot_show_follows_from_its_profile() {
        let of_phases = |quantity| PHASES.map(|phase| Channel::of(quantity, phase)).to_vec();
        let single = profile(&[
            Channel::of(Quantity::Voltage, Phase::Total),
            Channel::of(Quantity::Current, Phase::Total),
            Channel::POWER,
        ]);
        let three = [Quantity::Voltage, Quantity::Current, Quantity::ActivePower].map(of_phases).concat();
        let three = profile(&[three, vec![Channel::ENERGY]].concat());
        let all = reasons(|_, _| {}, &[single, three]);
        let of = |point| -> Vec<_> {
            let own = all.iter().filter(|(rule, subject, _)| {
                rule.scope() == Scope::Meter && *subject == Subject::Point(point)
            });
            own.map(|(rule, _, why)| (*rule, *why)).collect()
        };
        let by_modbus = [(Rule::ClockDrift, Why::NoClockOfItsOwn), (Rule::Restart, Why::NoNumbers)];
        assert_eq!(of(FAN), by_modbus, "three phases and a register");
        assert_eq!(
            of(PRESS),
            [
                by_modbus[0],
                (Rule::Counter, Why::NotMeasured),
                (Rule::PowerEnergyMismatch, Why::NotMeasured),
                (Rule::ReverseCt, Why::SinglePhase),
                (Rule::Imbalance, Why::SinglePhase),
                by_modbus[1],
            ]
        );
        let export = Channel::of(Quantity::EnergyExport, Phase::Total);
        let with_export = profile(&[Channel::of(Quantity::Voltage, Phase::Total), Channel::POWER, export]);
        let all = reasons(|_, _| {}, &[with_export]);
        let is_of_press = |rule| all.iter().any(|own| (own.0, own.1) == (rule, Subject::Point(PRESS)));
        assert!(!is_of_press(Rule::ReverseCt) && is_of_press(Rule::Imbalance), "{all:?}");
        let three_wires = profile(&[&of_phases(Quantity::Current)[..], &[Channel::POWER]].concat());
        let all = reasons(|_, _| {}, &[three_wires]);
        for rule in [Rule::VoltageLoss, Rule::Undervoltage] {
            assert!(all.contains(&(rule, Subject::Point(PRESS), Why::NotMeasured)), "{all:?}");
        }
    }

    #[test]
    fn over_mqtt_nobody_knows_beforehand_and_a_site_needs_a_total() {
        let all = reasons(|_, _| {}, &[]);
        assert!(all.contains(&(Rule::Frozen, Subject::Point(FAN), Why::DependsOnMessages)));
        assert!(!all.iter().any(|(rule, ..)| *rule == Rule::DataMissing), "silence can always be told");
        assert!(all.contains(&(Rule::Bypass, Subject::Site, Why::NoTotal)));
        let all = reasons(|site, _| site.points[0].kind = PointKind::Total, &[]);
        assert!(!all.iter().any(|(rule, ..)| *rule == Rule::Bypass));
        let all = reasons(
            |site, _| {
                site.processes.clear();
                site.points.truncate(1);
                site.rules.turn(Rule::Frozen, false);
            },
            &[],
        );
        assert!(all.contains(&(Rule::Frozen, Subject::Site, Why::Off)));
        assert!(all.contains(&(Rule::IncompleteDay, Subject::Point(0), Why::InNoProcess)));
        assert!(all.contains(&(Rule::PowerCut, Subject::Site, Why::OneMeter)));
    }
}
