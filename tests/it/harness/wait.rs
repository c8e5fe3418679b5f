//! Waiting on a value, with a timeout.

use std::time::{Duration, Instant};

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Looks again and again until `look` gives a value; panics with `what` when that takes longer than `timeout`.
///
/// `look` is an async closure: `wait_for("a row", TIMEOUT, async || store.row().await)`. One that needs no await is
/// written the same way.
pub async fn wait_for<T>(what: &str, timeout: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        // A look that hangs counts as one that saw nothing.
        let left = timeout.saturating_sub(begun.elapsed()).max(LOOK_EVERY);
        if let Ok(Some(seen)) = tokio::time::timeout(left, look()).await {
            return seen;
        }
        assert!(begun.elapsed() < timeout, "waited {timeout:?} for {what}, and it did not come");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// The same without a runtime, for tests that run whole programs.
pub fn wait_for_blocking<T>(what: &str, timeout: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(begun.elapsed() < timeout, "waited {timeout:?} for {what}, and it did not come");
        std::thread::sleep(LOOK_EVERY);
    }
}

#[test]
fn a_wait_ends_with_the_value_or_says_what_did_not_come() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let mut n = 0;
    let third = async || {
        n += 1;
        (n == 3).then_some(n)
    };
    assert_eq!(runtime.block_on(wait_for("the third look", Duration::from_secs(5), third)), 3);
    let mut looks = 0;
    let two = || {
        looks += 1;
        (looks == 2).then_some(looks)
    };
    assert_eq!(wait_for_blocking("two looks", Duration::from_secs(5), two), 2);

    let hangs = async || std::future::pending::<Option<()>>().await;
    let short = Duration::from_millis(20);
    let waited =
        std::panic::AssertUnwindSafe(|| runtime.block_on(wait_for("what never comes", short, hangs)));
    let panic = std::panic::catch_unwind(waited).unwrap_err();
    let message = panic.downcast::<String>().unwrap();
    assert!(message.contains("what never comes"), "{message}");
}
