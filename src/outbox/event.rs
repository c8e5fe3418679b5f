//! A notice as a CloudEvent 1.0 in structured JSON, for webhooks and MQTT. Pure. Source: cloudevents.io, spec 1.0.2.

use serde_json::{Value, json};

use super::text;
use crate::notices::notice::{Notice, Telling};
use crate::wording::words::Lang;

/// What the body is.
pub const CONTENT_TYPE: &str = "application/cloudevents+json; charset=utf-8";

/// What kind of event it is; another form of `data` gets another number.
pub const TYPE: &str = "submeterd.notice.v1";

/// The event. `id` and `source` together are the same for the same notice, however often it is sent.
#[must_use]
pub fn of(notice: &Notice, receiver: &str, lang: Lang) -> Value {
    let site = &notice.site;
    let told = |telling: &Telling| {
        json!({
            "what": telling.what.name(),
            "text": text::line(telling, site, lang),
            "alert": &*telling.alert,
        })
    };
    json!({
        "specversion": "1.0",
        "id": notice.id,
        "source": format!("/submeterd/notices/{receiver}"),
        "type": TYPE,
        "subject": site.id,
        "time": notice.at.iso(),
        "datacontenttype": "application/json",
        "data": {
            "site": site,
            "level": notice.level().name(),
            "title": text::subject(notice, lang),
            "text": text::body(notice, lang),
            "standing": notice.n_standing,
            "alerts": notice.tellings.iter().map(told).collect::<Vec<_>>(),
        },
    })
}
