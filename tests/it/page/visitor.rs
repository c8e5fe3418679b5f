//! A daemon that serves its page, and somebody who visits it without a browser.

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;

use crate::harness::program::Program;
use crate::harness::servers::free_port;
use crate::harness::wait::wait_for;

const ANSWERS_WITHIN: Duration = Duration::from_secs(30);

/// The first administrator's password.
pub const PASSWORD: &str = "correct horse battery";

/// Two plants in two districts.
pub fn sites() -> Vec<(String, String)> {
    [("plant-1", "Yuhua"), ("plant-2", "Gulou")]
        .map(|(id, region)| {
            let text = format!(
                "id = {id:?}\nname = \"Works {id}\"\nregion = {region:?}\ntime_zone = \"Asia/Shanghai\"\nreorder = \"2s\"\nstep = \"1s\"\n\
                 [[meters]]\nid = \"press\"\n[[meters]]\nid = \"fan\"\n\
                 [[points]]\nid = \"press\"\nkind = \"production\"\nmeter = \"press\"\nrated_kw = 100\non_for = \"1s\"\noff_for = \"1s\"\n\
                 [[points]]\nid = \"fan\"\nkind = \"treatment\"\nmeter = \"fan\"\nrated_kw = 20\n\
                 [[processes]]\nid = \"line\"\nproduction = [\"press\"]\ntreatment = [{{ points = [\"fan\"] }}]\n"
            );
            (id.to_owned(), text)
        })
        .into()
}

/// A daemon and its address.
pub struct House {
    pub program: Program,
    pub url: String,
    pub client: Client,
}

impl House {
    /// A daemon that serves its page; `more` is added to its configuration.
    pub async fn open(more: &str) -> House {
        let port = free_port();
        let config = format!("[web]\nlisten = \"127.0.0.1:{port}\"\n{more}");
        let mut program = Program::new(&config, &sites());
        program.start();
        program.await_ready();
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let house = House { program, url: format!("http://127.0.0.1:{port}"), client };
        wait_for("the page", ANSWERS_WITHIN, async || {
            house.client.get(house.at("/api/v1/health")).send().await.ok()
        })
        .await;
        house
    }

    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Makes the first administrator with the code that the daemon printed, and lets them in.
    pub async fn set_up(&self) -> Visitor<'_> {
        let log = self.program.log();
        let code = log.split("code=\"").nth(1).and_then(|rest| rest.split('"').next());
        let code = code.unwrap_or_else(|| panic!("no code in\n{log}"));
        let form = encoded(&[("code", code), ("name", "chen"), ("password", PASSWORD)]);
        let made = self.form("/setup", form).await;
        assert_eq!(made.status(), StatusCode::SEE_OTHER, "{}", made.text().await.unwrap());
        let admin = self.log_in("chen", PASSWORD).await;
        wait_for("both plants on the page", ANSWERS_WITHIN, async || {
            let overview = json(admin.get("/api/v1/overview").await).await;
            (overview["n_sites"] == 2).then_some(())
        })
        .await;
        admin
    }

    /// Sends a form as nobody in particular.
    pub async fn form(&self, path: &str, form: String) -> Response {
        let request = self.client.post(self.at(path));
        request.header("content-type", "application/x-www-form-urlencoded").body(form).send().await.unwrap()
    }

    pub async fn log_in(&self, name: &str, password: &str) -> Visitor<'_> {
        let entered = self.form("/log-in", encoded(&[("name", name), ("password", password)])).await;
        assert_eq!(entered.status(), StatusCode::SEE_OTHER);
        let cookie = entered.headers()["set-cookie"].to_str().unwrap().to_owned();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let page = self.client.get(self.at("/settings")).header("cookie", &cookie).send().await.unwrap();
        let page = page.text().await.unwrap();
        let csrf = page.split("data-csrf=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        Visitor { house: self, cookie, csrf }
    }

    /// Asks with a token.
    pub fn with_token(&self, token: &str, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.at(path)).header("authorization", format!("Bearer {token}"))
    }
}

/// Somebody who is logged in.
pub struct Visitor<'a> {
    house: &'a House,
    pub cookie: String,
    pub csrf: String,
}

impl Visitor<'_> {
    pub async fn get(&self, path: &str) -> Response {
        self.house.client.get(self.house.at(path)).header("cookie", &self.cookie).send().await.unwrap()
    }

    /// Posts JSON to the API as a page of ours does.
    pub async fn post(&self, path: &str, body: &Value) -> Response {
        let request = self.house.client.post(self.house.at(path)).header("cookie", &self.cookie);
        let request = request.header("x-csrf-token", &self.csrf).header("content-type", "application/json");
        request.body(body.to_string()).send().await.unwrap()
    }

    /// A token of that role and scope.
    pub async fn token(&self, role: &str, scope: &str) -> String {
        let wanted = serde_json::json!({"name": format!("{role} {scope}"), "role": role, "scope": scope});
        let made = self.post("/api/v1/tokens", &wanted).await;
        assert!(made.status().is_success(), "{}", made.text().await.unwrap());
        json(made).await["secret"].as_str().unwrap().to_owned()
    }
}

pub fn encoded(fields: &[(&str, &str)]) -> String {
    serde_urlencoded::to_string(fields).unwrap()
}

pub async fn json(response: Response) -> Value {
    let text = response.text().await.unwrap();
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"))
}
