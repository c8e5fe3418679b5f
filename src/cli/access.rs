//! Where answers come from: the daemon behind its socket, or the files where no daemon runs.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::failure::hinted;
use crate::alerts::alert::Alert;
use crate::api::answers::{Files, ReadingRow, SiteAnswer, SiteRow};
use crate::api::client::{Client, ClientError};
use crate::api::deeds::{Doing, TrailQuery};
use crate::api::exchanges::ExchangesQuery;
use crate::api::judged_by::JudgedBy;
use crate::api::maintenance::{MaintenanceQuery, Withdraw};
use crate::api::server::{ReadingsQuery, RejectsQuery};
use crate::api::status::Status;
use crate::api::told::Told;
use crate::config::settings::Daemon;
use crate::model::exchange::Exchange;
use crate::model::maintenance::Filing;
use crate::store::exchanges::Exchanged;
use crate::store::queue::BadLine;
use crate::store::suppressing::Maintenance;
use crate::store::trail::TrailEntry;
use crate::store::views::{AlertFilter, RejectView};

/// A way to ask.
#[derive(Debug)]
pub enum Access {
    /// The daemon.
    Daemon(Client),
    /// The files it left.
    Files(Box<Files>),
}

/// A path with its question.
fn with_query(path: &str, query: &impl Serialize) -> anyhow::Result<String> {
    Ok(format!("{path}?{}", serde_urlencoded::to_string(query)?))
}

fn needs_daemon(what: &str) -> anyhow::Error {
    hinted(
        anyhow::anyhow!("{what} only while the daemon runs"),
        "what people do goes through the journal, which belongs to the daemon; start it first",
    )
}

async fn get<T: DeserializeOwned>(client: &Client, path: &str) -> anyhow::Result<T> {
    Ok(client.get(path).await?)
}

impl Access {
    /// The daemon where one answers, else its files.
    ///
    /// # Errors
    /// There is neither.
    pub async fn open(settings: &Daemon) -> anyhow::Result<Access> {
        let client = Client::new(&settings.socket);
        let no_daemon = match client.reach().await {
            Ok(()) => return Ok(Access::Daemon(client)),
            Err(error) => error,
        };
        match Files::open(&settings.data_dir) {
            Ok(files) => Ok(Access::Files(Box::new(files))),
            Err(problem) => {
                let hint = match no_daemon {
                    ClientError::Forbidden { .. } => {
                        "users of the group submeterd may ask the daemon: `usermod -aG submeterd NAME`, then log in again"
                    }
                    _ => "start the daemon (`submeterd run`), or name its configuration with --config",
                };
                Err(hinted(anyhow::Error::new(problem).context(no_daemon.to_string()), hint))
            }
        }
    }

    /// All sites.
    ///
    /// # Errors
    /// The question cannot be answered.
    pub async fn sites(&self) -> anyhow::Result<Vec<SiteRow>> {
        match self {
            Access::Daemon(client) => get(client, "/local/sites").await,
            Access::Files(files) => Ok(files.sites()?),
        }
    }

    /// One site.
    ///
    /// # Errors
    /// There is no such site, or the question cannot be answered.
    pub async fn site(&self, id: &str) -> anyhow::Result<SiteAnswer> {
        match self {
            Access::Daemon(client) => get(client, &format!("/local/sites/{}", in_path(id))).await,
            Access::Files(files) => Ok(files.site(id)?),
        }
    }

    /// Alerts, newest first.
    ///
    /// # Errors
    /// The question cannot be answered.
    pub async fn alerts(&self, filter: &AlertFilter) -> anyhow::Result<Vec<Alert>> {
        match self {
            Access::Daemon(client) => get(client, &with_query("/local/alerts", filter)?).await,
            Access::Files(files) => Ok(files.alerts(filter)?),
        }
    }

    /// One alert, by its id or the begin of it.
    ///
    /// # Errors
    /// There is no such alert, or the question cannot be answered.
    pub async fn alert(&self, id: &str) -> anyhow::Result<Alert> {
        match self {
            Access::Daemon(client) => get(client, &format!("/local/alerts/{}", in_path(id))).await,
            Access::Files(files) => Ok(files.alert(id)?),
        }
    }

    /// Does something about an alert; only a running daemon can.
    ///
    /// # Errors
    /// There is no such alert, the daemon refuses, or there is none.
    pub async fn act(&self, id: &str, told: &Told<Doing>) -> anyhow::Result<Alert> {
        let daemon = self.daemon("something can be done about an alert")?;
        Ok(daemon.post(&format!("/local/alerts/{}/deeds", in_path(id)), told).await?)
    }

    /// What people did, newest first.
    ///
    /// # Errors
    /// The question cannot be answered.
    pub async fn trail(&self, query: &TrailQuery) -> anyhow::Result<Vec<TrailEntry>> {
        match self {
            Access::Daemon(client) => get(client, &with_query("/local/trail", query)?).await,
            Access::Files(files) => Ok(files.trail(&query.filter())?),
        }
    }

    /// The daemon, for what it alone can do: `what` says what that is.
    ///
    /// # Errors
    /// None runs.
    pub fn daemon(&self, what: &str) -> anyhow::Result<&Client> {
        match self {
            Access::Daemon(client) => Ok(client),
            Access::Files(_) => Err(needs_daemon(what)),
        }
    }

    /// Filed maintenance, the last first.
    ///
    /// # Errors
    /// The question cannot be answered.
    pub async fn maintenance(&self, query: &MaintenanceQuery) -> anyhow::Result<Vec<Maintenance>> {
        match self {
            Access::Daemon(client) => get(client, &with_query("/local/maintenance", query)?).await,
            Access::Files(files) => Ok(files.maintenance(query.site.as_deref())?),
        }
    }

    /// Files maintenance; only a running daemon can.
    ///
    /// # Errors
    /// It cannot be filed so, or no daemon runs.
    pub async fn file_maintenance(&self, filing: &Filing) -> anyhow::Result<Maintenance> {
        match self {
            Access::Daemon(client) => Ok(client.post("/local/maintenance", filing).await?),
            Access::Files(_) => Err(needs_daemon("maintenance can be filed")),
        }
    }

    /// Withdraws maintenance; only a running daemon can.
    ///
    /// # Errors
    /// There is none of that id, it is over, or no daemon runs.
    pub async fn withdraw_maintenance(&self, id: &str, said: &Withdraw) -> anyhow::Result<Maintenance> {
        match self {
            Access::Daemon(client) => {
                Ok(client.post(&format!("/local/maintenance/{}/withdraw", in_path(id)), said).await?)
            }
            Access::Files(_) => Err(needs_daemon("maintenance can be withdrawn")),
        }
    }

    /// Meters that were exchanged, the last that was told first.
    ///
    /// # Errors
    /// The question cannot be answered.
    pub async fn exchanges(&self, query: &ExchangesQuery) -> anyhow::Result<Vec<Exchanged>> {
        match self {
            Access::Daemon(client) => get(client, &with_query("/local/exchanges", query)?).await,
            Access::Files(files) => Ok(files.exchanges(query.site.as_deref())?),
        }
    }

    /// Tells that a meter was exchanged; only a running daemon can hear it.
    ///
    /// # Errors
    /// There is no such meter, it cannot be so, or no daemon runs.
    pub async fn exchange(&self, told: &Exchange) -> anyhow::Result<Exchanged> {
        match self {
            Access::Daemon(client) => Ok(client.post("/local/exchanges", told).await?),
            Access::Files(_) => Err(needs_daemon("the exchange of a meter can be told")),
        }
    }

    /// What a site is judged by.
    ///
    /// # Errors
    /// There is no such site, or the question cannot be answered.
    pub async fn thresholds(&self, site: &str) -> anyhow::Result<JudgedBy> {
        match self {
            Access::Daemon(client) => {
                get(client, &format!("/local/sites/{}/thresholds", in_path(site))).await
            }
            Access::Files(files) => Ok(files.judged_by(site)?),
        }
    }

    /// Says something of a site; only a running daemon can hear it.
    ///
    /// # Errors
    /// There is no such site, the daemon refuses, or there is none.
    pub async fn say<T: DeserializeOwned>(
        &self,
        site: &str,
        what: &str,
        said: &impl Serialize,
    ) -> anyhow::Result<T> {
        match self {
            Access::Daemon(client) => {
                Ok(client.post(&format!("/local/sites/{}/{what}", in_path(site)), said).await?)
            }
            Access::Files(_) => Err(hinted(
                anyhow::anyhow!("what a site is judged by can be changed only while the daemon runs"),
                "what people do goes through the journal, which belongs to the daemon; start it first",
            )),
        }
    }

    /// Readings of a meter.
    ///
    /// # Errors
    /// There is no such meter, or the question cannot be answered.
    pub async fn readings(&self, query: &ReadingsQuery) -> anyhow::Result<Vec<ReadingRow>> {
        match self {
            Access::Daemon(client) => get(client, &with_query("/local/readings", query)?).await,
            Access::Files(files) => Ok(files.readings(&query.meter, query.from, query.to)?),
        }
    }

    /// Rejected messages, newest first.
    ///
    /// # Errors
    /// The question cannot be answered.
    pub async fn rejects(&self, query: &RejectsQuery) -> anyhow::Result<Vec<RejectView>> {
        match self {
            Access::Daemon(client) => get(client, &with_query("/local/rejects", query)?).await,
            Access::Files(files) => {
                Ok(files.rejects(query.code.as_deref(), query.limit.unwrap_or(u32::MAX))?)
            }
        }
    }

    /// Lines a sink's far side refused, newest first.
    ///
    /// # Errors
    /// The question cannot be answered.
    pub async fn bad_lines(&self, sink: &str, query: &RejectsQuery) -> anyhow::Result<Vec<BadLine>> {
        match self {
            Access::Daemon(client) => {
                get(client, &with_query(&format!("/local/sinks/{}/bad", in_path(sink)), query)?).await
            }
            Access::Files(files) => Ok(files.bad_lines(sink, query.limit.unwrap_or(u32::MAX))?),
        }
    }

    /// How the daemon is, or what its files tell.
    ///
    /// # Errors
    /// The question cannot be answered.
    pub async fn status(&self) -> anyhow::Result<Status> {
        match self {
            Access::Daemon(client) => get(client, "/local/status").await,
            Access::Files(files) => Ok(files.status()?),
        }
    }
}

/// A name as one piece of a path: what is no letter, digit or `-_.~` is written as `%XX`.
#[must_use]
pub fn in_path(name: &str) -> String {
    let mut piece = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            piece.push(char::from(byte));
        } else {
            piece.push_str(&format!("%{byte:02X}"));
        }
    }
    piece
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::alert::Status as AlertStatus;

    #[test]
    fn names_and_filters_survive_the_way_into_a_path() {
        assert_eq!(in_path("plant a/屋"), "plant%20a%2F%E5%B1%8B");
        let filter = AlertFilter {
            status: Some(AlertStatus::Open),
            site: Some("plant a&b".into()),
            ..AlertFilter::default()
        };
        assert_eq!(with_query("/x", &filter).unwrap(), "/x?status=open&site=plant+a%26b");
    }
}
