//! How fast passwords can be tried: after a few wrong ones, growing waits, by name and by address.

// The words for addresses alone: sockets are not in `core`.
use core::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::collections::HashMap;

use crate::model::time::{HOUR_MS, MINUTE_MS, SECOND_MS, UtcMs};

/// Wrong tries without a wait: who mistypes is not punished.
pub const N_FREE: u32 = 5;
/// The first wait; each further wrong try doubles it.
pub const WAIT_MIN_MS: i64 = SECOND_MS;
/// The longest wait: 288 tries a day, and nobody is kept out for long by somebody else's tries.
pub const WAIT_MAX_MS: i64 = 5 * MINUTE_MS;
/// Wrong tries are forgotten so long after the last.
pub const FORGET_MS: i64 = HOUR_MS;
/// Names, and addresses, that are remembered; the one that tried last the longest ago goes.
pub const N_REMEMBERED_MAX: usize = 4096;

/// Longest key, characters: no name is longer.
const KEY_CHARS_MAX: usize = 64;

/// Wrong tries of one name or address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wrong {
    n: u32,
    last: UtcMs,
}

impl Wrong {
    /// Until when the next try waits.
    fn until(self) -> UtcMs {
        match self.n.checked_sub(N_FREE) {
            None => UtcMs::MIN,
            Some(doubled) => {
                self.last.plus(WAIT_MIN_MS.saturating_mul(1 << doubled.min(32)).min(WAIT_MAX_MS))
            }
        }
    }
}

/// Wrong tries of all names, or of all addresses.
#[derive(Debug, Default)]
struct Book(HashMap<Box<str>, Wrong>);

impl Book {
    /// How long a try must wait, ms; 0 if not at all.
    fn wait_ms(&mut self, key: &str, now: UtcMs) -> i64 {
        let Some(wrong) = self.0.get_mut(key) else { return 0 };
        // A clock that was set back does not lengthen the wait.
        wrong.last = wrong.last.min(now);
        if now.since(wrong.last) >= FORGET_MS {
            self.0.remove(key);
            return 0;
        }
        wrong.until().since(now).max(0)
    }

    /// Counts a wrong try; returns when the one before it was.
    fn count(&mut self, key: &str, now: UtcMs) -> Option<UtcMs> {
        if !self.0.contains_key(key) {
            self.make_room();
        }
        let wrong = self.0.entry(key.into()).or_insert(Wrong { n: 0, last: UtcMs::MIN });
        let before = (wrong.n > 0).then_some(wrong.last);
        *wrong = Wrong { n: wrong.n.saturating_add(1), last: now };
        before
    }

    /// Takes one try back, as if it had not been.
    fn take_back(&mut self, key: &str, at: UtcMs, before: Option<UtcMs>) {
        let Some(wrong) = self.0.get_mut(key) else { return };
        wrong.n = wrong.n.saturating_sub(1);
        if wrong.n == 0 {
            self.0.remove(key);
        } else if let Some(before) = before.filter(|_| wrong.last == at) {
            wrong.last = before;
        }
    }

    fn make_room(&mut self) {
        if self.0.len() < N_REMEMBERED_MAX {
            return;
        }
        let oldest = self.0.iter().min_by_key(|(_, wrong)| wrong.last).map(|(key, _)| key.clone());
        if let Some(oldest) = oldest {
            self.0.remove(&oldest);
        }
    }
}

/// A try that is under way. It counts as wrong until it is proved right: of a thousand at once, five get through.
#[derive(Debug)]
pub struct Try {
    name: Box<str>,
    address: Box<str>,
    at: UtcMs,
    name_before: Option<UtcMs>,
    address_before: Option<UtcMs>,
}

/// Wrong tries by name and by address, in bounded memory.
#[derive(Debug, Default)]
pub struct Throttle {
    names: Book,
    addresses: Book,
}

impl Throttle {
    /// Lets a try begin. What must wait is not counted: waiting does not get longer by asking.
    ///
    /// # Errors
    /// How long to wait, ms.
    pub fn begin(&mut self, name: &str, from: &str, now: UtcMs) -> Result<Try, i64> {
        let (name, address) = (clipped(name), address(from));
        let wait_ms = self.names.wait_ms(&name, now).max(self.addresses.wait_ms(&address, now));
        if wait_ms > 0 {
            return Err(wait_ms);
        }
        let name_before = self.names.count(&name, now);
        let address_before = self.addresses.count(&address, now);
        Ok(Try { name, address, at: now, name_before, address_before })
    }

    /// The try was right: the name is clear again. The address only gets this one try back, else one's own account
    /// would buy free tries at others'.
    pub fn right(&mut self, own: &Try) {
        self.names.0.remove(&own.name);
        self.addresses.take_back(&own.address, own.at, own.address_before);
    }

    /// The try told nothing (it could not be looked into): it never was.
    pub fn take_back(&mut self, own: &Try) {
        self.names.take_back(&own.name, own.at, own.name_before);
        self.addresses.take_back(&own.address, own.at, own.address_before);
    }
}

fn clipped(text: &str) -> Box<str> {
    text.chars().take(KEY_CHARS_MAX).collect::<String>().into()
}

/// What counts as one address: without the port, and of IPv6 the /64 that one subscriber has to choose from.
fn address(from: &str) -> Box<str> {
    let ip = from.parse::<IpAddr>().ok().or_else(|| from.parse::<SocketAddr>().ok().map(|a| a.ip()));
    match ip.map(|ip| ip.to_canonical()) {
        None => clipped(from),
        Some(IpAddr::V4(ip)) => ip.to_string().into(),
        Some(IpAddr::V6(ip)) => Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).to_string().into(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Wrong tries one after another, each as soon as it may; when each began, ms.
    fn as_fast_as_may_be(throttle: &mut Throttle, name: &str, from: &str, n: usize) -> Vec<i64> {
        let mut now = UtcMs(0);
        let mut begun = Vec::new();
        while begun.len() < n {
            match throttle.begin(name, from, now) {
                Ok(_) => begun.push(now.0),
                Err(wait_ms) => now = now.plus(wait_ms),
            }
        }
        begun
    }

    #[test]
    fn after_five_wrong_tries_waits_double_from_one_second_to_five_minutes() {
        let begun = as_fast_as_may_be(&mut Throttle::default(), "li", "10.0.0.1", 17);
        let waits: Vec<_> = begun.windows(2).map(|pair| (pair[1] - pair[0]) / 1000).collect();
        assert_eq!(waits, [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
    }

    #[test]
    fn a_name_waits_wherever_it_is_tried_from_and_an_address_whatever_name_it_tries() {
        let mut throttle = Throttle::default();
        as_fast_as_may_be(&mut throttle, "li", "10.0.0.1", 5);
        assert_eq!(throttle.begin("li", "10.0.0.2", UtcMs(0)).unwrap_err(), 1000);
        assert_eq!(throttle.begin("wang", "10.0.0.1", UtcMs(0)).unwrap_err(), 1000);
        assert!(throttle.begin("wang", "10.0.0.2", UtcMs(0)).is_ok());
    }

    #[test]
    fn a_right_try_clears_its_name_but_not_what_its_address_did_to_others() {
        let mut throttle = Throttle::default();
        for i in 0..5 {
            throttle.begin(&format!("other-{i}"), "10.0.0.1", UtcMs(i)).unwrap();
        }
        let own = throttle.begin("li", "10.0.0.1", UtcMs(60_000)).unwrap();
        throttle.right(&own);
        // Nor does it make the address wait anew: the wait of its last wrong try is over.
        let again = throttle.begin("li", "10.0.0.1", UtcMs(60_000)).unwrap();
        assert_eq!(throttle.begin("li", "10.0.0.1", UtcMs(60_000)).unwrap_err(), 2000);
        throttle.take_back(&again);
        assert_eq!(throttle.addresses.0["10.0.0.1"], Wrong { n: 5, last: UtcMs(4) });
        assert!(!throttle.names.0.contains_key("li"));
    }

    #[test]
    fn wrong_tries_are_forgotten_an_hour_after_the_last() {
        let mut throttle = Throttle::default();
        let last = *as_fast_as_may_be(&mut throttle, "li", "10.0.0.1", 8).last().unwrap();
        assert!(throttle.begin("li", "10.0.0.1", UtcMs(last + FORGET_MS)).is_ok());
        assert_eq!(throttle.names.0["li"].n, 1);
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_lengthen_a_wait() {
        let mut throttle = Throttle::default();
        for _ in 0..6 {
            let _ = throttle.begin("li", "10.0.0.1", UtcMs(10 * HOUR_MS));
        }
        assert_eq!(throttle.begin("li", "10.0.0.1", UtcMs(0)).unwrap_err(), 1000);
        assert!(throttle.begin("li", "10.0.0.1", UtcMs(1000)).is_ok());
    }

    #[test]
    fn ports_and_the_choice_within_a_subscribers_ipv6_net_do_not_make_another_address() {
        assert_eq!(&*address("10.0.0.1:4711"), "10.0.0.1");
        assert_eq!(&*address("::ffff:10.0.0.1"), "10.0.0.1");
        assert_eq!(&*address("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(&*address("[2001:db8:1:2::9]:80"), "2001:db8:1:2::");
        assert_eq!(address(&"x".repeat(1000)).len(), KEY_CHARS_MAX);
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_go() {
        let mut throttle = Throttle::default();
        let n = i64::try_from(N_REMEMBERED_MAX).unwrap();
        for i in 0..n + 3 {
            throttle.begin(&format!("n{i}"), &format!("a{i}"), UtcMs(i)).unwrap();
        }
        for book in [&throttle.names, &throttle.addresses] {
            assert_eq!(book.0.len(), N_REMEMBERED_MAX);
        }
        assert!(!throttle.names.0.contains_key("n2") && throttle.names.0.contains_key("n3"));
    }

    proptest! {
        #[test]
        fn whatever_the_order_of_tries_no_name_and_no_address_gets_more_than_its_share(
            tries in proptest::collection::vec((0_u8..3, 0_u8..3, 0_i64..4_000), 1..200),
        ) {
            let (mut throttle, mut now) = (Throttle::default(), UtcMs(0));
            let mut begun: HashMap<String, Vec<i64>> = HashMap::new();
            for (name, from, pause_ms) in tries {
                now = now.plus(pause_ms);
                let (name, from) = (format!("n{name}"), format!("a{from}"));
                match throttle.begin(&name, &from, now) {
                    Ok(_) => for key in [name, from] { begun.entry(key).or_default().push(now.0); },
                    Err(wait_ms) => prop_assert!((1..=WAIT_MAX_MS).contains(&wait_ms)),
                }
            }
            for times in begun.values() {
                for (n_wrong, pair) in (1_u32..).zip(times.windows(2)) {
                    let wait_ms = n_wrong.checked_sub(N_FREE).map_or(0, |n| (1000 << n.min(20)).min(WAIT_MAX_MS));
                    prop_assert!(pair[1] - pair[0] >= wait_ms, "{times:?}");
                }
            }
        }

        #[test]
        fn tries_that_are_taken_back_in_any_order_leave_nothing(
            order in proptest::sample::subsequence((0..5).collect::<Vec<i64>>(), 0..=5).prop_shuffle(),
        ) {
            let mut throttle = Throttle::default();
            let tries: Vec<_> = (0..5).map(|i| throttle.begin("li", "a", UtcMs(i)).unwrap()).collect();
            for &i in &order {
                throttle.take_back(&tries[usize::try_from(i).unwrap()]);
            }
            let left = throttle.names.0.get("li").map_or(0, |wrong| wrong.n);
            prop_assert_eq!(left as usize, 5 - order.len());
        }
    }
}
