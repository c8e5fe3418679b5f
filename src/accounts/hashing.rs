//! Passwords to hashes and back, a few at a time: each takes 19 MiB for tens of milliseconds.

use std::sync::{Condvar, Mutex, PoisonError};

use argon2::password_hash::Error;
use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version};

use super::error::AccountsError;
use super::secrets;

/// Memory of a hash, KiB. Source: OWASP Password Storage Cheat Sheet, Argon2id, m = 19 MiB, t = 2, p = 1.
const MEMORY_KIB: u32 = 19 * 1024;
/// Passes over it; same source.
const N_PASSES: u32 = 2;
/// Lanes; same source.
const N_LANES: u32 = 1;

/// Hashes at a time: 38 MiB at most, whoever knocks.
const N_RUNNING_MAX: usize = 2;
/// Callers that wait for one: about a second's worth. Further ones are told to come back.
const N_WAITING_MAX: usize = 32;

const SALT_BYTES: usize = 16;

/// Hashes passwords, at most two at a time.
pub(super) struct Hashing {
    argon2: Argon2<'static>,
    /// Hash of a password that nobody knows: what a wrong name is compared with, so that it takes as long.
    nobody: String,
    places: Mutex<Places>,
    freed: Condvar,
}

#[derive(Default)]
struct Places {
    n_running: usize,
    n_waiting: usize,
}

/// A place among those that hash; given back when dropped.
struct Place<'a>(&'a Hashing);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.places.lock().unwrap_or_else(PoisonError::into_inner).n_running -= 1;
        self.0.freed.notify_one();
    }
}

impl Hashing {
    /// As it is used.
    pub(super) fn new() -> Result<Hashing, AccountsError> {
        Hashing::with(MEMORY_KIB, N_PASSES)
    }

    /// With other costs: tests do not have the time.
    pub(super) fn with(memory_kib: u32, n_passes: u32) -> Result<Hashing, AccountsError> {
        let params = Params::new(memory_kib, n_passes, N_LANES, None).map_err(|e| failed(e.into()))?;
        let mut hashing = Hashing {
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            nobody: String::new(),
            places: Mutex::default(),
            freed: Condvar::new(),
        };
        hashing.nobody = hashing.hash(&secrets::new_text()?)?;
        Ok(hashing)
    }

    /// The hash of a password, with its salt and costs, as a PHC string.
    pub(super) fn hash(&self, password: &str) -> Result<String, AccountsError> {
        let salt = secrets::random::<SALT_BYTES>()?;
        let _place = self.place()?;
        let hash: PasswordHash =
            self.argon2.hash_password_with_salt(password.as_bytes(), &salt).map_err(failed)?;
        Ok(hash.to_string())
    }

    /// Whether a password is the one of a hash. No hash takes as long as a wrong one.
    pub(super) fn is_right(&self, password: &str, hash: Option<&str>) -> Result<bool, AccountsError> {
        let parsed = PasswordHash::new(hash.unwrap_or(&self.nobody)).map_err(|e| failed(e.into()))?;
        let _place = self.place()?;
        match self.argon2.verify_password(password.as_bytes(), &parsed) {
            Ok(()) => Ok(hash.is_some()),
            Err(Error::PasswordInvalid) => Ok(false),
            Err(source) => Err(failed(source)),
        }
    }

    fn place(&self) -> Result<Place<'_>, AccountsError> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if places.n_running >= N_RUNNING_MAX {
            if places.n_waiting >= N_WAITING_MAX {
                return Err(AccountsError::Busy);
            }
            places.n_waiting += 1;
            let is_full = |places: &mut Places| places.n_running >= N_RUNNING_MAX;
            places = self.freed.wait_while(places, is_full).unwrap_or_else(PoisonError::into_inner);
            places.n_waiting -= 1;
        }
        places.n_running += 1;
        Ok(Place(self))
    }
}

fn failed(source: Error) -> AccountsError {
    AccountsError::Hash { source }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn a_hash_carries_its_costs_and_those_are_what_is_recommended() {
        let hash = Hashing::new().unwrap().hash("a good password").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    }

    #[test]
    fn a_password_is_right_for_its_own_hash_alone_and_costs_may_change() {
        let hashing = Hashing::with(64, 1).unwrap();
        let (a, b) = (hashing.hash("a good password").unwrap(), hashing.hash("a good password").unwrap());
        assert_ne!(a, b, "each has a salt of its own");
        let dearer = Hashing::with(128, 2).unwrap();
        assert!(dearer.is_right("a good password", Some(&a)).unwrap());
        assert!(!dearer.is_right("a good passwore", Some(&a)).unwrap());
        assert!(!dearer.is_right("a good password", None).unwrap());
        assert!(matches!(dearer.is_right("a good password", Some("x")), Err(AccountsError::Hash { .. })));
    }

    #[test]
    fn two_hash_at_a_time_some_wait_and_more_are_told_to_come_back() {
        let hashing = Hashing::with(64, 1).unwrap();
        let (first, second) = (hashing.place().unwrap(), hashing.place().unwrap());
        std::thread::scope(|scope| {
            let waiting: Vec<_> =
                (0..N_WAITING_MAX).map(|_| scope.spawn(|| hashing.hash("a good password"))).collect();
            while hashing.places.lock().unwrap().n_waiting < N_WAITING_MAX {
                std::thread::yield_now();
            }
            assert!(matches!(hashing.hash("a good password"), Err(AccountsError::Busy)));
            drop((first, second));
            assert!(waiting.into_iter().all(|w| w.join().unwrap().is_ok()));
        });
        let places = hashing.places.lock().unwrap();
        assert_eq!((places.n_running, places.n_waiting), (0, 0));
    }

    #[test]
    fn never_more_than_two_have_a_place() {
        let (hashing, start) = (Hashing::with(64, 1).unwrap(), Barrier::new(8));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    start.wait();
                    for _ in 0..50 {
                        let _place = hashing.place().unwrap();
                        assert!(hashing.places.lock().unwrap().n_running <= N_RUNNING_MAX);
                    }
                });
            }
        });
    }
}
