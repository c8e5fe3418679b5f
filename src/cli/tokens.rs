//! `submeterd tokens`: how other programs come in to the API, over the daemon's socket.

use clap::Subcommand;
use comfy_table::Cell;
use jiff::tz::TimeZone;

use super::access::Access;
use super::output::{print, print_json};
use super::setup::{self, Globals};
use super::table::{right, with_head};
use super::who;
use crate::accounts::role::{Role, Scope};
use crate::api::told::Told;
use crate::api::v1::people::{AddToken, NewTokenItem, TokenItem};
use crate::model::time::{Clock, UtcMs};
use crate::wording::words::{Lang, Words, words};
use crate::wording::{people, when};

const AFTER_HELP: &str = "\
Examples:
  submeterd tokens add grafana --role viewer --scope all --expires 365d
  submeterd tokens add \"ledger of Yuhua\" --role auditor --scope region:Yuhua --expires 2027-12-31
  curl -H \"Authorization: Bearer smd_...\" http://127.0.0.1:8080/api/v1/alerts
  submeterd tokens revoke 3
The secret is shown once, when the token is made: keep it where only its program reads it.";

/// List, make and revoke tokens, by which programs come in to /api/v1.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List tokens, without their secrets.
    List,
    /// Make a token; its secret is shown this once.
    Add {
        /// What it is for: 1 to 64 characters.
        name: String,
        /// Role: viewer, operator, auditor or admin.
        #[arg(long)]
        role: Role,
        /// What it sees: all, region:NAME or site:ID.
        #[arg(long)]
        scope: Scope,
        /// From when on it is none: `90d` from now, `2027-12-31`; without it, it is one until it is revoked.
        #[arg(long, value_name = "WHEN")]
        expires: Option<String>,
        /// Who does it; by default the user's name.
        #[arg(long)]
        who: Option<String>,
    },
    /// Revoke a token: whoever brings it is nobody from now on.
    Revoke {
        /// Its number, as `list` shows it.
        id: i64,
        /// Who does it; by default the user's name.
        #[arg(long)]
        who: Option<String>,
    },
}

/// Runs the command.
///
/// # Errors
/// The configuration or the request has mistakes, the daemon refuses, or none runs.
pub async fn run(globals: &Globals, args: Args) -> anyhow::Result<()> {
    let access = Access::open(&setup::daemon(globals)?).await?;
    let daemon = access.daemon("tokens can be listed, made and revoked")?;
    let lang = globals.lang();
    match args.what {
        What::List => {
            let tokens: Vec<TokenItem> = daemon.get("/local/tokens").await?;
            if globals.json { print_json(&tokens) } else { print(&listing(&tokens, lang)) }
        }
        What::Add { name, role, scope, expires, who } => {
            let ahead = |text: &str| when::parse_ahead(text, Clock::System.now(), &TimeZone::system());
            let expires_ms = expires.as_deref().map(ahead).transpose()?.map(|at| at.0);
            let what = AddToken { name, role, scope: scope.to_string(), expires_ms };
            let told = Told { who: who::name(who)?, what };
            let made: NewTokenItem = daemon.post("/local/tokens", &told).await?;
            if globals.json {
                return print_json(&made);
            }
            let listed = listing(&[made.token], lang);
            print(&format!("{listed}\n\n{}\n{}", ONCE.in_lang(lang), made.secret))
        }
        What::Revoke { id, who } => {
            let told = Told { who: who::name(who)?, what: () };
            daemon.post::<()>(&format!("/local/tokens/{id}/revoke"), &told).await?;
            if globals.json {
                return print_json(&serde_json::json!({ "revoked": id }));
            }
            print(&format!("{} {id}", REVOKED.in_lang(lang)))
        }
    }
}

const ONCE: Words = words(
    "The secret is shown this once. Keep it where only its program reads it:",
    "令牌仅显示这一次，请妥善保存：",
);
const REVOKED: Words = words("revoked: token", "已吊销令牌");
const NONE: Words = words("No tokens.", "没有令牌。");
const NEVER: Words = words("never", "从未");
const HEAD: [Words; 8] = [
    words("number", "编号"),
    words("for", "用途"),
    words("role", "角色"),
    words("sees", "范围"),
    words("made", "创建时间"),
    words("by", "创建人"),
    words("expires", "失效时间"),
    words("last used", "最近使用"),
];

fn listing(tokens: &[TokenItem], lang: Lang) -> String {
    if tokens.is_empty() {
        return NONE.in_lang(lang).to_owned();
    }
    let zone = TimeZone::system();
    let never = || NEVER.in_lang(lang).to_owned();
    let moment = |ms: Option<i64>| ms.map_or_else(never, |ms| UtcMs(ms).local(&zone));
    let mut table = with_head(&HEAD.map(|w| w.in_lang(lang)));
    for token in tokens {
        table.add_row([
            right(token.id),
            Cell::new(&token.name),
            Cell::new(people::role(token.role).in_lang(lang)),
            Cell::new(&token.scope),
            Cell::new(moment(Some(token.created_ms))),
            Cell::new(&token.by),
            Cell::new(moment(token.expires_ms)),
            Cell::new(moment(token.last_used_ms)),
        ]);
    }
    table.to_string()
}
