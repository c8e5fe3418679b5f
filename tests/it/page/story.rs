//! The whole story in a real browser, at a desk in English and on a phone in Chinese: an alert opens, is looked at,
//! acknowledged, explained and cleared, and the trail tells of it.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;

use crate::harness::browser::Browser;
use crate::harness::program::command;

/// The demo, ended as Ctrl-C ends it.
struct Demo {
    child: Child,
    url: String,
    password: String,
}

impl Demo {
    fn start() -> Demo {
        let mut child = command(&["demo", "--lang", "en"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let door = lines.find(|line| line.starts_with("page ")).unwrap();
        let words: Vec<&str> = door.split_whitespace().collect();
        let (url, password) = (words[1].trim_end_matches('/').to_owned(), words[5].to_owned());
        // Nobody reads on: a pipe that is full would hold it up.
        thread::spawn(move || lines.for_each(drop));
        Demo { child, url, password }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

/// Words of a language that are looked for.
struct Said {
    lang: &'static str,
    rule: &'static str,
    acknowledged: &'static str,
    declared: &'static str,
    cleared: &'static str,
    trail: [&'static str; 2],
}

const ENGLISH: Said = Said {
    lang: "en",
    rule: "Treatment off",
    acknowledged: "acknowledged",
    declared: "treatment broke down",
    cleared: "cleared",
    trail: ["acknowledge", "declare"],
};

const CHINESE: Said = Said {
    lang: "zh",
    rule: "生产期间治污设施停运",
    acknowledged: "已确认",
    declared: "治污设施故障",
    cleared: "已解除",
    trail: ["确认告警", "申报原因"],
};

/// Pictures of the last run lie here, to be looked at.
fn pictures() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pages");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

async fn tell(demo: &Demo, browser: &Browser, said: &Said) {
    let picture =
        async |name: &str| browser.picture(&pictures().join(format!("{}-{name}.png", said.lang))).await;
    let url = &demo.url;
    browser.go(&format!("{url}/like/lang/{}?back=/alerts", said.lang)).await;
    picture("log-in").await;
    browser.type_into("input[name=name]", "demo").await;
    browser.type_into("input[name=password]", &demo.password).await;
    browser.click("button.main").await;
    // It comes by itself: nobody loads the page again.
    browser.see(".what a", said.rule).await;
    picture("alerts").await;
    browser.go(&format!("{url}/")).await;
    browser.see(".tile b", "1").await;
    browser.see(".strip td.hour.alarm, .strip td.hour.critical", "!").await;
    picture("overview").await;
    browser.go(&format!("{url}/sites/plant-b")).await;
    browser.see(".unit.off, .unit.running", "Scrubber").await;
    browser.click(".alerts a").await;

    browser.see("h1", said.rule).await;
    browser.see(".u-legend", "Scrubber").await;
    let drawn = "const c = document.querySelector('.chart canvas'); \
                 const px = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; \
                 let n = 0; for (let i = 3; i < px.length; i += 4) if (px[i] > 0) n++; return n";
    assert!(browser.run(drawn).await.as_u64() > Some(1_000), "the picture is empty");
    picture("alert").await;
    browser.type_into("form[action$='/acknowledge'] textarea", "seen, calling the plant").await;
    browser.click("form[action$='/acknowledge'] button.main").await;
    browser.see(".story", "seen, calling the plant").await;
    browser
        .run("document.querySelector('form[action$=\"/declare\"] select').value = 'treatment_fault'")
        .await;
    browser.type_into("form[action$='/declare'] textarea", "belt torn").await;
    browser.click("form[action$='/declare'] button.main").await;
    browser.see(".story", said.declared).await;
    browser.type_into("[data-declaration] textarea", "photo seen").await;
    browser.click("[data-declaration] button.main").await;
    browser.see(".story .done", "✓").await;
    browser.see(".status.cleared", said.cleared).await;
    picture("cleared").await;
    browser.go(&format!("{url}/alerts")).await;
    browser.see("td .done", said.acknowledged).await;
    browser.go(&format!("{url}/trail")).await;
    for what in said.trail {
        browser.see("tbody td", what).await;
    }
    browser.see("tbody td", "belt torn").await;
    picture("trail").await;
    for path in ["sites", "links", "rejects", "settings"] {
        browser.go(&format!("{url}/{path}")).await;
        browser.see("h1", "").await;
        picture(path).await;
        let too_wide = browser.run("return document.documentElement.scrollWidth - innerWidth").await;
        assert!(too_wide.as_i64() <= Some(0), "/{path} is wider than the screen by {too_wide}");
    }
    assert_eq!(browser.complaints().await, Vec::<String>::new(), "the console complains");
}

#[tokio::test]
async fn an_alert_is_opened_looked_at_acknowledged_explained_cleared_and_on_record() {
    let Some(desk) = Browser::open(1280, 900).await else { return };
    let Some(phone) = Browser::open(390, 844).await else { return };
    let demo = Demo::start();
    tokio::join!(tell(&demo, &desk, &ENGLISH), tell(&demo, &phone, &CHINESE));
}
