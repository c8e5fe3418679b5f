//! Requests that carry notices, and what comes of them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client};

use super::answer::{self, Answer};

/// Nobody is told to come again later than this.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(600);

/// So much of a refusal is read, bytes.
const WORDS_BYTES_MAX: usize = 4 << 10;

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// The authority's certificate cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The client cannot be made.
    #[error("the web client cannot be made")]
    Build(#[source] reqwest::Error),
}

/// A client, and what the far side last said of when to come again.
#[derive(Debug)]
pub struct Web {
    client: Client,
    retry_after: Option<Duration>,
}

impl Web {
    /// Trusts the authority of `ca_file` alone, or without one those that the web trusts.
    ///
    /// # Errors
    /// See [`WebError`].
    pub fn new(ca_file: Option<&Path>, timeout: Duration) -> Result<Web, WebError> {
        // A redirect would turn the request into one that reads; a proxy named in the environment is a surprise.
        let mut builder = Client::builder().timeout(timeout).redirect(Policy::none()).no_proxy();
        if let Some(path) = ca_file {
            let pem =
                std::fs::read(path).map_err(|source| WebError::Read { path: path.to_owned(), source })?;
            let authority = Certificate::from_pem(&pem).map_err(WebError::Build)?;
            builder = builder.tls_built_in_root_certs(false).add_root_certificate(authority);
        }
        Ok(Web { client: builder.build().map_err(WebError::Build)?, retry_after: None })
    }

    /// One request, and what its answer means.
    pub async fn post(&mut self, url: &str, headers: HeaderMap, body: Vec<u8>) -> Answer {
        self.retry_after = None;
        let mut response = match self.client.post(url).headers(headers).body(body).send().await {
            Ok(response) => response,
            Err(error) => return failed(error),
        };
        let status = response.status().as_u16();
        let seconds = response.headers().get(RETRY_AFTER).and_then(|v| v.to_str().ok()?.parse().ok());
        self.retry_after = seconds.map(|s| Duration::from_secs(s).min(RETRY_AFTER_MAX));
        // What is taken is taken, whatever is shown for it.
        if (200..=299).contains(&status) {
            return Answer::Taken;
        }
        let mut words = Vec::new();
        while words.len() < WORDS_BYTES_MAX {
            match response.chunk().await {
                Ok(Some(more)) => words.extend_from_slice(&more),
                // The status says enough.
                Ok(None) | Err(_) => break,
            }
        }
        answer::of_status(status, &String::from_utf8_lossy(&words))
    }

    /// How long the far side last asked to wait, once.
    pub fn retry_after(&mut self) -> Option<Duration> {
        self.retry_after.take()
    }
}

fn failed(error: reqwest::Error) -> Answer {
    let (unsendable, is_slow) = (error.is_builder(), error.is_timeout());
    let why = answer::chain(&error.without_url());
    match (unsendable, is_slow) {
        (true, _) => Answer::Hold { why },
        (_, true) => Answer::Slow { why: format!("no answer in time: {why}") },
        _ => Answer::Later { why },
    }
}
