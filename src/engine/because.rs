//! Why it was decided so of what is judged by: every reason there is, in plain words. They are kept as text. Pure.

use std::fmt;

use crate::learning::adopt::NeedsPerson;
use crate::learning::confirm::Denied;
use crate::model::basis::Basis;

/// A reason; its text is kept with the decision.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Because<'a> {
    /// What is in force is no share of rated power.
    InForce(Basis),
    /// What is in force goes before what a person would confirm.
    GoesBefore(Basis),
    /// The numbers alone want a person.
    Outweighed(NeedsPerson),
    /// A level was seen between off and running.
    HasIdleLevel,
    /// Other thresholds of the point were refused.
    RefusedNumbers,
    /// Another baseline of the point was refused.
    RefusedAnother,
    /// A baseline is there already.
    BaselineInForce(Basis),
    /// Learned thresholds where there was only a share of rated power.
    FirstThresholds,
    /// A learned baseline where there was none.
    FirstBaseline,
    /// There is nothing to confirm.
    NothingProposed,
    /// There is nothing to refuse.
    NothingLearned,
    /// By whom.
    ConfirmedBy(&'a str),
    /// By whom.
    RefusedBy(&'a str),
    /// By whom.
    SupervisedBy(&'a str),
    /// A baseline may not be confirmed.
    Denied(Denied),
    /// The test is of a process that is not there.
    NoProcess,
    /// A record that says nothing.
    NobodyNamed,
    /// Tested, but the file's thresholds are in force.
    BesideFile,
    /// By a test.
    Measured,
}

impl fmt::Display for Because<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Because::InForce(basis) => return write!(f, "the thresholds in force are {}", basis.name()),
            Because::GoesBefore(basis) => {
                let hint = match basis {
                    Basis::Configured => "take them out of the site's file",
                    _ => "repeat the commissioning test",
                };
                let basis = basis.name();
                return write!(f, "the thresholds in force are {basis}, which goes before; hint: {hint}");
            }
            Because::Outweighed(why) => return why.fmt(f),
            Because::HasIdleLevel => {
                "there is a level between off and running; whether the unit works in it is for a person to say"
            }
            Because::RefusedNumbers => "a person has refused other numbers before",
            Because::RefusedAnother => "a person has refused another one before",
            Because::BaselineInForce(basis) => return write!(f, "the one in force is {}", basis.name()),
            Because::FirstThresholds => {
                "in the place of a share of rated power; good for a warning until somebody confirms it"
            }
            Because::FirstBaseline => {
                "none was known; good for a warning until it is confirmed against a commissioning test"
            }
            Because::NothingProposed => "nothing is proposed for it",
            Because::NothingLearned => "nothing is proposed for it, and nothing learned is in force",
            Because::ConfirmedBy(who) => return write!(f, "confirmed by {who}"),
            Because::RefusedBy(who) => return write!(f, "refused by {who}"),
            Because::SupervisedBy(who) => return write!(f, "supervised by {who}"),
            Because::Denied(why) => return why.fmt(f),
            Because::NoProcess => "there is no such process",
            Because::NobodyNamed => "nobody is named, or no unit was tested",
            Because::BesideFile => "kept beside what the site's file sets, which goes before",
            Because::Measured => "measured in the test",
        })
    }
}
