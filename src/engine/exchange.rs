//! A meter that was exchanged: from that moment on its register is another one, also where that moment is judged already.

use super::error::EngineError;
use super::world::World;
use super::write::Step;
use crate::model::exchange::Exchange;
use crate::model::reading::Offset;
use crate::model::time::UtcMs;
use crate::store::exchanges::{self, Exchanged};

impl World {
    /// Takes note of an exchange; `None` where the meter measures no point. What was judged by the register before is
    /// judged again, as where readings come late.
    pub(super) fn exchange(&mut self, told: &Exchange, received: UtcMs, offset: Offset) -> Option<Exchanged> {
        let (index, point) = self.point_of(&told.meter)?;
        let judge = &mut self.judges[index as usize];
        if told.at > judge.judged() {
            judge.replaced(point, told.at);
        } else {
            self.late.note_exchange(index, told.at, received, offset);
        }
        let site = &self.registry().sites[index as usize];
        let point = site.points[usize::from(point)].id.to_string();
        Some(Exchanged { offset, said: received, site: site.id.to_string(), point, exchange: told.clone() })
    }
}

impl Step<'_> {
    pub(super) fn exchange(
        &self,
        told: Option<Exchanged>,
        exchange: &Exchange,
        offset: Offset,
    ) -> Result<(), EngineError> {
        match told {
            Some(own) => {
                exchanges::put(self.tx.conn(), &own).map_err(|source| EngineError::Store { offset, source })
            }
            None => {
                tracing::warn!(
                    offset,
                    meter = &*exchange.meter,
                    "A meter that measures no point was exchanged"
                );
                Ok(())
            }
        }
    }
}
