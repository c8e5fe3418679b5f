//! A site judged on by a tick, with its state noted at the marks on the way.

use super::marks;
use crate::detection::site::{SiteContext, SiteJudge};
use crate::engine::effects::{Effects, Found, Mark};
use crate::model::reading::Offset;
use crate::model::site::Site;
use crate::model::time::UtcMs;

/// Which site is judged on, by which message, and when.
#[derive(Clone, Copy)]
pub(in crate::engine) struct Place {
    pub(in crate::engine) index: u32,
    pub(in crate::engine) by: Offset,
    pub(in crate::engine) now: UtcMs,
}

/// Judges a site on.
pub(in crate::engine) fn advance(
    judge: &mut SiteJudge,
    (site, context): (&Site, &SiteContext),
    to: UtcMs,
    (index, by): (u32, Offset),
    effects: &mut Effects,
) {
    let mut said = judge.said();
    judge.advance(site, context, to, &mut |finding| {
        said += 1;
        effects.findings.push(Found { site: index, by, said, finding });
    });
}

/// Judges up to the last mark up to `to`, and notes the state at each that will be of use. Returns the next mark.
pub(in crate::engine) fn advance_over_marks(
    judge: &mut SiteJudge,
    (site, context): (&Site, &SiteContext),
    to: UtcMs,
    place: Place,
    effects: &mut Effects,
) -> UtcMs {
    let phase_ms = marks::phase_ms(&site.id);
    let mut mark = marks::after(judge.judged().max(to.plus(-marks::KEPT_FOR_MS)), phase_ms);
    while mark <= to {
        if marks::is_kept(mark, phase_ms, place.now) {
            advance(judge, (site, context), mark, (place.index, place.by), effects);
            let n_findings = effects.findings.len();
            let kept = judge.without_later();
            effects.marks.push(Mark { n_findings, site: place.index, by: place.by, judge: kept });
        }
        mark = mark.plus(marks::GRID_MS);
    }
    mark
}
