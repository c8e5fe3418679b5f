//! A real browser without a window, spoken to as its makers specified it (WebDriver). It keeps a list of what its console said.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::servers::{self, Server};
use super::wait::wait_for;

/// What a page shows is there within this long, on a busy machine too.
const SHOWN_WITHIN: Duration = Duration::from_secs(60);

/// Name under which WebDriver hands out elements.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser of its own, with its driver.
#[derive(Debug)]
pub struct Browser {
    http: reqwest::Client,
    session: String,
    /// It ends with this.
    _driver: Server,
}

impl Browser {
    /// A browser as wide and high as that. `None`: not installed, the test is skipped.
    pub async fn open(width: u32, height: u32) -> Option<Browser> {
        let driver = servers::chromedriver()?;
        let http = reqwest::Client::new();
        let options = json!({
            "args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                     format!("--window-size={width},{height}")],
        });
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        let made = post(&http, &format!("{}/session", driver.url()), &wanted).await;
        let id = made["sessionId"].as_str().unwrap();
        let browser = Browser { session: format!("{}/session/{id}", driver.url()), http, _driver: driver };
        let screen = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        let command = json!({"cmd": "Emulation.setDeviceMetricsOverride", "params": screen});
        browser.post("goog/cdp/execute", &command).await;
        Some(browser)
    }

    async fn post(&self, what: &str, body: &Value) -> Value {
        post(&self.http, &format!("{}/{what}", self.session), body).await
    }

    /// Goes to an address and waits until the page is there.
    pub async fn go(&self, url: &str) {
        self.post("url", &json!({"url": url})).await;
    }

    /// Runs a script in the page.
    pub async fn run(&self, script: &str) -> Value {
        self.post("execute/sync", &json!({"script": script, "args": []})).await
    }

    /// Waits until there is such an element that has this text in it.
    pub async fn see(&self, css: &str, text: &str) {
        let script = format!(
            "return [...document.querySelectorAll({css:?})].some(e => e.textContent.includes({text:?}))"
        );
        let what = format!("{css} with {text:?}");
        wait_for(&what, SHOWN_WITHIN, async || {
            self.run(&script).await.as_bool().filter(|seen| *seen).map(drop)
        })
        .await;
    }

    async fn find(&self, css: &str) -> String {
        let found = wait_for(css, SHOWN_WITHIN, async || {
            let all = self.post("elements", &json!({"using": "css selector", "value": css})).await;
            all.get(0).and_then(|own| own[ELEMENT].as_str().map(str::to_owned))
        });
        found.await
    }

    /// Clicks on an element.
    pub async fn click(&self, css: &str) {
        let own = self.find(css).await;
        // Under the head that stays it could not be clicked.
        self.run(&format!("document.querySelector({css:?}).scrollIntoView({{block: 'center'}})")).await;
        self.post(&format!("element/{own}/click"), &json!({})).await;
    }

    /// Types into an element.
    pub async fn type_into(&self, css: &str, text: &str) {
        let own = self.find(css).await;
        self.post(&format!("element/{own}/value"), &json!({"text": text})).await;
    }

    /// Keeps a picture of what is seen.
    pub async fn picture(&self, path: &Path) {
        let answer = self.http.get(format!("{}/screenshot", self.session)).send().await.unwrap();
        let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        std::fs::write(path, unbase64(answer["value"].as_str().unwrap())).unwrap();
    }

    /// What the console said of errors and warnings since it was last asked.
    pub async fn complaints(&self) -> Vec<String> {
        let all = self.post("se/log", &json!({"type": "browser"})).await;
        let grave = |l: &&Value| matches!(l["level"].as_str(), Some("SEVERE" | "WARNING"));
        all.as_array().unwrap().iter().filter(grave).map(ToString::to_string).collect()
    }
}

async fn post(http: &reqwest::Client, url: &str, body: &Value) -> Value {
    let sent = http.post(url).header("content-type", "application/json").body(body.to_string()).send().await;
    let answer = sent.unwrap();
    let status = answer.status();
    let text = answer.text().await.unwrap();
    assert!(status.is_success(), "{url} {body}: {status} {text}");
    let mut answer: Value = serde_json::from_str(&text).unwrap();
    answer["value"].take()
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Told to end, the driver ends its browser; killed, it would leave it behind.
        let Some((host, path)) = self.session.strip_prefix("http://").and_then(|url| url.split_once('/'))
        else {
            return;
        };
        if let Ok(mut stream) = TcpStream::connect(host) {
            let asked = format!("DELETE /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
            let _ = stream.write_all(asked.as_bytes());
            let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
            let _ = stream.read(&mut [0; 64]);
        }
    }
}

/// Standard base64, as WebDriver sends pictures.
fn unbase64(text: &str) -> Vec<u8> {
    let digit = |c: u8| match c {
        b'A'..=b'Z' => Some(c - b'A'),
        b'a'..=b'z' => Some(c - b'a' + 26),
        b'0'..=b'9' => Some(c - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let digits: Vec<u8> = text.bytes().filter_map(digit).collect();
    let mut bytes = Vec::with_capacity(digits.len() * 3 / 4);
    for four in digits.chunks(4) {
        let bits = four.iter().fold(0_u32, |bits, d| bits << 6 | u32::from(*d)) << (6 * (4 - four.len()));
        bytes.extend(&bits.to_be_bytes()[1..four.len()]);
    }
    bytes
}
