//! Roles, scopes, and the one table of what they allow.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What somebody is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Looks.
    Viewer,
    /// Works with alerts and files.
    Operator,
    /// Looks into who did what.
    Auditor,
    /// Everything, and whoever else may come in.
    Admin,
}

impl Role {
    /// Every role.
    pub const ALL: [Role; 4] = [Role::Viewer, Role::Operator, Role::Auditor, Role::Admin];

    /// The word in API, tables and commands.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Operator => "operator",
            Role::Auditor => "auditor",
            Role::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Role, WordError> {
        let found = Role::ALL.into_iter().find(|role| role.name() == text);
        found.ok_or_else(|| WordError::Role { text: text.into() })
    }
}

/// Which sites somebody has to do with.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Every site.
    All,
    /// The sites of one region.
    Region(Box<str>),
    /// One site: a plant that looks at itself.
    Site(Box<str>),
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scope::All => f.write_str("all"),
            Scope::Region(name) => write!(f, "region:{name}"),
            Scope::Site(id) => write!(f, "site:{id}"),
        }
    }
}

impl FromStr for Scope {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Scope, WordError> {
        let named = |name: &str| (!name.is_empty() && name.trim() == name).then(|| Box::from(name));
        let found = match text.split_once(':') {
            None if text == "all" => Some(Scope::All),
            Some(("region", name)) => named(name).map(Scope::Region),
            Some(("site", id)) => named(id).map(Scope::Site),
            _ => None,
        };
        found.ok_or_else(|| WordError::Scope { text: text.into() })
    }
}

/// A word that names no role or no scope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WordError {
    /// No such role.
    #[error("{text:?} is no role; hint: viewer, operator, auditor or admin")]
    Role {
        /// What was given.
        text: Box<str>,
    },
    /// No such scope.
    #[error("{text:?} is no scope; hint: all, region:NAME or site:ID")]
    Scope {
        /// What was given.
        text: Box<str>,
    },
}

/// What can be done, by kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    /// Look at sites, alerts, readings.
    See,
    /// Say why, as a plant does about itself.
    Declare,
    /// Acknowledge, comment, assign, file maintenance, judge a declaration, set thresholds.
    Handle,
    /// Read the audit trail and evidence.
    Audit,
    /// Manage users and tokens.
    Administer,
}

impl Act {
    /// Every act.
    pub const ALL: [Act; 5] = [Act::See, Act::Declare, Act::Handle, Act::Audit, Act::Administer];
}

/// Whoever asks: a user or a token, as they are now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Name, as it goes into records; of a token `token:NAME`, which no user can be called.
    pub name: Box<str>,
    /// Role.
    pub role: Role,
    /// Scope.
    pub scope: Scope,
}

impl Actor {
    /// Whether an act is allowed at all; on which sites, [`Actor::sees`] tells.
    ///
    /// A plant (a site scope) sees only itself and may only declare, whatever its role.
    #[must_use]
    pub fn may(&self, act: Act) -> bool {
        let is_plant = matches!(self.scope, Scope::Site(_));
        match act {
            Act::See => true,
            Act::Declare => is_plant || matches!(self.role, Role::Operator | Role::Admin),
            Act::Handle => !is_plant && matches!(self.role, Role::Operator | Role::Admin),
            Act::Audit => !is_plant && matches!(self.role, Role::Auditor | Role::Admin),
            Act::Administer => self.role == Role::Admin && self.scope == Scope::All,
        }
    }

    /// Whether a site is in the scope. A site without a region is in no region.
    #[must_use]
    pub fn sees(&self, site: &str, region: &str) -> bool {
        match &self.scope {
            Scope::All => true,
            Scope::Region(own) => !region.is_empty() && **own == *region,
            Scope::Site(own) => **own == *site,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scopes() -> [Scope; 3] {
        [Scope::All, Scope::Region("Yuhua".into()), Scope::Site("plant-1".into())]
    }

    #[test]
    fn every_role_in_every_scope_may_what_the_table_says_and_nothing_else() {
        // Columns: see, declare, handle, audit, administer.
        let table = [
            (Role::Viewer, "all", "s...."),
            (Role::Viewer, "region:Yuhua", "s...."),
            (Role::Viewer, "site:plant-1", "sd..."),
            (Role::Operator, "all", "sdh.."),
            (Role::Operator, "region:Yuhua", "sdh.."),
            (Role::Operator, "site:plant-1", "sd..."),
            (Role::Auditor, "all", "s..a."),
            (Role::Auditor, "region:Yuhua", "s..a."),
            (Role::Auditor, "site:plant-1", "sd..."),
            (Role::Admin, "all", "sdhaA"),
            (Role::Admin, "region:Yuhua", "sdha."),
            (Role::Admin, "site:plant-1", "sd..."),
        ];
        assert_eq!(table.len(), Role::ALL.len() * scopes().len());
        for (role, scope, allowed) in table {
            let actor = Actor { name: "x".into(), role, scope: scope.parse().unwrap() };
            let found: String = std::iter::zip(Act::ALL, "sdhaA".chars())
                .map(|(act, letter)| if actor.may(act) { letter } else { '.' })
                .collect();
            assert_eq!(found, allowed, "{role} {scope}");
        }
    }

    #[test]
    fn a_scope_sees_its_own_sites_alone() {
        let sees = |scope: Scope, site: &str, region: &str| {
            Actor { name: "x".into(), role: Role::Admin, scope }.sees(site, region)
        };
        let [all, region, site] = scopes();
        assert!(sees(all.clone(), "plant-1", "Yuhua") && sees(all, "plant-9", ""));
        assert!(sees(region.clone(), "plant-9", "Yuhua"));
        assert!(!sees(region.clone(), "plant-1", "yuhua") && !sees(region, "plant-1", ""));
        assert!(!sees(Scope::Region("".into()), "plant-1", ""));
        assert!(sees(site.clone(), "plant-1", "Yuhua") && !sees(site.clone(), "plant-10", "Yuhua"));
        assert!(!sees(site, "Plant-1", "plant-1"));
    }

    #[test]
    fn words_that_name_no_role_and_no_scope_are_refused_with_a_hint() {
        for text in ["", "All", "region", "region:", "site:", "site: a", "plant:a", "all:"] {
            assert!(text.parse::<Scope>().unwrap_err().to_string().contains("hint:"), "{text}");
        }
        for text in ["", "root", "Admin", "admin "] {
            assert!(text.parse::<Role>().unwrap_err().to_string().contains("hint:"), "{text}");
        }
    }

    #[test]
    fn roles_and_scopes_are_the_same_words_in_json() {
        for role in Role::ALL {
            assert_eq!(serde_json::to_value(role).unwrap(), role.name());
            assert_eq!(role.to_string().parse(), Ok(role));
        }
        let json = serde_json::to_string(&scopes()).unwrap();
        assert_eq!(json, r#"["all",{"region":"Yuhua"},{"site":"plant-1"}]"#);
    }

    proptest! {
        #[test]
        fn a_scope_comes_back_from_its_text(name in "[^\\s]([^\n]{0,20}[^\\s])?") {
            for scope in [Scope::Region(name.as_str().into()), Scope::Site(name.as_str().into())] {
                prop_assert_eq!(scope.to_string().parse::<Scope>(), Ok(scope));
            }
        }
    }
}
