//! From the names in topic and payload to the meter, and what must be known of it to decode. Pure.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::model::meter::{Input, Meter};
use crate::model::quantity::{Channel, Quantity};
use crate::model::reading::MeterIdx;
use crate::sources::reject::Reject;

/// Names as topic and payload give them; the topic's win.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Who<'a> {
    pub(super) site: Option<&'a str>,
    /// Name within the site, or the whole id `site/meter` where no site is named.
    pub(super) meter: Option<&'a str>,
    pub(super) device: Option<&'a str>,
}

/// Where the meters of a registry stand, by their names. It holds no id: the meters themselves do.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// By the hash of site and own name. Of two meters with one hash the second stands under the number that follows.
    by_id: HashMap<u64, MeterIdx, BuildHasherDefault<NameHasher>>,
    /// Device name: meters that were given it, then meters whose own name it is.
    by_device: HashMap<Box<str>, Vec<(MeterIdx, bool)>, BuildHasherDefault<NameHasher>>,
}

/// Every meter of the registry, by its names.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names<'a> {
    index: &'a Index,
    meters: &'a [Meter],
}

/// Hashes names of meters eight bytes at a time. Names come from the configuration and strangers only ask for them, so that
/// nobody can make many fall together.
#[derive(Clone, Copy, Debug, Default)]
struct NameHasher(u64);

impl NameHasher {
    /// Both halves of a wide product, so that every bit of the word counts in every bit of the hash.
    const fn mix(&mut self, word: u64) {
        let product = ((self.0 ^ word) as u128).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c061);
        self.0 = (product >> 64) as u64 ^ product as u64;
    }
}

impl Hasher for NameHasher {
    fn write(&mut self, bytes: &[u8]) {
        let mut words = bytes.chunks_exact(8);
        for word in &mut words {
            self.mix(word.iter().rev().fold(0, |all, b| all << 8 | u64::from(*b)));
        }
        let rest = words.remainder();
        self.mix(rest.iter().fold(rest.len() as u64 + 1, |all, b| all << 8 | u64::from(*b)));
    }

    fn write_u8(&mut self, byte: u8) {
        self.mix(u64::from(byte));
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Site and own name of an id.
fn parts(id: &str) -> (&str, &str) {
    id.split_once('/').unwrap_or(("", id))
}

/// Whether an id has these parts; asked for with every reading.
fn is_called(id: &str, (site, own): (&str, &str)) -> bool {
    let Some(rest) = id.strip_prefix(site) else { return false };
    rest.strip_prefix('/').map_or(site.is_empty() && rest == own, |rest| rest == own)
}

fn key((site, own): (&str, &str)) -> u64 {
    let mut hasher = NameHasher::default();
    hasher.write(site.as_bytes());
    hasher.write(own.as_bytes());
    hasher.finish()
}

impl Index {
    pub(super) fn new(meters: &[Meter]) -> Index {
        let mut index = Index::default();
        index.by_id.reserve(meters.len());
        for (place, meter) in (0..).zip(meters) {
            let names = parts(&meter.id);
            let mut key = key(names);
            while index.by_id.contains_key(&key) {
                key = key.wrapping_add(1);
            }
            index.by_id.insert(key, place);
            if let Input::Mqtt { device } = &meter.input {
                let called = device.as_deref().unwrap_or(names.1);
                match index.by_device.get_mut(called) {
                    Some(all) => all.push((place, device.is_some())),
                    None => drop(index.by_device.insert(called.into(), vec![(place, device.is_some())])),
                }
            }
        }
        index.by_device.values_mut().for_each(Vec::shrink_to_fit);
        index
    }

    /// Names of the meters it was made of.
    pub(super) fn of<'a>(&'a self, meters: &'a [Meter]) -> Names<'a> {
        Names { index: self, meters }
    }
}

impl Names<'_> {
    /// The meter of that site and own name, whatever it is read over.
    fn find(&self, names: (&str, &str)) -> Option<MeterIdx> {
        let mut key = key(names);
        loop {
            let found = *self.index.by_id.get(&key)?;
            if is_called(&self.meters[found as usize].id, names) {
                return Some(found);
            }
            key = key.wrapping_add(1);
        }
    }

    /// The meter with that id, whatever it is read over.
    pub(super) fn meter(&self, id: &str) -> Option<MeterIdx> {
        self.find(parts(id))
    }

    /// Index of the site a meter belongs to.
    pub(super) fn site_of(&self, meter: MeterIdx) -> u32 {
        self.meters[meter as usize].site
    }

    /// The meter that is meant. A device name goes before site and meter; one that fits several meters fits none.
    pub(super) fn resolve(&self, who: Who<'_>) -> Result<MeterIdx, Reject> {
        let found = match (who.device, who.site, who.meter) {
            (Some(device), site, _) => return self.device(device, site),
            (None, Some(site), Some(meter)) => self
                .find((site, meter))
                .ok_or_else(|| Reject::UnknownMeter { meter: format!("{site}/{meter}").into() }),
            (None, None, Some(id)) if id.contains('/') => {
                self.meter(id).ok_or_else(|| Reject::UnknownMeter { meter: id.into() })
            }
            (None, None, Some(_)) => Err(shape("neither topic nor payload names the site")),
            (None, _, None) => Err(shape("neither topic nor payload names the meter")),
        }?;
        let meter = &self.meters[found as usize];
        if matches!(meter.input, Input::Mqtt { .. }) {
            return Ok(found);
        }
        // Whoever may publish must not be able to speak for a meter that is read by wire.
        Err(shape(&format!("meter {} is read over Modbus", meter.id)))
    }

    fn device(&self, device: &str, site: Option<&str>) -> Result<MeterIdx, Reject> {
        let unknown = || Reject::UnknownMeter { meter: device.into() };
        let all = self.index.by_device.get(device).ok_or_else(unknown)?;
        let of_site = |meter: MeterIdx| {
            let id = &self.meters[meter as usize].id;
            site.is_none_or(|s| id.strip_prefix(s).is_some_and(|rest| rest.starts_with('/')))
        };
        for given in [true, false] {
            let mut fitting = all.iter().filter(|(m, g)| *g == given && of_site(*m)).map(|(m, _)| *m);
            if let Some(first) = fitting.next() {
                let Some(second) = fitting.next() else { return Ok(first) };
                let [a, b] = [first, second].map(|m| &self.meters[m as usize].id);
                return Err(shape(&format!("device {device:?} may be {a} or {b}")));
            }
        }
        Err(unknown())
    }

    /// Brings values to the primary side.
    pub(super) fn apply_ratios(&self, meter: MeterIdx, values: &mut [(Channel, f64)]) {
        let &Meter { ct, pt, .. } = &self.meters[meter as usize];
        if (ct, pt) == (1.0, 1.0) {
            return;
        }
        for (channel, value) in values {
            *value *= match channel.quantity() {
                Quantity::Voltage => pt,
                Quantity::Current => ct,
                Quantity::PowerFactor | Quantity::Frequency => 1.0,
                Quantity::ActivePower
                | Quantity::ReactivePower
                | Quantity::ApparentPower
                | Quantity::EnergyImport
                | Quantity::EnergyExport
                | Quantity::EnergyTotal => ct * pt,
            };
        }
    }
}

pub(super) fn shape(why: &str) -> Reject {
    Reject::Shape { why: why.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter(id: &str, input: Input) -> Meter {
        Meter {
            id: id.into(),
            site: 0,
            gateway: "g".into(),
            period_ms: 60_000,
            heartbeat_ms: 0,
            ct: 1.0,
            pt: 1.0,
            input,
            counting: None,
        }
    }

    fn meters() -> Vec<Meter> {
        let own = |id| meter(id, Input::Mqtt { device: None });
        let device = |id, name: &str| meter(id, Input::Mqtt { device: Some(name.into()) });
        let wired = Input::Modbus { link: "l".into(), unit: 1, profile: 0 };
        vec![
            own("a/m1"),
            own("b/m1"),
            own("a/m2"),
            device("b/kiln", "m2"),
            device("a/fan", "plug"),
            device("b/fan", "plug"),
            meter("a/wired", wired),
        ]
    }

    fn found(who: Who<'_>) -> Result<MeterIdx, &'static str> {
        let meters = meters();
        Index::new(&meters).of(&meters).resolve(who).map_err(|reject| reject.code())
    }

    #[test]
    fn a_meter_is_found_by_site_and_name_or_by_its_whole_id() {
        assert_eq!(found(Who { site: Some("b"), meter: Some("m1"), device: None }), Ok(1));
        assert_eq!(found(Who { meter: Some("a/m2"), ..Who::default() }), Ok(2));
        assert_eq!(found(Who { site: Some("c"), meter: Some("m1"), device: None }), Err("unknown_meter"));
        assert_eq!(found(Who { meter: Some("m1"), ..Who::default() }), Err("shape"), "of which site?");
        assert_eq!(found(Who { site: Some("a"), ..Who::default() }), Err("shape"));
        let meters = meters();
        assert_eq!(Index::new(&meters).of(&meters).meter("a/wired"), Some(6));
        let wired = Who { site: Some("a"), meter: Some("wired"), device: None };
        assert_eq!(found(wired), Err("shape"), "read over Modbus");
    }

    #[test]
    fn meters_of_one_hash_are_told_apart() {
        let meters = meters();
        let mut index = Index::new(&meters);
        // As if all three had the hash of the first.
        index.by_id.clear();
        index.by_id.extend((0..3).map(|i| (key(("a", "m1")).wrapping_add(i.into()), 2 - i)));
        assert_eq!(index.of(&meters).find(("a", "m1")), Some(0));
        assert_eq!(index.of(&meters).find(("a", "m9")), None);
    }

    #[test]
    fn a_device_is_the_meter_that_was_given_its_name_or_else_has_it() {
        let device = |device, site| found(Who { site, meter: None, device: Some(device) });
        assert_eq!(device("m2", None), Ok(3), "given names go before own names");
        assert_eq!(device("m2", Some("a")), Ok(2));
        assert_eq!(device("plug", None), Err("shape"), "two have it");
        assert_eq!(device("plug", Some("b")), Ok(5));
        assert_eq!(device("m1", None), Err("shape"));
        assert_eq!(device("plug", Some("c")), Err("unknown_meter"));
        assert_eq!(device("wired", None), Err("unknown_meter"), "read over Modbus");
    }
}
