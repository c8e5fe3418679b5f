//! From the names in topic and payload to the meter, and what must be known of it to decode. Pure.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::model::meter::Input;
use crate::model::quantity::{Channel, Quantity};
use crate::model::reading::MeterIdx;
use crate::model::registry::Registry;
use crate::sources::reject::Reject;

/// Names as topic and payload give them; the topic's win.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Who<'a> {
    pub(super) site: Option<&'a str>,
    /// Name within the site, or the whole id `site/meter` where no site is named.
    pub(super) meter: Option<&'a str>,
    pub(super) device: Option<&'a str>,
}

#[derive(Debug)]
struct Entry {
    id: Box<str>,
    site: u32,
    over_mqtt: bool,
    /// CT and PT, where either is not 1.
    ratios: Option<(f64, f64)>,
}

/// Every meter of the registry, by its names.
#[derive(Debug)]
pub(super) struct Names {
    meters: Vec<Entry>,
    by_site: ByName<ByName<MeterIdx>>,
    /// Device name: meters that were given it, then meters whose own name it is.
    by_device: ByName<Vec<(MeterIdx, bool)>>,
}

type ByName<T> = HashMap<Box<str>, T, BuildHasherDefault<NameHasher>>;

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

impl Names {
    pub(super) fn new(registry: &Registry) -> Names {
        let mut names =
            Names { meters: Vec::new(), by_site: ByName::default(), by_device: ByName::default() };
        for (index, meter) in (0..).zip(&registry.meters) {
            let (site, own) = meter.id.split_once('/').unwrap_or(("", &meter.id));
            names.by_site.entry(site.into()).or_default().insert(own.into(), index);
            if let Input::Mqtt { device } = &meter.input {
                let called = device.as_deref().unwrap_or(own);
                names.by_device.entry(called.into()).or_default().push((index, device.is_some()));
            }
            names.meters.push(Entry {
                id: meter.id.clone(),
                site: meter.site,
                over_mqtt: matches!(meter.input, Input::Mqtt { .. }),
                ratios: ((meter.ct, meter.pt) != (1.0, 1.0)).then_some((meter.ct, meter.pt)),
            });
        }
        names
    }

    /// How many meters there are.
    pub(super) fn len(&self) -> usize {
        self.meters.len()
    }

    /// The meter with that id, whatever it is read over.
    pub(super) fn meter(&self, id: &str) -> Option<MeterIdx> {
        let (site, own) = id.split_once('/').unwrap_or(("", id));
        self.by_site.get(site)?.get(own).copied()
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
                .by_site
                .get(site)
                .and_then(|own| own.get(meter))
                .copied()
                .ok_or_else(|| Reject::UnknownMeter { meter: format!("{site}/{meter}").into() }),
            (None, None, Some(id)) if id.contains('/') => {
                self.meter(id).ok_or_else(|| Reject::UnknownMeter { meter: id.into() })
            }
            (None, None, Some(_)) => Err(shape("neither topic nor payload names the site")),
            (None, _, None) => Err(shape("neither topic nor payload names the meter")),
        }?;
        let entry = &self.meters[found as usize];
        if entry.over_mqtt {
            return Ok(found);
        }
        // Whoever may publish must not be able to speak for a meter that is read by wire.
        Err(shape(&format!("meter {} is read over Modbus", entry.id)))
    }

    fn device(&self, device: &str, site: Option<&str>) -> Result<MeterIdx, Reject> {
        let unknown = || Reject::UnknownMeter { meter: device.into() };
        let all = self.by_device.get(device).ok_or_else(unknown)?;
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
        let Some((ct, pt)) = self.meters[meter as usize].ratios else { return };
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
    use crate::model::meter::Meter;

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
            counting: crate::model::meter::Counting::default(),
        }
    }

    fn names() -> Names {
        let own = |id| meter(id, Input::Mqtt { device: None });
        let device = |id, name: &str| meter(id, Input::Mqtt { device: Some(name.into()) });
        let wired = Input::Modbus { link: "l".into(), unit: 1, profile: 0 };
        let meters = vec![
            own("a/m1"),
            own("b/m1"),
            own("a/m2"),
            device("b/kiln", "m2"),
            device("a/fan", "plug"),
            device("b/fan", "plug"),
            meter("a/wired", wired),
        ];
        Names::new(&Registry { meters, ..Registry::default() })
    }

    fn found(who: Who<'_>) -> Result<MeterIdx, &'static str> {
        names().resolve(who).map_err(|reject| reject.code())
    }

    #[test]
    fn a_meter_is_found_by_site_and_name_or_by_its_whole_id() {
        assert_eq!(found(Who { site: Some("b"), meter: Some("m1"), device: None }), Ok(1));
        assert_eq!(found(Who { meter: Some("a/m2"), ..Who::default() }), Ok(2));
        assert_eq!(found(Who { site: Some("c"), meter: Some("m1"), device: None }), Err("unknown_meter"));
        assert_eq!(found(Who { meter: Some("m1"), ..Who::default() }), Err("shape"), "of which site?");
        assert_eq!(found(Who { site: Some("a"), ..Who::default() }), Err("shape"));
        assert_eq!(names().meter("a/wired"), Some(6));
        let wired = Who { site: Some("a"), meter: Some("wired"), device: None };
        assert_eq!(found(wired), Err("shape"), "read over Modbus");
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
