//! Secrets and certificates: files that must be there, be readable and hold what they should.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::problem::{Report, Spot};
use crate::config::secret::Secret;
use crate::config::settings::{ClientCertificate, Tls};
use crate::config::typed::tls as typed;

/// A secret longer than this is another file, bytes.
const SECRET_BYTES_MAX: usize = 64 * 1024;

/// Where files are looked for.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// The config file's folder: relative paths start here.
    pub base: PathBuf,
    /// `$CREDENTIALS_DIRECTORY`, where systemd puts credentials.
    pub credentials: Option<PathBuf>,
    /// Secrets and certificates are not looked at: whoever loads the configuration logs in nowhere.
    pub without_secrets: bool,
}

impl Places {
    /// Relative paths start at `base`.
    #[must_use]
    pub fn new(base: &Path, environment: &BTreeMap<String, String>) -> Places {
        let credentials =
            environment.get("CREDENTIALS_DIRECTORY").filter(|d| !d.is_empty()).map(PathBuf::from);
        Places { base: base.to_owned(), credentials, without_secrets: false }
    }

    /// A path as the process opens it.
    #[must_use]
    pub fn path(&self, typed: &str) -> PathBuf {
        self.base.join(typed)
    }
}

/// A secret out of a file or a systemd credential, if either is named. `word` is `password`, `token` or `secret`.
pub fn read(
    (file, credential): (Option<&String>, Option<&String>),
    word: &str,
    at: &Spot,
    places: &Places,
    report: &mut Report,
) -> Option<Secret> {
    if places.without_secrets {
        return None;
    }
    let by_file = at.key(&format!("{word}_file"));
    let by_credential = at.key(&format!("{word}_credential"));
    let (spot, path) = match (file, credential) {
        (None, None) => return None,
        (Some(_), Some(_)) => {
            report.error(&by_credential, format!("{word}_file is given as well"), "keep one of the two");
            return None;
        }
        (Some(file), None) => (by_file, places.path(file)),
        (None, Some(name)) => {
            let Some(folder) = &places.credentials else {
                let hint = format!(
                    "it comes from systemd: LoadCredential={name}:/path in the unit; to check by hand, set it to the folder of {name}"
                );
                report.error(&by_credential, "there is no $CREDENTIALS_DIRECTORY", hint);
                return None;
            };
            if name.is_empty() || name.contains('/') {
                report.error(
                    &by_credential,
                    format!("{name:?} is no name of a credential"),
                    "a name without \"/\"",
                );
                return None;
            }
            (by_credential, folder.join(name))
        }
    };
    let bytes = bytes(&path, &spot, report)?;
    if file.is_some() && readable_by_all(&path) {
        let hint = format!("chmod 0640 {}", path.display());
        report.warn(&spot, format!("everybody on this machine may read {}", path.display()), hint);
    }
    let text = String::from_utf8(bytes).ok().filter(|t| t.len() <= SECRET_BYTES_MAX);
    match text.map(|t| Secret::new(&t)) {
        Some(secret) if !secret.expose().is_empty() => return Some(secret),
        Some(_) => report.error(
            &spot,
            format!("{} is empty", path.display()),
            format!("it holds the {word} and nothing else"),
        ),
        None => report.error(
            &spot,
            format!("{} holds no text", path.display()),
            format!("it holds the {word} and nothing else"),
        ),
    }
    None
}

/// The files of a TLS connection.
pub fn tls(typed: &typed::Tls, at: &Spot, places: &Places, report: &mut Report) -> Tls {
    let ca = at.key("ca_file");
    if typed.ca_file.is_none() {
        report.error(
            &ca,
            "this key is missing",
            "the certificate of the authority that signed the broker's, PEM",
        );
    }
    let ca_file = places.path(typed.ca_file.as_deref().unwrap_or_default());
    if places.without_secrets {
        return Tls { ca_file, client: None };
    }
    if typed.ca_file.is_some() {
        certificates(&ca_file, &ca, report);
    }
    let client = identity(typed, at, places, report);
    Tls { ca_file, client }
}

/// The files by which we say who we are: a certificate and its private key, or neither.
pub fn identity(
    typed: &typed::Tls,
    at: &Spot,
    places: &Places,
    report: &mut Report,
) -> Option<ClientCertificate> {
    match (&typed.certificate_file, &typed.key_file) {
        (None, None) => None,
        (Some(_), None) => {
            report.error(&at.key("key_file"), "this key is missing", "a certificate needs its private key");
            None
        }
        (None, Some(_)) => {
            report.error(
                &at.key("certificate_file"),
                "this key is missing",
                "a private key needs its certificate",
            );
            None
        }
        (Some(certificate), Some(key)) if places.without_secrets => {
            Some(ClientCertificate { certificate_file: places.path(certificate), key_file: places.path(key) })
        }
        (Some(certificate), Some(key)) => {
            let (certificate_file, key_file) = (places.path(certificate), places.path(key));
            certificates(&certificate_file, &at.key("certificate_file"), report);
            private_key(&key_file, &at.key("key_file"), report);
            Some(ClientCertificate { certificate_file, key_file })
        }
    }
}

/// A file with certificates in it.
pub fn certificates(path: &Path, spot: &Spot, report: &mut Report) {
    let Some(pem) = bytes(path, spot, report) else { return };
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match all {
        Ok(found) if !found.is_empty() => {}
        Ok(_) => report.error(
            spot,
            format!("no certificate is in {}", path.display()),
            "PEM: it begins with -----BEGIN CERTIFICATE-----; a .der or .p12 file must be converted with openssl",
        ),
        Err(error) => report.error(spot, format!("{} is damaged: {error}", path.display()), "copy it again"),
    }
}

fn private_key(path: &Path, spot: &Spot, report: &mut Report) {
    let Some(pem) = bytes(path, spot, report) else { return };
    if let Err(error) = PrivateKeyDer::from_pem_slice(&pem) {
        let hint = "PEM without a pass phrase: it begins with -----BEGIN PRIVATE KEY-----";
        report.error(spot, format!("no private key is in {}: {error}", path.display()), hint);
    }
    if readable_by_all(path) {
        let hint = format!("chmod 0640 {}", path.display());
        report.warn(spot, format!("everybody on this machine may read {}", path.display()), hint);
    }
}

fn bytes(path: &Path, spot: &Spot, report: &mut Report) -> Option<Vec<u8>> {
    match std::fs::read(path) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            let hint = match error.kind() {
                std::io::ErrorKind::NotFound => "a relative path starts at the folder of the config file",
                std::io::ErrorKind::PermissionDenied => "the daemon's own user must be allowed to read it",
                _ => "",
            };
            report.error(spot, format!("{} cannot be read: {error}", path.display()), hint);
            None
        }
    }
}

#[cfg(unix)]
fn readable_by_all(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|m| m.permissions().mode() & 0o004 != 0)
}

#[cfg(not(unix))]
fn readable_by_all(_: &Path) -> bool {
    false
}
