//! Where time series go.

use std::time::Duration;

use super::broker::{backoff, is_local};
use super::must::{self, Bounds};
use super::secret::{self, Places};
use crate::config::problem::{Report, Spot};
use crate::config::settings::Influx;
use crate::config::typed::daemon as typed;

/// How long a write may take.
pub const TIMEOUT: Duration = Duration::from_secs(30);
/// Lines in one request.
pub const LINES: u32 = 5_000;

/// Checks `[influx]`.
pub fn check(typed: &typed::Influx, at: &Spot, places: &Places, report: &mut Report) -> Influx {
    let spot = at.key("url");
    let url = must::text(typed.url.as_ref(), &spot, "url = \"http://127.0.0.1:8086\"", report);
    let token = secret::read(
        (typed.token_file.as_ref(), typed.token_credential.as_ref()),
        "token",
        at,
        places,
        report,
    );
    if !url.is_empty() {
        check_url(url, token.is_some(), &spot, report);
    }
    let org = must::text(typed.org.as_ref(), &at.key("org"), "org = \"bureau\"", report);
    let bucket = must::text(typed.bucket.as_ref(), &at.key("bucket"), "bucket = \"submeter\"", report);
    Influx {
        url: url.trim_end_matches('/').into(),
        org: org.into(),
        bucket: bucket.into(),
        token,
        timeout: must::duration(
            typed.timeout,
            TIMEOUT,
            Bounds::ms(1_000, 600_000),
            &at.key("timeout"),
            report,
        ),
        lines_max: must::number(typed.lines_max, LINES, (1, 100_000), &at.key("lines_max"), report) as usize,
        gzip: typed.gzip.unwrap_or(true),
        backoff_max: backoff(typed.backoff_max, at, report),
    }
}

fn check_url(url: &str, has_token: bool, spot: &Spot, report: &mut Report) {
    let example = "for example \"http://127.0.0.1:8086\"";
    let parsed = match reqwest::Url::parse(url) {
        Ok(parsed) => parsed,
        Err(error) => return report.error(spot, format!("{url:?} is no URL: {error}"), example),
    };
    let host = parsed.host_str().unwrap_or_default();
    if !["http", "https"].contains(&parsed.scheme()) || host.is_empty() {
        report.error(spot, format!("{url:?} is no address of an InfluxDB"), example);
    } else if !parsed.username().is_empty() || parsed.password().is_some() {
        report.error(
            spot,
            "there is a password in the URL",
            "put the token into a file and name it with token_file",
        );
    } else if parsed.path() != "/" || parsed.query().is_some() {
        report.error(spot, "there is a path in the URL", "scheme, host and port only; the path is added");
    } else if has_token && parsed.scheme() == "http" && !is_local(host) {
        report.warn(
            spot,
            format!("the token goes to {host} in the clear"),
            "https, where the server speaks it",
        );
    }
}
