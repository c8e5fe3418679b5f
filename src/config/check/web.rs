//! The page and the API over the network.

use std::net::SocketAddr;

use super::secret::{self, Places};
use crate::config::problem::{Report, Spot};
use crate::config::settings::{ClientCertificate, Web};
use crate::config::typed::daemon as typed;
use crate::config::typed::tls::Tls;

/// Checks `[web]`: where it is served, if it is.
pub fn check(typed: &typed::Web, at: &Spot, places: &Places, report: &mut Report) -> Option<Web> {
    let tls = certificate(typed, at, places, report);
    let behind_proxy = typed.behind_proxy.unwrap_or(false);
    let (listen, spot) = (typed.listen.as_ref()?, at.key("listen"));
    let Ok(listen) = listen.parse::<SocketAddr>() else {
        let hint = "an address of this machine with a port: \"127.0.0.1:8080\" or \"[::1]:8080\"";
        report.error(&spot, format!("{listen:?} is no address with a port"), hint);
        return None;
    };
    if !listen.ip().is_loopback() && tls.is_none() && !behind_proxy {
        report.error(
            &spot,
            "passwords would cross the network as they are typed",
            "add certificate_file and key_file; or keep it on 127.0.0.1 and put a proxy with TLS before it",
        );
    }
    Some(Web { listen, tls, behind_proxy })
}

fn certificate(
    typed: &typed::Web,
    at: &Spot,
    places: &Places,
    report: &mut Report,
) -> Option<ClientCertificate> {
    let both = Tls {
        ca_file: None,
        certificate_file: typed.certificate_file.clone(),
        key_file: typed.key_file.clone(),
    };
    secret::identity(&both, at, places, report)
}
