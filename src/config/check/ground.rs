//! What site files refer to: links, profiles, subscriptions.

use super::profile::Profiles;
use crate::config::settings::Link;

/// What sites stand on.
#[derive(Clone, Copy, Debug)]
pub struct Ground<'a> {
    /// The links; `None` where the main file could not be read and so nothing is known of them.
    pub links: Option<&'a [Link]>,
    /// Every profile.
    pub profiles: &'a Profiles,
    /// Whether anything is subscribed to; `None` where nothing is known of it.
    pub subscribed: Option<bool>,
}
