//! Files of secrets and of TLS: what is wrong with them is told, and what is in them never.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use submeterd::config;
use submeterd::config::texts::{Text, Texts};

use crate::mistakes::{MAIN, only};

fn write(path: &Path, text: &str, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn secrets_come_from_files_and_credentials_and_are_shown_to_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let credentials = folder.path().join("credentials");
    fs::create_dir(&credentials).unwrap();
    write(&folder.path().join("good"), "hunter2\n", 0o600);
    write(&folder.path().join("open"), "hunter2\n", 0o644);
    write(&folder.path().join("empty"), "\n", 0o600);
    write(&credentials.join("broker"), "hunter2", 0o400);
    let load = |line: &str| {
        let main = MAIN.replacen("host =", &format!("username = \"u\"\n{line}\nhost ="), 1);
        config::from_texts(&Texts {
            main: Some(Text { name: "m".into(), text: main }),
            base: folder.path().to_owned(),
            environment: BTreeMap::from([(
                "CREDENTIALS_DIRECTORY".into(),
                credentials.display().to_string(),
            )]),
            ..Texts::default()
        })
    };
    for line in ["password_file = \"good\"", "password_credential = \"broker\""] {
        let loaded = load(line).unwrap();
        let secret = loaded.config.brokers[0].credentials.clone().unwrap();
        assert_eq!(secret.password.expose(), "hunter2");
        assert!(!format!("{loaded:?}").contains("hunter2"));
        assert_eq!(loaded.warnings, []);
    }
    only(&load("password_file = \"open\"").unwrap().warnings, "mqtt.brokers[0].password_file", "chmod");
    let key = "mqtt.brokers[0].password_file";
    only(&load("password_file = \"empty\"").unwrap_err().errors, key, "is empty");
    only(&load("password_file = \"none\"").unwrap_err().errors, key, "cannot be read");
    let key = "mqtt.brokers[0].password_credential";
    only(&load("password_credential = \"none\"").unwrap_err().errors, key, "cannot be read");
    only(
        &load("password_file = \"good\"\npassword_credential = \"broker\"").unwrap_err().errors,
        key,
        "keep one",
    );
}

#[test]
fn tls_files_must_be_what_they_are_called() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    write(&folder.path().join("ca.pem"), &made.cert.pem(), 0o644);
    write(&folder.path().join("key.pem"), &made.signing_key.serialize_pem(), 0o600);
    write(&folder.path().join("junk.pem"), "hello", 0o644);
    let load = |tls: &str| {
        let main = MAIN.replacen(
            "[[mqtt.brokers.subs",
            &format!("[mqtt.brokers.tls]\n{tls}\n[[mqtt.brokers.subs"),
            1,
        );
        config::from_texts(&Texts {
            main: Some(Text { name: "m".into(), text: main }),
            base: folder.path().to_owned(),
            ..Texts::default()
        })
    };
    let good = load("ca_file = \"ca.pem\"\ncertificate_file = \"ca.pem\"\nkey_file = \"key.pem\"").unwrap();
    assert_eq!(good.config.brokers[0].port, 8883);
    let errors = |tls: &str| load(tls).unwrap_err().errors;
    only(&errors("ca_file = \"junk.pem\""), "mqtt.brokers[0].tls.ca_file", "BEGIN CERTIFICATE");
    only(&errors("ca_file = \"none.pem\""), "mqtt.brokers[0].tls.ca_file", "cannot be read");
    only(&errors(""), "mqtt.brokers[0].tls.ca_file", "missing");
    let swapped = "ca_file = \"ca.pem\"\ncertificate_file = \"ca.pem\"\nkey_file = \"ca.pem\"";
    only(&errors(swapped), "mqtt.brokers[0].tls.key_file", "no private key");
    only(
        &errors("ca_file = \"ca.pem\"\nkey_file = \"key.pem\""),
        "mqtt.brokers[0].tls.certificate_file",
        "missing",
    );
}
