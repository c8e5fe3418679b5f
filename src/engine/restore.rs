//! Where the engine begins: at its snapshot, or with the journal where there is none that this program can read.

use std::sync::Arc;

use super::layout::{LAYOUT, LAYOUT_KEY, OUTCOMES_KEY};
use super::outcome::Outcomes;
use super::world::World;
use crate::model::by_source::BySource;
use crate::model::reading::Offset;
use crate::store::error::StoreError;
use crate::store::write::Store;

/// The world of the snapshot, and the last message it has seen. A snapshot that cannot be read is passed over: the
/// journal makes the same again, only more slowly.
///
/// # Errors
/// The store cannot be read.
pub(super) fn world(store: &Store) -> Result<(World, Offset), StoreError> {
    let Some(snapshot) = store.snapshot()? else { return Ok((World::empty(), 0)) };
    let offset = snapshot.offset;
    let layout: Option<i64> = store.meta(LAYOUT_KEY)?;
    let registry = store.registry_of_snapshot(offset)?;
    let why = match (layout, registry) {
        (Some(LAYOUT), Some(stored)) => match World::restore(Arc::new(stored.registry), &snapshot.body) {
            Ok(world) => return Ok((world, offset)),
            Err(error) => error.to_string(),
        },
        (Some(LAYOUT), None) => "the registry of that time is not there".to_owned(),
        (found, _) => format!("it has layout {}, not {LAYOUT}", found.unwrap_or_default()),
    };
    tracing::warn!(offset, why, "The saved state cannot be used; the journal is taken again from its begin.");
    Ok((World::empty(), 0))
}

/// What became of messages up to the store's cursor. A store of a program that did not count begins with nothing.
///
/// # Errors
/// The store cannot be read.
pub(super) fn outcomes(store: &Store) -> Result<BySource<Outcomes>, StoreError> {
    let kept: Option<String> = store.meta(OUTCOMES_KEY)?;
    Ok(kept.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
}
