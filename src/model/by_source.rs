//! Figures by where messages come from: their kind, and the name of their broker or link. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::message::Kind;

/// One figure, or several, of each source. There are as many sources as brokers, links and channels of the daemon's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BySource<T>(BTreeMap<Kind, BTreeMap<Box<str>, T>>);

impl<T> Default for BySource<T> {
    fn default() -> BySource<T> {
        BySource(BTreeMap::new())
    }
}

impl<T: Default> BySource<T> {
    /// Changes the figure of a source; one that was not there begins with nothing. Allocates only for a new source.
    pub fn change(&mut self, kind: Kind, source: &str, change: impl FnOnce(&mut T)) {
        let own = self.0.entry(kind).or_default();
        match own.get_mut(source) {
            Some(figure) => change(figure),
            None => change(own.entry(source.into()).or_default()),
        }
    }
}

impl<T> BySource<T> {
    /// The figure of a source, if it has one.
    #[must_use]
    pub fn get(&self, kind: Kind, source: &str) -> Option<&T> {
        self.0.get(&kind)?.get(source)
    }

    /// All of them, by kind and name.
    pub fn iter(&self) -> impl Iterator<Item = (Kind, &str, &T)> {
        self.0.iter().flat_map(|(kind, own)| own.iter().map(|(source, figure)| (*kind, &**source, figure)))
    }
}

impl BySource<u64> {
    /// Adds the numbers of another.
    pub fn add(&mut self, other: &BySource<u64>) {
        for (kind, source, n) in other.iter() {
            self.change(kind, source, |own| *own += n);
        }
    }

    /// Sets all to 0; sources stay, so that counting goes on without allocating.
    pub fn reset(&mut self) {
        self.0.values_mut().flat_map(BTreeMap::values_mut).for_each(|n| *n = 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_and_a_link_of_one_name_are_counted_apart_also_after_a_way_over_text() {
        let mut counts = BySource::<u64>::default();
        counts.change(Kind::Mqtt, "hall", |n| *n += 1);
        counts.change(Kind::Modbus, "hall", |n| *n += 2);
        let mut twice = counts.clone();
        twice.add(&counts);
        let read: BySource<u64> = serde_json::from_str(&serde_json::to_string(&twice).unwrap()).unwrap();
        assert_eq!(read.iter().collect::<Vec<_>>(), [(Kind::Mqtt, "hall", &2), (Kind::Modbus, "hall", &4)]);
        assert_eq!((read.get(Kind::Modbus, "hall"), read.get(Kind::Tick, "hall")), (Some(&4), None));
        twice.reset();
        assert_eq!(twice.get(Kind::Mqtt, "hall"), Some(&0));
    }
}
