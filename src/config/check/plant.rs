//! All sites together: what the engine judges by.

use super::ground::Ground;
use super::meter::Meters;
use super::must::Once;
use super::site;
use crate::config::problem::{Report, Spot};
use crate::config::typed::site as typed;
use crate::model::meter::{Meter, Profile};
use crate::model::param::Settings;
use crate::model::site::Site;

/// The part of the registry that comes from site files.
#[derive(Debug, Default)]
pub struct Plant {
    /// By id.
    pub sites: Vec<Site>,
    /// In order of the sites, then of their files.
    pub meters: Vec<Meter>,
    /// Those in use, in order of first use.
    pub profiles: Vec<Profile>,
}

/// Checks every site. The outcome does not depend on the order in which files were found.
pub fn check(
    mut files: Vec<(Spot, typed::Site)>,
    ground: Ground<'_>,
    rules: &Settings,
    report: &mut Report,
) -> Plant {
    files.sort_by(|(a, x), (b, y)| (&x.id, a.name()).cmp(&(&y.id, b.name())));
    let mut ids = Once::new("site");
    let mut meters = Meters::new(ground);
    let mut sites = Vec::with_capacity(files.len());
    for (index, (file, typed)) in (0_u32..).zip(&files) {
        let site = site::check(typed, file, (index, rules), &mut meters, report);
        ids.take(&site.id, &file.key("id"), "every site has an id of its own, in all files together", report);
        sites.push(site);
    }
    let (meters, profiles) = meters.done();
    Plant { sites, meters, profiles }
}
