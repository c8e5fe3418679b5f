//! The state of a site at a moment, as it is kept to judge on from there; and why that can fail.

use serde::{Deserialize, Serialize};

use super::version::VersionError;
use crate::alerts::alert::Alert;
use crate::detection::site::SiteJudge;
use crate::engine::pack;
use crate::history::HistoryError;
use crate::model::reading::Offset;
use crate::store::error::StoreError;
use crate::store::judging::Checkpoint;

/// Why a span cannot be judged again.
#[derive(Debug, thiserror::Error)]
pub enum RejudgeError {
    /// The store failed.
    #[error("the store failed")]
    Store(#[source] StoreError),
    /// History failed.
    #[error("history failed")]
    History(#[source] HistoryError),
    /// A configuration that was in force cannot be read.
    #[error("a configuration that was in force cannot be read")]
    Version(#[source] VersionError),
    /// A configuration that was in force is not there.
    #[error("the configuration of site {site} that came by message {offset} is not in the store")]
    NoVersion {
        /// Site id.
        site: Box<str>,
        /// The message.
        offset: Offset,
    },
    /// A kept state cannot be packed or unpacked.
    #[error("a kept state is not in its form")]
    Form(#[source] postcard::Error),
    /// A kept state cannot be compressed or uncompressed.
    #[error("a kept state cannot be compressed or uncompressed")]
    Packing(#[source] std::io::Error),
    /// Alerts beside a kept state cannot be written or read.
    #[error("the alerts beside a kept state are not in their form")]
    Alerts(#[source] serde_json::Error),
}

/// A kept state.
#[derive(Debug)]
pub struct Kept {
    /// The state.
    pub judge: SiteJudge,
    /// The message by which the configuration in force came.
    pub version: Offset,
    /// What happened up to this message is in the state.
    pub happened: Offset,
    /// The alerts that are open.
    pub open: Vec<Alert>,
}

/// The state of a site, without readings that wait for later, as it is kept.
///
/// # Errors
/// Only memory could be the reason.
pub fn checkpoint(
    judge: &SiteJudge,
    (version, happened): (Offset, Offset),
    open: &[&Alert],
) -> Result<Checkpoint, RejudgeError> {
    #[derive(Serialize)]
    struct Borrowed<'a>(&'a SiteJudge, Offset, Offset, Vec<u8>);
    let open = serde_json::to_vec(open).map_err(RejudgeError::Alerts)?;
    let bytes = postcard::to_stdvec(&Borrowed(judge, version, happened, open));
    let body = pack::pack(&bytes.map_err(RejudgeError::Form)?).map_err(RejudgeError::Packing)?;
    Ok(Checkpoint { judged: judge.judged(), body })
}

/// Reads what [`checkpoint`] made.
///
/// # Errors
/// It is not that.
pub fn read(checkpoint: &Checkpoint) -> Result<Kept, RejudgeError> {
    #[derive(Deserialize)]
    struct Owned(SiteJudge, Offset, Offset, Vec<u8>);
    let bytes = pack::unpack(&checkpoint.body).map_err(RejudgeError::Packing)?;
    let Owned(judge, version, happened, open) = postcard::from_bytes(&bytes).map_err(RejudgeError::Form)?;
    let open = serde_json::from_slice(&open).map_err(RejudgeError::Alerts)?;
    Ok(Kept { judge, version, happened, open })
}
