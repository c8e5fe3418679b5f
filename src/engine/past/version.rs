//! A configuration of one site as the store keeps it: for judging a past span by what was in force then.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::detection::site::SiteContext;
use crate::engine::pack;
use crate::model::meter::Meter;
use crate::model::registry::Registry;
use crate::model::site::Site;

/// A site with its own meters; its points name them by their place here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SiteVersion {
    /// The site.
    pub site: Site,
    /// Its meters.
    pub meters: Vec<Meter>,
}

/// A version ready to judge by.
#[derive(Debug)]
pub struct InForce {
    /// The version.
    pub version: SiteVersion,
    /// What follows from it.
    pub context: SiteContext,
}

/// Why a version cannot be packed or unpacked.
#[derive(Debug, thiserror::Error)]
pub enum VersionError {
    /// Not JSON of that form.
    #[error("the version of a site is not in its form")]
    Form(#[source] serde_json::Error),
    /// Not compressed as it should be.
    #[error("the version of a site cannot be compressed or uncompressed")]
    Packing(#[source] std::io::Error),
}

impl SiteVersion {
    /// The version of a site that a registry holds.
    #[must_use]
    pub fn of(registry: &Registry, site: &Site) -> SiteVersion {
        let mut site = site.clone();
        let mut meters = Vec::with_capacity(site.points.len());
        for (place, point) in (0_u32..).zip(&mut site.points) {
            let meter = registry.meters.get(point.meter as usize).cloned();
            // A point without a meter cannot come from a checked config.
            meters.extend(meter.map(|meter| Meter { site: 0, ..meter }));
            point.meter = place;
        }
        SiteVersion { site, meters }
    }

    /// As bytes.
    ///
    /// # Errors
    /// Only memory could be the reason.
    pub fn pack(&self) -> Result<Vec<u8>, VersionError> {
        let json = serde_json::to_vec(self).map_err(VersionError::Form)?;
        pack::pack(&json).map_err(VersionError::Packing)
    }

    /// From its bytes, ready to judge by.
    ///
    /// # Errors
    /// They are not those of a version.
    pub fn unpack(bytes: &[u8]) -> Result<Arc<InForce>, VersionError> {
        let json = pack::unpack(bytes).map_err(VersionError::Packing)?;
        let version: SiteVersion = serde_json::from_slice(&json).map_err(VersionError::Form)?;
        let context = SiteContext::new(&version.site, &version.meters);
        Ok(Arc::new(InForce { version, context }))
    }
}
