//! The story as detection judges it, without sockets: the alerts it is told for, at the moments it is told for.

use std::net::SocketAddr;

use super::files;
use super::plant::Simulation;
use super::story::PLANTS;
use crate::alerts::finding::{Change, Subject};
use crate::config::{self, Environment};
use crate::detection::finding::Finding;
use crate::detection::observe::Observation;
use crate::detection::site::{SiteContext, SiteJudge};
use crate::model::registry::Registry;
use crate::model::rule::{Level, Rule};
use crate::model::time::UtcMs;
use crate::wording::words::Lang;

/// The story begins here.
const BEGIN: UtcMs = UtcMs(1_795_521_790_000);

/// What the daemon makes of the demo's files.
fn registry() -> Registry {
    let folder = tempfile::tempdir().unwrap();
    let addresses = [1883, 1883, 1502].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
    let main = files::write(folder.path(), &PLANTS, &addresses, addresses[0], Lang::En).unwrap();
    let loaded = config::load(Some(&main), Environment::new()).unwrap();
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
    loaded.config.registry
}

type Told = (Rule, Subject, Change, Level, i64);

/// What is said of alerts of a plant within so many seconds: with the second at which it could be said.
fn told(plant: usize, seconds: u64, phase_ms: u64) -> Vec<Told> {
    let registry = registry();
    let site = registry.sites.iter().find(|site| *site.id == *PLANTS[plant].id).unwrap();
    let context = SiteContext::new(site, &registry.meters);
    let mut judge = SiteJudge::new(site, &context, BEGIN);
    let mut simulation = Simulation::new(&PLANTS, 1);
    let mut told = Vec::new();
    for second in 0..seconds {
        let elapsed_ms = second * 1_000 + phase_ms;
        let at = BEGIN.plus(i64::try_from(elapsed_ms).unwrap());
        for (point, measured) in (0_u16..).zip(&simulation.read(elapsed_ms).plants[plant]) {
            if measured.heard {
                let (power_w, energy_kwh) = (Some(measured.power_kw * 1_000.0), Some(measured.energy_kwh));
                judge.offer(Observation::plain(point, at, power_w, energy_kwh, second));
            }
        }
        let said_s = i64::try_from(second).unwrap();
        judge.advance(site, &context, at.plus(-i64::from(site.reorder_ms)), &mut |finding| {
            if let Finding::Alert(alert) = finding {
                told.push((alert.rule, alert.subject, alert.change, alert.level, said_s));
            }
        });
    }
    told
}

fn words(told: &[Told]) -> Vec<(Rule, Change)> {
    told.iter().map(|(rule, _, change, ..)| (*rule, *change)).collect()
}

#[test]
fn the_honest_plant_raises_nothing() {
    assert_eq!(told(0, 240, 300), []);
}

#[test]
fn treatment_off_is_opened_rises_and_is_cleared_within_the_first_minute() {
    for phase_ms in [0, 370, 990] {
        let told = told(1, 60, phase_ms);
        use Change::{Cleared, Escalated, Raised};
        let rule = Rule::TreatmentOff;
        assert_eq!(words(&told), [(rule, Raised), (rule, Escalated), (rule, Cleared)], "{told:?}");
        let said: Vec<i64> = told.iter().map(|t| t.4).collect();
        assert!(said[0] <= 22 && said[1] <= 42 && said[2] <= 48, "{said:?}");
        assert_eq!(told[1].3, Level::Alarm);
    }
}

#[test]
fn the_silent_treatment_meter_is_an_alert_while_production_runs_and_clears_when_it_is_heard() {
    let told = told(2, 60, 370);
    let process = Subject::Process(0);
    let gap: Vec<_> = told.iter().filter(|t| t.0 == Rule::GapWhileProducing && t.1 == process).collect();
    assert_eq!(gap.iter().map(|t| t.2).collect::<Vec<_>>(), [Change::Raised, Change::Cleared], "{told:?}");
    assert!((35..=40).contains(&gap[0].4) && gap[1].4 <= 57, "{told:?}");
    assert!(told.iter().any(|t| t.0 == Rule::DataMissing && t.1 == Subject::Point(1)), "{told:?}");
}

#[test]
fn the_second_round_tells_of_fragments_and_of_a_whole_gateway() {
    let fragments = told(1, 120, 370);
    let round_two: Vec<_> = fragments.iter().filter(|t| t.4 >= 60).collect();
    assert_eq!(
        round_two.iter().map(|t| (t.0, t.2)).collect::<Vec<_>>(),
        [(Rule::Fragmented, Change::Raised)]
    );
    let silence = told(2, 120, 370);
    let round_two: Vec<_> = silence.iter().filter(|t| t.4 >= 60).map(|t| (t.0, t.1, t.2)).collect();
    let gateway = Subject::Gateway(0);
    assert_eq!(
        round_two,
        [(Rule::DataMissing, gateway, Change::Raised), (Rule::DataMissing, gateway, Change::Cleared)]
    );
}
