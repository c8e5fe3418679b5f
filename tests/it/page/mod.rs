//! The page and the API over the network: a story in a real browser, who may do what, what is refused, what is live.

mod doors;
mod fuzz;
mod live;
#[cfg(feature = "demo")]
mod story;
mod tls;
pub mod visitor;
