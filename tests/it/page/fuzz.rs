//! The API is what its description says: a program that knows nothing but the description tries to break it.

use std::process::Command;

use super::visitor::House;
use crate::harness::servers;

/// Tries a route, at most.
const N_EXAMPLES: &str = "12";

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_tries_everything_finds_no_failure_and_no_breach_of_the_description() {
    let Some(fuzzer) = servers::schemathesis() else { return };
    let house = House::open("").await;
    let token = house.set_up().await.token("admin", "all").await;
    let url = house.at("/api/v1/openapi.json");
    let folder = house.program.folder().to_owned();
    let done = tokio::task::spawn_blocking(move || {
        Command::new(fuzzer)
            .current_dir(folder)
            .args(["run", &url, "--max-examples", N_EXAMPLES, "--seed", "1", "--continue-on-failure"])
            .args(["--request-timeout", "20", "--no-color", "-H", &format!("Authorization: Bearer {token}")])
            // A stream has no end, and the token would revoke itself.
            .args(["--exclude-path", "/api/v1/stream", "--exclude-operation-id", "revoke_token"])
            // Anybody may ask whether the daemon is well; and a password may be too well known though it has the right form.
            .args(["--exclude-checks", "ignored_auth,positive_data_acceptance"])
            .output()
            .unwrap()
    });
    let done = done.await.unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
}
