//! What is done about an alert from the command line: acknowledge, comment, assign, declare, confirm, refuse.

use clap::Subcommand;

use super::access::Access;
use super::failure::hinted;
use super::who;
use crate::alerts::alert::Alert;
use crate::api::deeds::Doing;
use crate::api::told::Told;
use crate::model::deed::{Act, Cause, Deed};
use crate::model::reading::Offset;

/// What to do about an alert.
#[derive(Debug, Subcommand)]
pub enum What {
    /// Note that an alert was seen, by whom and why. It stays open until readings show that it has ended.
    #[command(visible_alias = "acknowledge")]
    Ack(Noted),
    /// Write something down about an alert.
    #[command(after_help = "Example:\n  submeterd alerts comment 3f2a --note \"plant called, belt torn\"")]
    Comment(Noted),
    /// Say who is to see to an alert; without --to nobody in particular.
    #[command(
        after_help = "Examples:\n  submeterd alerts assign 3f2a --to wang\n  submeterd alerts assign 3f2a"
    )]
    Assign {
        /// Which alert, and who says what.
        #[command(flatten)]
        on: On,
        /// Who is to see to it.
        #[arg(long)]
        to: Option<String>,
    },
    /// Declare why it happened. It explains, and changes nothing of what was judged; somebody confirms or refuses it.
    #[command(
        after_help = "Example:\n  submeterd alerts declare 3f2a --cause treatment_fault --note \"fan belt torn\""
    )]
    Declare {
        /// Which alert, and who says what.
        #[command(flatten)]
        on: On,
        /// The cause: maintenance, power_cut, meter_fault, link_fault, treatment_fault, no_production or other.
        #[arg(long, value_parser = cause)]
        cause: Cause,
    },
    /// Take a declared cause as true.
    #[command(after_help = "Examples:\n  submeterd alerts confirm 3f2a --note \"photo seen\"\n  \
                            submeterd alerts confirm 3f2a --declaration 4711")]
    Confirm(Judged),
    /// Refuse a declared cause.
    #[command(after_help = "Example:\n  submeterd alerts refuse 3f2a --note \"the grid was up all day\"")]
    Refuse(Judged),
}

/// Which alert, and who says what.
#[derive(Debug, clap::Args)]
pub struct On {
    /// Its id, or the begin of it.
    id: String,
    /// What is written down.
    #[arg(long, short, default_value = "")]
    note: String,
    /// Who says so; by default the user's name.
    #[arg(long)]
    who: Option<String>,
}

/// Which alert, and a note that has to be.
#[derive(Debug, clap::Args)]
pub struct Noted {
    /// Its id, or the begin of it.
    id: String,
    /// What is written down: why, or what was done about it.
    #[arg(long, short)]
    note: String,
    /// Who says so; by default the user's name.
    #[arg(long)]
    who: Option<String>,
}

/// Which declaration of which alert.
#[derive(Debug, clap::Args)]
pub struct Judged {
    #[command(flatten)]
    on: On,
    /// Its number, as `alerts show` gives it; needed where more than one waits.
    #[arg(long, value_name = "NUMBER")]
    declaration: Option<Offset>,
}

fn cause(text: &str) -> Result<Cause, String> {
    let known = || Cause::ALL.map(Cause::name).join(", ");
    Cause::ALL.into_iter().find(|own| own.name() == text).ok_or_else(|| format!("causes are {}", known()))
}

/// Does it; the alert as it is then.
///
/// # Errors
/// There is no such alert, the daemon refuses, or there is none.
pub async fn perform(access: &Access, what: What) -> anyhow::Result<Alert> {
    let (On { id, note, who }, act) = match what {
        What::Ack(Noted { id, note, who }) => (On { id, note, who }, None),
        What::Comment(Noted { id, note, who }) => (On { id, note, who }, Some(Act::Comment)),
        What::Assign { on, to } => (on, Some(Act::Assign { to: to.map(Into::into) })),
        What::Declare { on, cause } => (on, Some(Act::Declare { cause })),
        What::Confirm(own) => {
            let declaration = declaration(access, &own).await?;
            (own.on, Some(Act::Confirm { declaration }))
        }
        What::Refuse(own) => {
            let declaration = declaration(access, &own).await?;
            (own.on, Some(Act::Refuse { declaration }))
        }
    };
    let told = Told { who: who::name(who)?, what: Doing { act, note } };
    access.act(&id, &told).await
}

/// The declaration that is meant: the one that is named, or the only one that nobody has judged yet.
async fn declaration(access: &Access, own: &Judged) -> anyhow::Result<Offset> {
    match own.declaration {
        Some(offset) => Ok(offset),
        None => the_only(&access.alert(&own.on.id).await?),
    }
}

fn the_only(alert: &Alert) -> anyhow::Result<Offset> {
    let waits =
        |deed: &&Deed| matches!(deed.act, Act::Declare { .. }) && alert.is_confirmed(deed.offset).is_none();
    let waiting: Vec<Offset> = alert.deeds.iter().filter(waits).map(|deed| deed.offset).collect();
    match waiting[..] {
        [one] => Ok(one),
        [] => Err(hinted(
            anyhow::anyhow!("no declaration of alert {} waits to be judged", alert.id),
            "`submeterd alerts show ID` shows them all; one that was judged is named with --declaration",
        )),
        _ => {
            let all: Vec<String> = waiting.iter().map(ToString::to_string).collect();
            let error = anyhow::anyhow!("{} declarations of alert {} wait", waiting.len(), alert.id);
            Err(hinted(error, format!("name one with --declaration: {}", all.join(", "))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::alert::Status;
    use crate::model::rule::Rule;
    use crate::model::time::UtcMs;
    use crate::wording::sentence::tests::alert;

    #[test]
    fn the_only_declaration_that_waits_is_meant_and_among_several_one_is_named() {
        let mut own = alert(Rule::TreatmentOff, Status::Open);
        let deed = |offset, act| Deed { at: UtcMs(0), offset, who: "li".into(), note: "".into(), act };
        let declare = |offset| deed(offset, Act::Declare { cause: Cause::PowerCut });
        assert!(the_only(&own).unwrap_err().to_string().contains("hint:"));
        own.deeds = vec![declare(7), declare(8)];
        assert!(the_only(&own).unwrap_err().to_string().contains("7, 8"));
        own.deeds.push(deed(9, Act::Refuse { declaration: 7 }));
        assert_eq!(the_only(&own).unwrap(), 8);
        own.deeds.push(deed(10, Act::Confirm { declaration: 8 }));
        assert!(the_only(&own).is_err());
    }

    #[test]
    fn a_cause_that_is_none_is_answered_with_all() {
        assert_eq!(cause("power_cut"), Ok(Cause::PowerCut));
        assert!(cause("rain").unwrap_err().contains("no_production"));
    }
}
