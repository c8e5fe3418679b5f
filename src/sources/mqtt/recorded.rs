//! When a recorded native message counts as received: what a replay orders its lines by. Pure, and not on the hot path.

use serde_json::Value;

use super::moment;
use crate::model::time::UtcMs;
use crate::sources::reject::Reject;

/// `received_at` of the message, else the latest measuring time in it.
///
/// # Errors
/// It is not JSON, or has no time that can be read.
pub fn received_at(payload: &[u8]) -> Result<UtcMs, Reject> {
    let message: Value =
        serde_json::from_slice(payload).map_err(|e| Reject::NotJson { why: e.to_string().into() })?;
    let given = message.get("received_at").filter(|v| !v.is_null());
    if let Some(given) = given {
        return time(given);
    }
    let mut times = Vec::new();
    collect(&message, &mut times)?;
    times.into_iter().max().ok_or_else(|| Reject::Shape { why: "it has neither received_at nor ts".into() })
}

fn collect(message: &Value, times: &mut Vec<UtcMs>) -> Result<(), Reject> {
    let items = |key: &str| message.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if let Some(own) = message.get("ts").filter(|v| !v.is_null()) {
        times.push(time(own)?);
    }
    for item in message.as_array().map(Vec::as_slice).unwrap_or_default().iter().chain(items("readings")) {
        collect(item, times)?;
    }
    if let Some(column) = items("columns").iter().position(|c| c == "ts") {
        for own in items("rows").iter().filter_map(|row| row.get(column)) {
            times.push(time(own)?);
        }
    }
    Ok(())
}

fn time(value: &Value) -> Result<UtcMs, Reject> {
    let read = match value {
        Value::Number(ms) => ms.as_f64().and_then(moment::from_ms),
        Value::String(text) => moment::from_iso(text, None, UtcMs(0)),
        _ => None,
    };
    read.ok_or_else(|| Reject::BadTime { text: value.to_string().into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_receive_time_or_the_latest_measuring_time_counts() {
        let at = |text: &str| received_at(text.as_bytes()).map(|t| t.0);
        assert_eq!(at(r#"{"ts":1661789400000,"received_at":"2022-08-29T16:10:05Z"}"#), Ok(1_661_789_405_000));
        assert_eq!(at(r#"[{"ts":1661789400000},{"ts":1661789460000}]"#), Ok(1_661_789_460_000));
        assert_eq!(
            at(r#"{"columns":["meter","ts"],"rows":[["a",1661789460000],["b",1661789400000]]}"#),
            Ok(1_661_789_460_000)
        );
        assert!(matches!(at(r#"{"p":1}"#), Err(Reject::Shape { .. })));
        assert!(matches!(at(r#"{"ts":"soon"}"#), Err(Reject::BadTime { .. })));
        assert!(matches!(at("time,power"), Err(Reject::NotJson { .. })));
    }
}
