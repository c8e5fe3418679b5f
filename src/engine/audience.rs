//! Who is told of alerts, as configured and as the store knows them.

use rusqlite::Connection;

use crate::config::receivers::Policy;
use crate::model::reading::Offset;
use crate::store::error::StoreError;
use crate::store::notices::{self, Known};

/// Somebody who is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscriber {
    /// Name, by which the store knows what was told.
    pub name: Box<str>,
    /// Of what, and when.
    pub policy: Policy,
}

/// Subscribers, each with what the store knows of it.
pub(super) type Audience = Vec<(Subscriber, Known)>;

/// Brings the store to who is configured. One that is new is told of nothing up to and with `after`, but of what stands
/// then; of one that is to be told otherwise than before, everything is looked at anew.
pub(super) fn adopt(
    conn: &Connection,
    subscribers: &[Subscriber],
    after: Offset,
) -> Result<Audience, StoreError> {
    let known = notices::receivers(conn)?;
    for own in known.iter().filter(|k| !subscribers.iter().any(|s| *s.name == *k.name)) {
        notices::forget_receiver(conn, &own.name)?;
    }
    let mut audience = Vec::with_capacity(subscribers.len());
    for subscriber in subscribers {
        let policy = serde_json::to_string(&subscriber.policy)
            .map_err(|source| StoreError::Body { what: "notice policy", source })?;
        let was = known.iter().find(|k| *k.name == *subscriber.name);
        let own = match was {
            Some(was) if was.policy == policy => was.clone(),
            Some(was) => {
                notices::look_anew(conn, &was.name)?;
                Known { awake: false, policy, ..was.clone() }
            }
            None => Known { name: subscriber.name.to_string(), after, awake: false, policy },
        };
        notices::put_receiver(conn, &own)?;
        audience.push((subscriber.clone(), own));
    }
    Ok(audience)
}
