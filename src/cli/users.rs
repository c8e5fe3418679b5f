//! `submeterd users`: who may log in to the page, over the daemon's socket.

use clap::Subcommand;
use comfy_table::Cell;
use jiff::tz::TimeZone;

use super::access::{Access, in_path};
use super::output::{print, print_json};
use super::password;
use super::setup::{self, Globals};
use super::table::with_head;
use super::who;
use crate::accounts::role::{Role, Scope};
use crate::api::people::ChangeSome;
use crate::api::told::Told;
use crate::api::v1::people::{AddUser, NewPassword, UserItem};
use crate::model::time::UtcMs;
use crate::wording::people;
use crate::wording::words::{Lang, Words, words};

const AFTER_HELP: &str = "\
Roles: viewer looks; operator handles alerts; auditor looks into who did what; admin does everything.
Scopes: all, region:NAME, site:ID. Who has a site sees it alone, and may only declare causes.

Examples:
  submeterd users add chen --role admin --scope all           asks for the password
  submeterd users add li --role operator --scope region:Yuhua --password-file li.password
  submeterd users change li --role auditor --scope all
  submeterd users change li --disable                         their sessions end at once
  submeterd users password chen                               a lost password; their sessions end
Root and the group submeterd may do this, and no password of the page is asked for.";

/// List, add and change who may log in to the page, and set their passwords.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List users.
    List,
    /// Add a user, who may log in at once. Users are never removed, only disabled: records name them.
    Add {
        /// Name: 1 to 64 characters; upper and lower case do not make another one.
        name: String,
        /// Role: viewer, operator, auditor or admin.
        #[arg(long)]
        role: Role,
        /// What they see: all, region:NAME or site:ID.
        #[arg(long)]
        scope: Scope,
        #[command(flatten)]
        password: password::From,
        /// Who does it; by default the user's name.
        #[arg(long)]
        who: Option<String>,
    },
    /// Change what a user may do; what is not said stays. It holds from their next request on.
    Change {
        /// Name.
        name: String,
        #[command(flatten)]
        to: To,
        /// Who does it; by default the user's name.
        #[arg(long)]
        who: Option<String>,
    },
    /// Give a user another password; their sessions end.
    Password {
        /// Name.
        name: String,
        #[command(flatten)]
        password: password::From,
        /// Who does it; by default the user's name.
        #[arg(long)]
        who: Option<String>,
    },
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = true)]
struct To {
    /// Role: viewer, operator, auditor or admin.
    #[arg(long)]
    role: Option<Role>,
    /// What they see: all, region:NAME or site:ID.
    #[arg(long)]
    scope: Option<Scope>,
    /// They may no longer log in, and their sessions end.
    #[arg(long, conflicts_with = "enable")]
    disable: bool,
    /// They may log in again.
    #[arg(long)]
    enable: bool,
}

impl To {
    fn change(self) -> ChangeSome {
        ChangeSome {
            role: self.role,
            scope: self.scope.map(|scope| scope.to_string()),
            is_enabled: (self.enable || self.disable).then_some(self.enable),
        }
    }
}

/// Runs the command.
///
/// # Errors
/// The configuration or the request has mistakes, the daemon refuses, or none runs.
pub async fn run(globals: &Globals, args: Args) -> anyhow::Result<()> {
    let access = Access::open(&setup::daemon(globals)?).await?;
    let daemon = access.daemon("users can be listed and changed")?;
    let user: UserItem = match args.what {
        What::List => {
            let users: Vec<UserItem> = daemon.get("/local/users").await?;
            return if globals.json { print_json(&users) } else { print(&listing(&users, globals.lang())) };
        }
        What::Add { name, role, scope, password, who } => {
            // Who finds no accounts need not think of a password.
            daemon.get::<Vec<UserItem>>("/local/users").await?;
            let password = password.read(&name)?.expose().to_owned();
            let what = AddUser { name, password, role, scope: scope.to_string() };
            daemon.post("/local/users", &Told { who: who::name(who)?, what }).await?
        }
        What::Change { name, to, who } => {
            let told = Told { who: who::name(who)?, what: to.change() };
            daemon.post(&format!("/local/users/{}/change", in_path(&name)), &told).await?
        }
        What::Password { name, password, who } => {
            daemon.get::<Vec<UserItem>>("/local/users").await?;
            let password = password.read(&name)?.expose().to_owned();
            let told = Told { who: who::name(who)?, what: NewPassword { password } };
            daemon.post(&format!("/local/users/{}/password", in_path(&name)), &told).await?
        }
    };
    if globals.json { print_json(&user) } else { print(&listing(&[user], globals.lang())) }
}

const NONE: Words = words("No users.", "没有用户。");
const HEAD: [Words; 5] = [
    words("name", "用户名"),
    words("role", "角色"),
    words("sees", "范围"),
    words("may log in", "可登录"),
    words("since", "创建时间"),
];
const YES: Words = words("yes", "是");
const DISABLED: Words = words("no, disabled", "否，已停用");

fn listing(users: &[UserItem], lang: Lang) -> String {
    if users.is_empty() {
        return NONE.in_lang(lang).to_owned();
    }
    let zone = TimeZone::system();
    let mut table = with_head(&HEAD.map(|w| w.in_lang(lang)));
    for user in users {
        table.add_row([
            Cell::new(&user.name),
            Cell::new(people::role(user.role).in_lang(lang)),
            Cell::new(&user.scope),
            Cell::new(if user.is_enabled { YES } else { DISABLED }.in_lang(lang)),
            Cell::new(UtcMs(user.created_ms).local(&zone)),
        ]);
    }
    table.to_string()
}
