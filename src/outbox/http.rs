//! The HTTP client as the sender needs it, and bodies as they go over the wire.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use influxdb2::{Client, ClientBuilder};
use reqwest::Url;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};

use crate::config::settings::Influx;

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The address cannot be written to.
    #[error("cannot write to an InfluxDB at {url:?}: {why}")]
    Url {
        /// As configured, but for a password in it.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// The client cannot be made.
    #[error("the client of {url} cannot be made")]
    Build {
        /// As configured.
        url: String,
        /// Why.
        #[source]
        source: influxdb2::BuildError,
    },
}

/// The client, or what is wrong with its settings. Its own constructor panics at a bad address, drops a path from a
/// good one, and knows no timeout: whoever writes must bring one.
///
/// # Errors
/// See [`ClientError`].
pub fn client(settings: &Influx) -> Result<Client, ClientError> {
    check(&settings.url)?;
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    if settings.gzip {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    // A redirect would turn a write into a read and look like success; a proxy named in the environment is a surprise.
    let http = reqwest::Client::builder()
        .default_headers(headers)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy();
    let token = settings.token.as_ref().map_or("", |t| t.expose());
    ClientBuilder::with_builder(http, &*settings.url, &*settings.org, token)
        .build()
        .map_err(|source| ClientError::Build { url: settings.url.to_string(), source })
}

fn check(configured: &str) -> Result<(), ClientError> {
    let bad = |url: &str, why: &str| Err(ClientError::Url { url: url.to_owned(), why: why.to_owned() });
    let url = match Url::parse(configured) {
        Ok(url) => url,
        Err(error) => return bad(configured, &error.to_string()),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return bad(url.host_str().unwrap_or(""), "a name or password does not belong here; use a token");
    }
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return bad(configured, "it must be http://host:port or https://host:port");
    }
    if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        return bad(configured, "what stands behind host and port would not be sent");
    }
    Ok(())
}

/// A body as it goes over the wire. Level 1: higher ones cost eight times the work for little.
///
/// # Errors
/// Compressing failed, which it does not do in memory.
pub fn pack(lines: &[u8], gzip: bool) -> std::io::Result<Vec<u8>> {
    if !gzip {
        return Ok(lines.to_vec());
    }
    let mut packer = GzEncoder::new(Vec::with_capacity(lines.len() / 4), Compression::fast());
    packer.write_all(lines)?;
    packer.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_cannot_work_is_named_and_a_password_in_it_is_not() {
        for good in
            ["http://influx:8086", "https://influx.example/", "http://127.0.0.1:1", "http://[::1]:8086"]
        {
            check(good).unwrap();
        }
        for bad in ["", "/3242/23", "influx:8086", "ftp://host", "http://host:1/influx", "http://host?db=x"] {
            let error = check(bad).unwrap_err().to_string();
            assert!(error.contains(&format!("{bad:?}")), "{error}");
        }
        let error = check("http://admin:hunter2@host:8086").unwrap_err().to_string();
        assert!(error.contains("host") && !error.contains("hunter2"), "{error}");
    }
}
