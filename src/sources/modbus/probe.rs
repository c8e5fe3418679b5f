//! Looking at one meter, or for all of a link, by hand: the same way of reading, nothing journaled.

use std::ops::RangeInclusive;

use super::bus::{Bus, ConnectError, RequestError};
use super::payload::Scan;
use super::plan::{self, Block, PlanError};
use super::scan;
use super::timing;
use super::value;
use crate::config::settings::Link;
use crate::model::meter::{Profile, Table};
use crate::model::quantity::Channel;

/// Why a probe says nothing.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The link cannot be opened.
    #[error("cannot use link {link}")]
    Connect {
        /// The link.
        link: Box<str>,
        /// Why.
        #[source]
        source: ConnectError,
    },
    /// The profile cannot be read at all.
    #[error("cannot plan how to read slave {unit}")]
    Plan {
        /// The slave.
        unit: u8,
        /// Why.
        #[source]
        source: PlanError,
    },
    /// Nothing came.
    #[error("slave {unit} gave no registers")]
    Silent {
        /// The slave.
        unit: u8,
        /// What happened last.
        #[source]
        source: Option<RequestError>,
    },
}

/// What a register said.
#[derive(Clone, Debug, PartialEq)]
pub struct Probed {
    /// What it is.
    pub channel: Channel,
    /// In the channel's unit, on the meter's own side of its transformers; `None` = missing.
    pub value: Option<f64>,
    /// As it came; empty where the meter refused or fell silent.
    pub words: Vec<u16>,
}

/// Who answered at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// With registers.
    Registers,
    /// By saying no: somebody is there.
    Exception(u8),
    /// With something that is no answer: two slaves with one address, or other speed or parity.
    Garbled,
    /// Nobody.
    Silence,
}

/// Reads all registers of `profile` from slave `unit` once.
///
/// # Errors
/// The link cannot be opened, or nothing came.
pub async fn probe(link: &Link, unit: u8, profile: &Profile) -> Result<Vec<Probed>, ProbeError> {
    let mut blocks = plan::plan(profile).map_err(|source| ProbeError::Plan { unit, source })?;
    let mut bus = connect(link).await?;
    let rest = timing::rest(link, profile.pause_ms);
    let outcome = scan::scan(&mut bus, unit, profile, &mut blocks, link.retries, rest).await;
    if outcome.registers.is_empty() {
        return Err(ProbeError::Silent { unit, source: outcome.error });
    }
    let payload = outcome.registers.finish(outcome.took);
    let Ok(scan) = Scan::open(&payload) else {
        return Err(ProbeError::Silent { unit, source: outcome.error });
    };
    let probed = profile.registers.iter().map(|register| {
        let mut words = vec![0; usize::from(register.kind.words())];
        if !scan.copy(profile.table, register.address, &mut words) {
            words.clear();
        }
        let value = value::read(register, profile.word_order, &words).number();
        Probed { channel: register.channel, value, words }
    });
    Ok(probed.collect())
}

/// Asks every address for one register and tells `progress` what came, as it comes.
///
/// # Errors
/// The link cannot be opened, or is lost on the way.
pub async fn scan(
    link: &Link,
    units: RangeInclusive<u8>,
    mut progress: impl FnMut(u8, Found),
) -> Result<Vec<(u8, Found)>, ProbeError> {
    let at = |source| ProbeError::Connect { link: link.name.clone(), source };
    let mut bus = connect(link).await?;
    let mut found = Vec::new();
    for unit in units {
        let mut answer = ask(&mut bus, unit, link).await.map_err(at)?;
        if answer == Found::Garbled {
            // It may have been the late answer of the slave before.
            answer = ask(&mut bus, unit, link).await.map_err(at)?;
        }
        progress(unit, answer);
        if answer != Found::Silence {
            found.push((unit, answer));
        }
    }
    Ok(found)
}

async fn ask(bus: &mut Bus, unit: u8, link: &Link) -> Result<Found, ConnectError> {
    let block = Block { table: Table::Holding, address: 0, count: 1 };
    match bus.read(unit, block, timing::rest(link, 0)).await {
        Ok(_) => Ok(Found::Registers),
        // So gateways speak for a slave that is not there.
        Err(RequestError::Exception { code: 10 | 11 }) => Ok(Found::Silence),
        Err(RequestError::Exception { code }) => Ok(Found::Exception(code)),
        Err(RequestError::Garbled { .. }) => Ok(Found::Garbled),
        Err(RequestError::Timeout { .. } | RequestError::Broken { .. }) => Ok(Found::Silence),
        Err(RequestError::Connect { source }) => Err(source),
    }
}

async fn connect(link: &Link) -> Result<Bus, ProbeError> {
    let mut bus = Bus::new(link.clone());
    let at = |source| ProbeError::Connect { link: link.name.clone(), source };
    bus.connect().await.map_err(at)?;
    Ok(bus)
}
