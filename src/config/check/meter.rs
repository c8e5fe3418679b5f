//! Meters: where their readings come from, and what each needs to be read.

use std::collections::HashMap;

use super::counting;
use super::ground::Ground;
use super::must::{self, Bounds, Once};
use super::profile::{max_gap, max_registers, pause_ms};
use crate::config::problem::{Report, Spot};
use crate::config::settings::Transport;
use crate::config::suggest;
use crate::config::typed::profile::Side;
use crate::config::typed::site as typed;
use crate::model::meter::{Input, Meter, Profile};

/// How often a reading is expected.
pub const PERIOD_MS: u32 = 60_000;

/// Ratios beyond this are not built.
const RATIO_MAX: f64 = 50_000.0;

/// Meters of all sites so far.
#[derive(Debug)]
pub struct Meters<'a> {
    ground: Ground<'a>,
    meters: Vec<Meter>,
    profiles: Vec<Profile>,
    /// By link and unit: the profile it is read with, and where.
    on_bus: HashMap<(Box<str>, u8), (Box<str>, String)>,
    /// By device name: where.
    devices: HashMap<Box<str>, Spot>,
}

impl<'a> Meters<'a> {
    /// None yet.
    #[must_use]
    pub fn new(ground: Ground<'a>) -> Meters<'a> {
        Meters {
            ground,
            meters: Vec::new(),
            profiles: Vec::new(),
            on_bus: HashMap::new(),
            devices: HashMap::new(),
        }
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> u32 {
        u32::try_from(self.meters.len()).unwrap_or(u32::MAX)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.meters.is_empty()
    }

    /// A meter of a site whose first one is `first`.
    #[must_use]
    pub fn get(&self, first: u32, index: usize) -> Option<&Meter> {
        self.meters.get(first as usize + index)
    }

    /// The profile of an input over Modbus.
    #[must_use]
    pub fn profile_of(&self, input: &Input) -> Option<&Profile> {
        match *input {
            Input::Modbus { profile, .. } => self.profiles.get(profile as usize),
            Input::Mqtt { .. } => None,
        }
    }

    /// Meters and the profiles they use.
    #[must_use]
    pub fn done(self) -> (Vec<Meter>, Vec<Profile>) {
        (self.meters, self.profiles)
    }

    /// Checks the meters of a site.
    pub fn take_site(
        &mut self,
        site: &str,
        index: u32,
        typed: &[typed::Meter],
        file: &Spot,
        report: &mut Report,
    ) {
        let mut ids = Once::new("meter");
        for (i, meter) in typed.iter().enumerate() {
            let at = file.item("meters", i);
            let id = must::id(meter.id.as_ref(), &at.key("id"), "id = \"m1\"", report);
            ids.take(id, &at.key("id"), "every meter of a site has an id of its own", report);
            let own = self.one((site, id), index, meter, &at, report);
            self.meters.push(own);
        }
    }

    fn one(
        &mut self,
        (site, id): (&str, &str),
        index: u32,
        typed: &typed::Meter,
        at: &Spot,
        report: &mut Report,
    ) -> Meter {
        let ratios = (ratio(typed.ct, &at.key("ct"), report), ratio(typed.pt, &at.key("pt"), report));
        let (input, secondary) = match (&typed.mqtt, &typed.modbus) {
            (Some(_), Some(_)) => {
                report.error(
                    at,
                    "it is to come over MQTT and to be read over Modbus",
                    "keep one of mqtt and modbus",
                );
                (Input::Mqtt { device: None }, true)
            }
            (mqtt, None) => (self.over_mqtt(mqtt.as_ref(), at, report), true),
            (None, Some(modbus)) => self.over_modbus(modbus, typed, at, report),
        };
        // A meter that has applied its ratios already must not have them applied once more.
        let (ct, pt) = if secondary { ratios } else { (1.0, 1.0) };
        let gateway = match (&typed.gateway, &input) {
            (Some(name), _) => must::text(Some(name), &at.key("gateway"), "gateway = \"dtu-3\"", report),
            (None, Input::Modbus { link, .. }) => link,
            (None, Input::Mqtt { .. }) => site,
        };
        let counting = counting::check(typed, self.profile_of(&input), ct * pt, at, report);
        let period_ms =
            must::ms(typed.period, PERIOD_MS, Bounds::ms(1_000, 86_400_000), &at.key("period"), report);
        Meter {
            id: format!("{site}/{id}").into(),
            site: index,
            gateway: gateway.into(),
            period_ms,
            heartbeat_ms: heartbeat_ms(typed, &input, period_ms, at, report),
            ct,
            pt,
            input,
            counting: counting.boxed(),
        }
    }

    fn over_mqtt(&mut self, typed: Option<&typed::MqttInput>, at: &Spot, report: &mut Report) -> Input {
        if self.ground.subscribed == Some(false) {
            let hint = "add [[mqtt.brokers.subscriptions]] to the main file, or modbus = { … } to the meter";
            report.warn(at, "it comes over MQTT, and nothing is subscribed to", hint);
        }
        let device = typed.and_then(|t| t.device.as_ref());
        if let Some(name) = device {
            let spot = at.key("mqtt").key("device");
            let name = must::text(Some(name), &spot, "device = \"fan-7\"", report);
            match self.devices.get(name) {
                Some(first) if first.name() == spot.name() => {
                    report.error(
                        &spot,
                        format!("device {name:?} is already at {first}"),
                        "a device speaks for one meter",
                    );
                }
                Some(first) => {
                    let what = format!("device {name:?} is in {} as well", first.name());
                    report.warn(
                        &spot,
                        what,
                        "they can be told apart only where the topic has {site} in it, too",
                    );
                }
                None => {
                    self.devices.insert(name.into(), spot);
                }
            }
        }
        Input::Mqtt { device: device.map(|d| d.as_str().into()) }
    }

    /// The input, and whether its values are on the secondary side.
    fn over_modbus(
        &mut self,
        typed: &typed::ModbusInput,
        meter: &typed::Meter,
        meter_at: &Spot,
        report: &mut Report,
    ) -> (Input, bool) {
        let at = meter_at.key("modbus");
        let link = must::text(typed.link.as_ref(), &at.key("link"), "link = \"bus-1\"", report);
        let known = self.ground.links.and_then(|all| all.iter().find(|l| *l.name == *link));
        if let (Some(all), None, false) = (self.ground.links, known, link.is_empty()) {
            let hint = suggest::hint(link, all.iter().map(|l| &*l.name));
            report.error(&at.key("link"), format!("no link {link:?} is in the main file"), hint);
        }
        let over_tcp = known.is_none_or(|l| matches!(l.transport, Transport::Tcp { .. }));
        let unit = typed.unit.unwrap_or_else(|| {
            report.error(
                &at.key("unit"),
                "this key is missing",
                "the slave address set at the meter, 1 to 247",
            );
            1
        });
        if !(1..=247).contains(&unit) && !over_tcp {
            let hint = "1 to 247; 0 would speak to every meter of the bus at once";
            report.error(&at.key("unit"), format!("{unit} is no slave address"), hint);
        }
        let name =
            must::text(typed.profile.as_ref(), &at.key("profile"), "profile = \"eastron-sdm630\"", report);
        let found = self.ground.profiles.get(name);
        if found.is_none() && !name.is_empty() {
            let hint = suggest::hint(name, self.ground.profiles.keys().map(|k| &**k));
            report.error(&at.key("profile"), format!("no meter profile {name:?} is known"), hint);
        }
        self.alone_on_bus(link, unit, name, &at, report);
        let (profile, secondary) = match found {
            Some(profile) => {
                let own = with_overrides(profile, typed, &at, report);
                ratios_fit(&own, meter, meter_at, report);
                let secondary = own.secondary_side;
                (self.index(own), secondary)
            }
            None => (0, true),
        };
        (Input::Modbus { link: link.into(), unit, profile }, secondary)
    }

    fn alone_on_bus(&mut self, link: &str, unit: u8, profile: &str, at: &Spot, report: &mut Report) {
        let spot = at.key("unit");
        let own = (profile.into(), format!("{} {at}", at.name()));
        let Some((other, place)) = self.on_bus.get(&(link.into(), unit)) else {
            self.on_bus.insert((link.into(), unit), own);
            return;
        };
        if **other == *profile {
            let hint = "two meters never share a slave address: both would answer at once";
            report.error(&spot, format!("unit {unit} on link {link:?} is already at {place}"), hint);
        } else {
            let what = format!("unit {unit} on link {link:?} is also at {place}, with another profile");
            report.warn(&spot, what, "right only for one device with several circuits");
        }
    }

    fn index(&mut self, profile: Profile) -> u32 {
        let at = self.profiles.iter().position(|p| *p == profile).unwrap_or_else(|| {
            self.profiles.push(profile);
            self.profiles.len() - 1
        });
        u32::try_from(at).unwrap_or(u32::MAX)
    }
}

fn ratio(given: Option<f64>, spot: &Spot, report: &mut Report) -> f64 {
    match given {
        Some(r) if !(r > 0.0 && r <= RATIO_MAX) => {
            let hint =
                "the ratio as one number: 200 for a transformer 1000/5; leave it away where there is none";
            report.error(spot, format!("{r} is no ratio of a transformer"), hint);
            1.0
        }
        Some(r) => r,
        None => 1.0,
    }
}

/// The profile with what the meter says otherwise.
fn with_overrides(profile: &Profile, typed: &typed::ModbusInput, at: &Spot, report: &mut Report) -> Profile {
    let mut own = profile.clone();
    let longest = own.registers.iter().map(|r| r.kind.words()).max().unwrap_or(1);
    own.word_order = typed.word_order.unwrap_or(own.word_order);
    own.max_registers = max_registers(typed.max_registers, longest, at, report).unwrap_or(own.max_registers);
    own.max_gap = max_gap(typed.max_gap, at, report).unwrap_or(own.max_gap);
    own.pause_ms = pause_ms(typed.pause, at, report).unwrap_or(own.pause_ms);
    own.secondary_side = typed.values.map_or(own.secondary_side, |side| side == Side::Secondary);
    own
}

/// Whether ratios stand where they are applied, and only there.
fn ratios_fit(profile: &Profile, typed: &typed::Meter, at: &Spot, report: &mut Report) {
    let name = &profile.name;
    if profile.secondary_side && typed.ct.is_none() {
        let hint = "write ct, even where it is 1 (a meter without transformers)";
        report.warn(
            &at.key("ct"),
            format!("values of {name} are on the secondary side, and there is no ct"),
            hint,
        );
    }
    for (key, ratio) in [("ct", typed.ct), ("pt", typed.pt)] {
        if !profile.secondary_side && ratio.is_some_and(|r| r != 1.0) {
            let what = format!("{name} has applied its ratios already: {key} is not applied once more");
            let hint = format!(
                "leave {key} away, or say values = \"secondary\" in modbus where this meter does not apply it"
            );
            report.warn(&at.key(key), what, hint);
        }
    }
}

/// How long a meter may be silent while nothing changes; 0 where it speaks regularly.
fn heartbeat_ms(typed: &typed::Meter, input: &Input, period_ms: u32, at: &Spot, report: &mut Report) -> u32 {
    if typed.heartbeat.is_none() {
        return 0;
    }
    let spot = at.key("heartbeat");
    if matches!(input, Input::Modbus { .. }) {
        report.error(
            &spot,
            "it is read every period",
            "leave heartbeat out: it is of meters that speak by themselves",
        );
    }
    must::ms(typed.heartbeat, 0, Bounds::ms(u64::from(period_ms), 86_400_000), &spot, report)
}
