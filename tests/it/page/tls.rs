//! The page over TLS: its own certificate, cookies that go over TLS alone, and nothing in the clear.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use reqwest::{Certificate, Client};

use super::visitor::{PASSWORD, encoded, sites};
use crate::harness::program::Program;
use crate::harness::servers::free_port;
use crate::harness::wait::wait_for;
use crate::mqtt_tls::Authority;

#[tokio::test]
async fn with_a_certificate_everything_goes_over_tls_and_cookies_stay_on_it() {
    let authority = Authority::new("city");
    let own = authority.identity("localhost");
    let port = free_port();
    let config = format!(
        "[web]\nlisten = \"127.0.0.1:{port}\"\ncertificate_file = {:?}\nkey_file = {:?}\n",
        own.certificate_file, own.key_file
    );
    let mut program = Program::new(&config, &sites());
    program.start();
    program.await_ready();
    let ca = Certificate::from_pem(&std::fs::read(authority.ca_file()).unwrap()).unwrap();
    let client = Client::builder()
        .use_rustls_tls()
        .tls_built_in_root_certs(false)
        .add_root_certificate(ca)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let at = |path: &str| format!("https://localhost:{port}{path}");
    let health = wait_for("the page over TLS", Duration::from_secs(30), async || {
        client.get(at("/api/v1/health")).send().await.ok()
    })
    .await;
    assert_eq!(health.headers()["strict-transport-security"], "max-age=31536000");

    let log = program.log();
    let code = log.split("code=\"").nth(1).unwrap().split('"').next().unwrap();
    let post = |path: &str, fields: &[(&str, &str)]| {
        let request = client.post(at(path)).header("content-type", "application/x-www-form-urlencoded");
        request.body(encoded(fields)).send()
    };
    post("/setup", &[("code", code), ("name", "chen"), ("password", PASSWORD)]).await.unwrap();
    let entered = post("/log-in", &[("name", "chen"), ("password", PASSWORD)]).await.unwrap();
    assert!(entered.headers()["set-cookie"].to_str().unwrap().ends_with("; Secure"), "{entered:?}");

    let mut clear = TcpStream::connect(("127.0.0.1", port)).unwrap();
    clear.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    clear.write_all(b"GET /api/v1/health HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = clear.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"), "{}", String::from_utf8_lossy(&answer));
    let stranger = Client::builder().use_rustls_tls().build().unwrap();
    stranger.get(at("/api/v1/health")).send().await.expect_err("another authority signed it");
    program.stop();
}
