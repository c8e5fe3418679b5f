//! Field mappings.

use std::collections::BTreeMap;

use super::must;
use super::unit;
use crate::config::problem::{Report, Spot};
use crate::config::typed::mapping as typed;
use crate::model::mapping::{Field, Mapping, TimeField, TimeForm};

/// Mappings by name.
pub type Mappings = BTreeMap<Box<str>, Mapping>;

/// A value of a partial message is filled in for so long, unless the mapping says otherwise, ms.
const MAX_AGE_MS: u32 = 10 * 60_000;

/// Checks a mapping; `name` where it is not in the mapping itself.
pub fn check(typed: &typed::Mapping, name: Option<&String>, at: &Spot, report: &mut Report) -> Mapping {
    let name = must::id(typed.name.as_ref().or(name), &at.key("name"), "name = \"tasmota\"", report);
    if typed.fields.is_empty() {
        report.error(
            &at.key("fields"),
            "the mapping reads nothing",
            "at least a field with channel = \"power_w\"",
        );
    }
    if typed.max_age.is_some() && typed.partial != Some(true) {
        let hint = "write partial = true, or leave max_age away";
        report.error(&at.key("max_age"), "it has a meaning in a partial mapping only", hint);
    }
    let items = typed.items.as_deref().unwrap_or_default();
    pointer(items, &at.key("items"), report);
    if let Some(device) = &typed.device {
        pointer(device, &at.key("device"), report);
    }
    let time = typed.time.as_ref().map(|t| time(t, &at.key("time"), report));
    let mut fields = Vec::with_capacity(typed.fields.len());
    // A channel may be listed several times: the first pointer that leads to a value wins.
    let mut once = must::Once::new("field");
    for (i, field) in typed.fields.iter().enumerate() {
        let spot = at.item("fields", i);
        let place = must::text(field.pointer.as_ref(), &spot.key("pointer"), "pointer = \"/power\"", report);
        pointer(place, &spot.key("pointer"), report);
        let Some(channel) = unit::channel(field.channel.as_ref(), &spot.key("channel"), report) else {
            continue;
        };
        let both = format!("{} from {place}", channel.name());
        once.take(&both, &spot.key("channel"), "it would be read there once only", report);
        let scale = unit::scale(channel, field.unit.as_deref(), field.scale, &spot, report);
        fields.push(Field { pointer: place.into(), channel, scale });
    }
    Mapping {
        name: name.into(),
        items: items.into(),
        device: typed.device.as_deref().map(Into::into),
        time,
        fields,
        partial: typed.partial.unwrap_or(false),
        max_age_ms: must::ms(
            typed.max_age,
            MAX_AGE_MS,
            must::Bounds::ms(1_000, 86_400_000),
            &at.key("max_age"),
            report,
        ),
    }
}

fn time(typed: &typed::Time, at: &Spot, report: &mut Report) -> TimeField {
    let place = must::text(typed.pointer.as_ref(), &at.key("pointer"), "pointer = \"/Time\"", report);
    pointer(place, &at.key("pointer"), report);
    if typed.form.is_none() {
        let hint = "\"ms\" or \"s\" since 1970, or \"iso\"";
        report.error(&at.key("form"), "this key is missing", hint);
    }
    let form = typed.form.unwrap_or(TimeForm::Iso);
    if let Some(zone) = &typed.zone {
        if form != TimeForm::Iso {
            let hint = "leave it away: a count since 1970 is in UTC everywhere";
            report.error(&at.key("zone"), "only an ISO time needs a zone", hint);
        }
        if zone != "site" {
            must::zone(zone, &at.key("zone"), report);
        }
    }
    TimeField { pointer: place.into(), form, zone: typed.zone.as_deref().map(Into::into) }
}

/// A JSON pointer is empty or begins with `/`; `~` only as `~0` and `~1`.
fn pointer(text: &str, spot: &Spot, report: &mut Report) {
    if !text.is_empty() && !text.starts_with('/') {
        let hint = format!("a JSON pointer begins with a slash: \"/{}\"", text.replace('.', "/"));
        report.error(spot, format!("{text:?} is no JSON pointer"), hint);
    } else if text.split('~').skip(1).any(|rest| !rest.starts_with(['0', '1'])) {
        report.error(
            spot,
            format!("{text:?} is no JSON pointer"),
            "a \"~\" in a name is written \"~0\", a \"/\" \"~1\"",
        );
    }
}
