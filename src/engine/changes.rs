//! What of the things a site is judged by is otherwise than before, as figures a person can check. Pure.
//! Source: rule catalogue, R18.

use serde::Serialize;
use serde_json::Value;

use super::past::version::SiteVersion;
use crate::alerts::evidence::{Aspect, Changed};
use crate::model::baseline::Baseline;
use crate::model::meter::Meter;
use crate::model::site::{Point, Process, Site, Thresholds};
use crate::model::time::UtcMs;

/// Texts of keys that have no words of their own are cut here, characters.
const TEXT_MAX: usize = 200;

/// What nothing stands for where something is there before or after.
const NONE: &str = "–";

/// Everything that differs; `who` changed it.
#[must_use]
pub fn between(old: &SiteVersion, new: &SiteVersion, who: &str) -> Vec<Changed> {
    let mut out = Changes { who, all: Vec::new() };
    out.points(old, new);
    out.processes(&old.site, &new.site);
    let bare = |site: &Site| {
        let mut value = json(site);
        for key in ["points", "processes"] {
            value.as_object_mut().map(|all| all.remove(key));
        }
        value
    };
    out.keys("", &bare(&old.site), &bare(&new.site));
    out.all
}

/// A site that is judged by something else from here on.
#[derive(Debug)]
pub struct Enforced {
    /// Index of the site.
    pub index: u32,
    /// Up to when it was judged by what held before.
    pub judged: UtcMs,
    /// What changed; nothing where the site is new.
    pub changes: Vec<Changed>,
}

struct Changes<'a> {
    who: &'a str,
    all: Vec<Changed>,
}

fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

fn kw(w: f64) -> String {
    format!("{} kW", (w * 10.0).round() / 10_000.0)
}

impl Changes<'_> {
    fn say(&mut self, what: Aspect, of: &str, from: impl Into<String>, to: impl Into<String>) {
        let (from, to) = (from.into(), to.into());
        if from != to {
            let (from, to) = (from.into(), to.into());
            self.all.push(Changed { what, of: of.into(), from, to, who: self.who.into() });
        }
    }

    fn points(&mut self, old: &SiteVersion, new: &SiteVersion) {
        let meter = |of: &SiteVersion, point: &Point| of.meters.get(point.meter as usize).cloned();
        for was in &old.site.points {
            let Some(now) = new.site.points.iter().find(|p| p.id == was.id) else {
                self.say(Aspect::Other, &format!("points.{}", was.id), was.kind.name(), NONE);
                continue;
            };
            if was.thresholds != now.thresholds {
                let (from, to) = (thresholds(&was.thresholds), thresholds(&now.thresholds));
                self.say(Aspect::Thresholds, &was.id, from, to);
            }
            if was.rated_w.to_bits() != now.rated_w.to_bits() {
                self.say(Aspect::RatedPower, &was.id, kw(was.rated_w), kw(now.rated_w));
            }
            let path = format!("points.{}.", was.id);
            self.say(Aspect::Other, &format!("{path}kind"), was.kind.name(), now.kind.name());
            self.say(Aspect::Other, &format!("{path}name"), &*was.name, &*now.name);
            if let Some((was_read, now_read)) = meter(old, was).zip(meter(new, now)) {
                self.meter(&was.id, &was_read, &now_read);
            }
        }
        for now in new.site.points.iter().filter(|p| !old.site.points.iter().any(|was| was.id == p.id)) {
            self.say(Aspect::Other, &format!("points.{}", now.id), NONE, now.kind.name());
        }
    }

    fn meter(&mut self, point: &str, was: &Meter, now: &Meter) {
        let ratio = |of: f64| format!("{of}");
        self.say(Aspect::CtRatio, point, ratio(was.ct), ratio(now.ct));
        self.say(Aspect::PtRatio, point, ratio(was.pt), ratio(now.pt));
        self.say(Aspect::Meter, point, &*was.id, &*now.id);
        let bare = |meter: &Meter| json(&Meter { ct: 1.0, pt: 1.0, id: "".into(), ..meter.clone() });
        self.keys(&format!("points.{point}.meter."), &bare(was), &bare(now));
    }

    fn processes(&mut self, old: &Site, new: &Site) {
        for was in &old.processes {
            let Some(now) = new.processes.iter().find(|p| p.id == was.id) else {
                self.say(Aspect::Relation, &was.id, relation(old, was), NONE);
                continue;
            };
            self.say(Aspect::Relation, &was.id, relation(old, was), relation(new, now));
            self.baselines((old, was), (new, now));
            let bare = |process: &Process| {
                let mut value = json(process);
                for key in ["production", "treatment", "baselines"] {
                    value.as_object_mut().map(|all| all.remove(key));
                }
                value
            };
            self.keys(&format!("processes.{}.", was.id), &bare(was), &bare(now));
        }
        for now in new.processes.iter().filter(|p| !old.processes.iter().any(|was| was.id == p.id)) {
            self.say(Aspect::Relation, &now.id, NONE, relation(new, now));
        }
    }

    fn baselines(&mut self, (old, was): (&Site, &Process), (new, now): (&Site, &Process)) {
        let of = |site: &Site, process: &Process, id: &str| {
            let own = process.baselines.iter().find(|b| name(site, b.point) == id);
            own.map_or_else(|| NONE.to_owned(), baseline)
        };
        let ids = was.baselines.iter().map(|b| name(old, b.point));
        let mut ids: Vec<&str> = ids.chain(now.baselines.iter().map(|b| name(new, b.point))).collect();
        ids.sort_unstable();
        ids.dedup();
        for id in ids {
            self.say(Aspect::Baseline, id, of(old, was, id), of(new, now, id));
        }
    }

    /// What else differs, key by key; lists as a whole.
    fn keys(&mut self, path: &str, was: &Value, now: &Value) {
        if let (Value::Object(was), Value::Object(now)) = (was, now) {
            let mut keys: Vec<&String> = was.keys().chain(now.keys()).collect();
            keys.sort_unstable();
            keys.dedup();
            for key in keys {
                let of = |all: &serde_json::Map<String, Value>| all.get(key).cloned().unwrap_or_default();
                let (was, now) = (of(was), of(now));
                let is_deep = was.is_object() && now.is_object();
                let path = format!("{path}{key}{}", if is_deep { "." } else { "" });
                self.keys(&path, &was, &now);
            }
        } else if was != now {
            let text = |value: &Value| value.to_string().chars().take(TEXT_MAX).collect::<String>();
            self.say(Aspect::Other, path, text(was), text(now));
        }
    }
}

/// `running from 1.5 kW down to 1 kW, idle from 0.3 kW, off below 0.2 kW, for 120 s / 180 s (fallback, 1234)`
fn thresholds(t: &Thresholds) -> String {
    format!(
        "running from {} down to {}, idle from {}, off below {}, for {} s / {} s ({}, {})",
        kw(t.running_above_w),
        kw(t.running_below_w),
        kw(t.idle_above_w),
        kw(t.off_below_w),
        t.on_for_ms / 1_000,
        t.off_for_ms / 1_000,
        t.basis.name(),
        t.version
    )
}

/// `– / – / 4 kW / 5 kW (learned, 1234)`
fn baseline(b: &Baseline) -> String {
    let level = |w: &Option<f32>| w.map_or_else(|| NONE.to_owned(), |w| kw(f64::from(w)));
    let levels: Vec<String> = b.median_w.iter().map(level).collect();
    format!("{} ({}, {})", levels.join(" / "), b.basis.name(), b.version)
}

fn name(site: &Site, point: u16) -> &str {
    site.points.get(usize::from(point)).map_or("?", |p| &p.id)
}

/// `press, dryer → 1 of fan-a, fan-b + pump`
fn relation(site: &Site, process: &Process) -> String {
    let names = |points: &[u16]| points.iter().map(|p| name(site, *p)).collect::<Vec<_>>().join(", ");
    let groups = process.treatment.iter().map(|g| {
        let all = usize::from(g.need) == g.points.len();
        if all { names(&g.points) } else { format!("{} of {}", g.need, names(&g.points)) }
    });
    format!("{} → {}", names(&process.production), groups.collect::<Vec<_>>().join(" + "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::tests::registry;
    use crate::model::registry::Registry;

    fn told(change: impl Fn(&mut Registry)) -> Vec<(Aspect, String)> {
        let old = registry();
        let mut new = registry();
        change(&mut new);
        let version = |r: &Registry| SiteVersion::of(r, &r.sites[0]);
        let all = between(&version(&old), &version(&new), "config");
        assert!(all.iter().all(|c| &*c.who == "config" && c.from != c.to));
        all.iter().map(|c| (c.what, format!("{}: {} → {}", c.of, c.from, c.to))).collect()
    }

    #[test]
    fn every_change_is_told_with_what_was_and_what_is() {
        assert_eq!(told(|_| {}), []);
        let rated = told(|r| r.sites[0].points[0].rated_w = 25_000.0);
        assert_eq!(rated, [(Aspect::RatedPower, "press: 10 kW → 25 kW".into())]);
        let ct = told(|r| r.meters[1].ct = 40.0);
        assert_eq!(ct, [(Aspect::CtRatio, "fan: 1 → 40".into())]);
        let relation = told(|r| r.sites[0].processes[0].treatment[0].need = 0);
        assert_eq!(relation, [(Aspect::Relation, "printing: press → fan → press → 0 of fan".into())]);
        let lag = told(|r| r.sites[0].processes[0].lag_ms = 300_000);
        assert_eq!(lag, [(Aspect::Other, "processes.printing.lag_ms: 0 → 300000".into())]);
        let deep = told(|r| r.sites[0].processes[0].rules.raise_ms = 1);
        assert_eq!(deep, [(Aspect::Other, "processes.printing.rules.raise_ms: 600000 → 1".into())]);
        let gone = told(|r| {
            r.sites[0].processes.clear();
            r.sites[0].points.truncate(1);
        });
        let whats: Vec<_> = gone.iter().map(|(what, _)| *what).collect();
        assert_eq!(whats, [Aspect::Other, Aspect::Relation], "{gone:?}");
    }

    #[test]
    fn thresholds_are_told_as_a_whole() {
        let all = told(|r| r.sites[0].points[1].thresholds.running_above_w = 2_000.0);
        let [(Aspect::Thresholds, text)] = &all[..] else { panic!("{all:?}") };
        assert!(text.starts_with("fan: running from 1 kW down to 0.6 kW, idle from 0.3 kW"), "{text}");
        assert!(text.contains("→ running from 2 kW down to 0.6 kW") && text.contains("configured"), "{text}");
    }
}
