//! What was learned, and what people say to it, worked into what one site is judged by. Pure.

use std::sync::Arc;

use super::book::{Book, Page};
use super::changes::{self, Enforced};
use super::decide::{self, Decided};
use super::past::version::SiteVersion;
use super::world::World;
use crate::detection::site::{SiteContext, SiteJudge};
use crate::model::command::Command;
use crate::model::reading::Offset;
use crate::model::site::Site;
use crate::model::time::UtcMs;
use crate::store::exchanges::Exchanged;

/// What came of a command about what is judged by.
#[derive(Debug, Default)]
pub struct Adopted {
    /// Everything that was decided; nothing where there is no such site.
    pub decided: Vec<Decided>,
    /// What is in force from here on, if that is anything new.
    pub enforced: Option<Enforced>,
    /// The meter that was exchanged.
    pub exchanged: Option<Exchanged>,
}

impl World {
    /// Works what was learned, or what people say to it, into what a site is judged by: from this message on.
    pub fn adopt(&mut self, command: &Command, received: UtcMs, offset: Offset) -> Adopted {
        if let Command::ExchangeMeter(told) = command {
            return Adopted { exchanged: self.exchange(told, received, offset), ..Adopted::default() };
        }
        let since = self.now.max(received);
        let id = decide::site_of(command).unwrap_or_default();
        let found = (0_u32..).zip(&self.registry.sites).find(|(_, site)| *site.id == *id);
        let Some((index, site)) = found else { return Adopted::default() };
        let mut page = self.book.page(id).cloned().unwrap_or_default();
        let mut changed = site.clone();
        page.take_off(&mut changed);
        let decided = decide::decide(&mut page, site, command, (since, offset));
        page.lay_over(&mut changed);
        self.book.put(id, page);
        let enforced =
            (*site != changed).then(|| self.enforce((index, changed), decide::who(command), (since, offset)));
        Adopted { decided, enforced, exchanged: None }
    }

    /// Puts one site in force otherwise; all else stays as it is.
    fn enforce(
        &mut self,
        (index, changed): (u32, Site),
        who: &str,
        (since, offset): (UtcMs, Offset),
    ) -> Enforced {
        let place = index as usize;
        let site = &mut Arc::make_mut(&mut self.registry).sites[place];
        let was = std::mem::replace(site, changed);
        let site = &self.registry.sites[place];
        let version = |of| SiteVersion::of(&self.registry, of);
        let changes = changes::between(&version(&was), &version(site), who);
        let context = SiteContext::new(site, &self.registry.meters);
        let fresh = SiteJudge::new(site, &context, since);
        let judge = std::mem::replace(&mut self.judges[place], fresh.clone());
        let judged = judge.judged();
        self.judges[place] = judge.carry_over((&was, &self.contexts[place]), (site, &context), fresh);
        self.contexts[place] = context;
        self.versions[place] = offset;
        self.marks[place] = UtcMs::MIN;
        Enforced { index, judged, changes }
    }

    /// What was learned of sites.
    #[must_use]
    pub fn book(&self) -> &Book {
        &self.book
    }

    /// Takes pages that were kept elsewhere, before the first message: those of sites that it knows nothing of.
    pub fn remember(&mut self, pages: Vec<(String, Page)>) {
        for (site, page) in pages {
            if self.book.page(&site).is_none() {
                self.book.put(&site, page);
            }
        }
    }
}
