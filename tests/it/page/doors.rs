//! Who is let in, what they may, and what is refused without much ado.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::visitor::{House, PASSWORD, encoded, json};

#[tokio::test]
async fn nobody_gets_in_without_a_name_and_the_first_one_only_by_the_code() {
    let house = House::open("").await;
    let status = async |path: &str| house.client.get(house.at(path)).send().await.unwrap().status();
    assert_eq!(status("/api/v1/sites").await, StatusCode::UNAUTHORIZED);
    let lost = house.client.get(house.at("/alerts")).send().await.unwrap();
    assert_eq!(
        (lost.status(), &lost.headers()["location"]),
        (StatusCode::SEE_OTHER, &"/setup".parse().unwrap())
    );
    assert!(lost.headers()["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));

    let wrong = encoded(&[("code", "AAAAA-AAAAA-AAAAA-AAAAA"), ("name", "eve"), ("password", PASSWORD)]);
    assert_eq!(house.form("/setup", wrong.clone()).await.status(), StatusCode::FORBIDDEN);
    let admin = house.set_up().await;
    assert_ne!(house.form("/setup", wrong).await.status(), StatusCode::SEE_OTHER, "it is closed now");
    let lost = house.client.get(house.at("/alerts?status=open")).send().await.unwrap();
    assert_eq!(lost.headers()["location"], "/log-in?back=%2Falerts%3Fstatus%3Dopen");

    assert_eq!(admin.get("/").await.status(), StatusCode::OK);
    let log = house.program.log();
    assert!(!log.contains(PASSWORD) && !log.contains(&admin.cookie), "secrets are not logged");
    let trail = json(admin.get("/api/v1/trail").await).await;
    let what: Vec<&str> = trail.as_array().unwrap().iter().map(|e| e["what"].as_str().unwrap()).collect();
    assert_eq!(what, ["log_in", "set_up"]);
    assert_eq!(trail[0]["origin"], "127.0.0.1");
}

#[tokio::test]
async fn wrong_passwords_are_slowed_down_and_tell_nothing() {
    let house = House::open("").await;
    let admin = house.set_up().await;
    let mut said = Vec::new();
    for (name, n) in [("chen", 0), ("nobody", 0), ("chen", 1)] {
        let form = encoded(&[("name", name), ("password", &format!("wrong password {n}"))]);
        let answer = house.form("/log-in", form).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
        said.push(answer.text().await.unwrap());
    }
    assert_eq!(said[0], said[1], "whether there is such a name is not told");
    let mut last = StatusCode::OK;
    for n in 2..12 {
        let form = encoded(&[("name", "chen"), ("password", &format!("wrong password {n}"))]);
        last = house.form("/log-in", form).await.status();
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(admin.get("/").await.status(), StatusCode::OK, "who is in stays in");
}

#[tokio::test]
async fn a_role_may_what_it_may_and_a_scope_sees_what_it_sees() {
    let house = House::open("").await;
    let admin = house.set_up().await;
    let plant = admin.token("viewer", "site:plant-1").await;
    let district = admin.token("operator", "region:Gulou").await;
    let auditor = admin.token("auditor", "all").await;
    let ask = async |token: &str, path: &str| {
        house.with_token(token, Method::GET, path).send().await.unwrap().status().as_u16()
    };
    for (path, allowed) in [
        ("/api/v1/sites/plant-1", [200, 404, 200]),
        ("/api/v1/sites/plant-2", [404, 200, 200]),
        ("/api/v1/sites/plant-1/points/fan/states?from=0&to=1", [200, 404, 200]),
        ("/api/v1/readings?site=plant-2&point=fan&from=0&to=1", [404, 200, 200]),
        ("/api/v1/maintenance?site=plant-1", [200, 404, 200]),
        ("/api/v1/rejects", [403, 403, 200]),
        ("/api/v1/trail", [403, 403, 200]),
        ("/api/v1/users", [403, 403, 403]),
        ("/api/v1/tokens", [403, 403, 403]),
        ("/links", [403, 403, 200]),
    ] {
        let mut got = Vec::new();
        for token in [&plant, &district, &auditor] {
            got.push(ask(token, path).await);
        }
        assert_eq!(got, allowed, "{path}");
    }
    let seen = house.with_token(&plant, Method::GET, "/api/v1/sites").send().await.unwrap();
    let seen = json(seen).await;
    assert_eq!((seen["items"].as_array().unwrap().len(), &seen["items"][0]["id"]), (1, &json!("plant-1")));
    let filed = json!({"site": "plant-1", "from": 4_000_000_000_000_i64, "to": 4_000_003_600_000_i64, "note": "belt"});
    for (token, status) in [(&plant, 403), (&district, 404), (&auditor, 403)] {
        let request = house.with_token(token, Method::POST, "/api/v1/maintenance");
        let request = request.header("content-type", "application/json").body(filed.to_string());
        assert_eq!(request.send().await.unwrap().status().as_u16(), status);
    }
    let done = json(admin.post("/api/v1/maintenance", &filed).await).await;
    assert_eq!((&done["who"], &done["counts"]), (&json!("chen"), &json!(true)), "{done}");
    assert_eq!(ask("smd_not-a-token", "/api/v1/sites").await, 401);
}

#[tokio::test]
async fn another_sites_page_cannot_make_a_browser_act() {
    let house = House::open("").await;
    let admin = house.set_up().await;
    let token = json!({"name": "stolen", "role": "admin", "scope": "all"}).to_string();
    let request = |csrf: Option<&str>| {
        let request = house.client.post(house.at("/api/v1/tokens")).header("cookie", &admin.cookie);
        let request = request.header("content-type", "application/json").body(token.clone());
        csrf.iter().fold(request, |request, csrf| request.header("x-csrf-token", *csrf))
    };
    assert_eq!(request(None).send().await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(request(Some("x")).send().await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(request(Some(&admin.csrf)).send().await.unwrap().status(), StatusCode::OK);
    for fields in
        [vec![("name", "n"), ("role", "admin"), ("scope", "all")], vec![("csrf", "x"), ("name", "n")]]
    {
        let form = house.client.post(house.at("/settings/tokens")).header("cookie", &admin.cookie);
        let form = form.header("content-type", "application/x-www-form-urlencoded").body(encoded(&fields));
        assert_eq!(form.send().await.unwrap().status(), StatusCode::FORBIDDEN);
    }
    let log_in = house.client.post(house.at("/log-in")).header("sec-fetch-site", "cross-site");
    let log_in = log_in.header("content-type", "application/x-www-form-urlencoded");
    let log_in = log_in.body(encoded(&[("name", "chen"), ("password", PASSWORD)]));
    assert_eq!(log_in.send().await.unwrap().status(), StatusCode::FORBIDDEN);
}

/// Sends bytes as they are and reads what comes until the other end closes.
fn raw(url: &str, bytes: &[u8]) -> (String, Duration) {
    let begun = Instant::now();
    let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
    stream.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    (String::from_utf8_lossy(&answer).into_owned(), begun.elapsed())
}

#[tokio::test]
async fn tricks_are_refused_cheaply() {
    let house = House::open("").await;
    let admin = house.set_up().await;
    for path in [
        "/assets/x/../../etc/passwd",
        "/assets/%2e%2e/%2e%2e%2fetc%2fpasswd",
        "/api/v1/sites/%00",
        "/api/v1/sites/..%2f..%2fetc",
        "/api/v1/nothing",
        "/nothing",
    ] {
        let asked = format!(
            "GET {path} HTTP/1.1\r\nHost: x\r\nCookie: {}\r\nConnection: close\r\n\r\n",
            admin.cookie
        );
        let (answer, _) = raw(&house.url, asked.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
    }
    let huge = "x".repeat(200_000);
    let post = house.client.post(house.at("/api/v1/alerts/a/comment")).header("cookie", &admin.cookie);
    let post = post.header("x-csrf-token", &admin.csrf).header("content-type", "application/json");
    let answer = post.body(json!({"note": huge}).to_string()).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let broken = house.client.put(house.at("/api/v1/users/x")).header("cookie", &admin.cookie);
    let broken =
        broken.header("x-csrf-token", &admin.csrf).header("content-type", "application/json").body("{");
    let broken = broken.send().await.unwrap();
    assert_eq!(
        (broken.status(), &broken.headers()["content-type"]),
        (StatusCode::BAD_REQUEST, &"application/problem+json".parse().unwrap())
    );

    // Who sends a head a byte at a time, or nothing at all, is let go, and others are served meanwhile.
    let url = house.url.clone();
    let slow = tokio::task::spawn_blocking(move || raw(&url, b"GET / HTTP/1.1\r\nHost:"));
    assert_eq!(admin.get("/api/v1/overview").await.status(), StatusCode::OK);
    let (_, took) = slow.await.unwrap();
    assert!(took < Duration::from_secs(30), "{took:?}");
}
