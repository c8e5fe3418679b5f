//! The page of the demo: a free port, and somebody who may log in, with a password made for this run alone.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;

use anyhow::Context as _;

use crate::accounts::accounts::Accounts;
use crate::model::time::Clock;
use crate::wording::words::Lang;

/// Who logs in.
const NAME: &str = "demo";

/// Where the page is, and how to get in.
#[derive(Clone, Debug)]
pub struct Door {
    /// The address.
    pub address: SocketAddr,
    password: String,
}

/// Finds a port and makes the user. The password is the set-up code that the accounts make of random numbers.
///
/// # Errors
/// No port is free, or the accounts cannot be made.
pub async fn make(data_dir: &Path) -> anyhow::Result<Door> {
    let data_dir = data_dir.to_owned();
    let made = tokio::task::spawn_blocking(move || -> anyhow::Result<String> {
        std::fs::create_dir_all(&data_dir).with_context(|| format!("make {}", data_dir.display()))?;
        let accounts = Accounts::open(&data_dir)?;
        let now = Clock::System.now();
        let code = accounts.set_up_code(now)?.context("the demo's accounts are new")?;
        accounts.set_up(&code, NAME, &code, "demo", now)?;
        Ok(code)
    });
    let password = made.await.context("make the demo's user")??;
    // The daemon binds it again in a moment; another process would have to be very quick.
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|l| l.local_addr());
    let address = free.context("find a free port for the page")?;
    Ok(Door { address, password })
}

impl Door {
    /// For people.
    #[must_use]
    pub fn line(&self, lang: Lang) -> String {
        let (page, name, password) = match lang {
            Lang::En => ("page", "name", "password"),
            Lang::Zh => ("网页", "用户名", "密码"),
        };
        format!("{page} http://{}/  {name} {NAME}  {password} {}", self.address, self.password)
    }
}
