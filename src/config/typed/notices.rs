//! `[notices]`: who is told of alerts, as typed.

use serde::Deserialize;

use super::quantity::Span;
use super::tls::Tls;
use crate::config::receivers::MailSecurity;
use crate::model::rule::{Level, Rule};
use crate::model::words::Lang;

/// `[notices]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "config/submeterd.toml says a sentence about every key")]
pub struct Notices {
    pub webhook: Vec<Webhook>,
    pub alertmanager: Vec<Alertmanager>,
    pub mqtt: Vec<Mqtt>,
    pub mail: Vec<Mail>,
}

/// `filter`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "config/submeterd.toml says a sentence about every key")]
pub struct Filter {
    pub levels: Option<Vec<Level>>,
    pub regions: Vec<String>,
    pub sites: Vec<String>,
    pub rules: Vec<Rule>,
}

/// `repeat`
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "config/submeterd.toml says a sentence about every key")]
pub struct Repeat {
    pub notice: Option<Span>,
    pub warning: Option<Span>,
    pub alarm: Option<Span>,
    pub critical: Option<Span>,
}

/// `quiet`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "config/submeterd.toml says a sentence about every key")]
pub struct Quiet {
    pub levels: Option<Vec<Level>>,
    pub from: Option<String>,
    pub to: Option<String>,
}

/// What people who are told by some way say of it: when, and in which language.
#[derive(Clone, Copy, Debug)]
pub struct Habits<'a> {
    /// How long news waits for company.
    pub wait: Option<Span>,
    /// How long what is told must have stood.
    pub after: Option<Span>,
    /// How often it is told again.
    pub repeat: Option<&'a Repeat>,
    /// When it is not told.
    pub quiet: &'a [Quiet],
}

macro_rules! receivers {
    ($($(#[$doc:meta])* $name:ident { $($key:ident: $type:ty,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, Default, Deserialize)]
            #[serde(deny_unknown_fields, default)]
            #[expect(missing_docs, reason = "config/submeterd.toml says a sentence about every key")]
            pub struct $name {
                pub name: Option<String>,
                pub filter: Filter,
                pub language: Option<Lang>,
                pub timeout: Option<Span>,
                pub backoff_max: Option<Span>,
                $(pub $key: $type,)*
            }
        )*
    };
}

receivers! {
    /// `[[notices.webhook]]`
    Webhook {
        wait: Option<Span>,
        after: Option<Span>,
        repeat: Option<Repeat>,
        quiet: Vec<Quiet>,
        url: Option<String>,
        secret_file: Option<String>,
        secret_credential: Option<String>,
        ca_file: Option<String>,
    }

    /// `[[notices.alertmanager]]`
    Alertmanager {
        url: Option<String>,
        token_file: Option<String>,
        token_credential: Option<String>,
        ca_file: Option<String>,
        keep_alive: Option<Span>,
        hold: Option<Span>,
    }

    /// `[[notices.mqtt]]`
    Mqtt {
        wait: Option<Span>,
        after: Option<Span>,
        repeat: Option<Repeat>,
        quiet: Vec<Quiet>,
        host: Option<String>,
        port: Option<u16>,
        client_id: Option<String>,
        username: Option<String>,
        password_file: Option<String>,
        password_credential: Option<String>,
        tls: Option<Tls>,
        topic: Option<String>,
        retain: Option<bool>,
    }

    /// `[[notices.mail]]`
    Mail {
        wait: Option<Span>,
        after: Option<Span>,
        repeat: Option<Repeat>,
        quiet: Vec<Quiet>,
        host: Option<String>,
        port: Option<u16>,
        security: Option<MailSecurity>,
        ca_file: Option<String>,
        username: Option<String>,
        password_file: Option<String>,
        password_credential: Option<String>,
        from: Option<String>,
        to: Vec<String>,
    }
}

macro_rules! habits {
    ($($name:ident)*) => {
        $(
            impl $name {
                /// When it is told.
                #[must_use]
                pub fn habits(&self) -> Habits<'_> {
                    let (repeat, quiet) = (self.repeat.as_ref(), &self.quiet[..]);
                    Habits { wait: self.wait, after: self.after, repeat, quiet }
                }
            }
        )*
    };
}

habits! { Webhook Mqtt Mail }
