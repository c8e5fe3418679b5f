//! `submeterd rejects`: what could not be taken, and why.

use comfy_table::Cell;
use jiff::tz::TimeZone;

use super::access::Access;
use super::output::{print, print_json};
use super::setup::{self, Globals};
use super::table::{right, with_head};
use crate::api::server::RejectsQuery;
use crate::wording::said::said;
use crate::wording::words::{self, Lang, Words, words};

/// Which rejects.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only of this reason, as the list names it: unknown_meter, not_json, future, …
    #[arg(long)]
    code: Option<String>,
    /// At most so many, newest first.
    #[arg(long, default_value_t = 50)]
    limit: u32,
    /// Instead: the lines this sink's far side refused, such as `influx`.
    #[arg(long, conflicts_with = "code")]
    sink: Option<String>,
}

const NONE: Words = words("Nothing was rejected.", "没有被拒绝的报文。");
const HEAD: [Words; 6] = [
    words("#", "序号"),
    words("received", "接收时间"),
    words("from", "来源"),
    words("code", "代码"),
    words("why", "原因"),
    words("begins", "内容开头"),
];
const BAD_HEAD: [Words; 4] = [
    words("set aside", "搁置时间"),
    words("status", "状态码"),
    words("why", "原因"),
    words("line", "行协议内容"),
];

/// So much of a payload is shown in the table; `--json` has more, the journal all of it.
const N_SHOWN_CHARS: usize = 60;

/// The code, as `--code` takes it, and in Chinese what it says.
fn code(code: &str, lang: Lang) -> String {
    match words::key(code, lang) {
        word if word == code => code.to_owned(),
        word => format!("{code} {word}"),
    }
}

/// Runs the command.
///
/// # Errors
/// The configuration has mistakes, or nobody answers.
pub async fn run(globals: &Globals, args: &Args) -> anyhow::Result<()> {
    let access = Access::open(&setup::daemon(globals)?).await?;
    let query = RejectsQuery { code: args.code.clone(), limit: Some(args.limit) };
    let (lang, zone) = (globals.lang(), TimeZone::system());
    if let Some(sink) = &args.sink {
        let lines = access.bad_lines(sink, &query).await?;
        if globals.json {
            return print_json(&lines);
        }
        let mut table = with_head(&BAD_HEAD.map(|w| w.in_lang(lang)));
        for bad in &lines {
            table.add_row([
                Cell::new(bad.set_aside.local(&zone)),
                right(bad.status),
                Cell::new(&bad.why),
                Cell::new(&bad.line),
            ]);
        }
        return print(&if lines.is_empty() { NONE.in_lang(lang).to_owned() } else { table.to_string() });
    }
    let rejects = access.rejects(&query).await?;
    if globals.json {
        return print_json(&rejects);
    }
    if rejects.is_empty() {
        return print(NONE.in_lang(lang));
    }
    let mut table = with_head(&HEAD.map(|w| w.in_lang(lang)));
    for reject in &rejects {
        let shown: String = reject.payload.chars().filter(|c| !c.is_control()).take(N_SHOWN_CHARS).collect();
        table.add_row([
            right(reject.offset),
            Cell::new(reject.received.local(&zone)),
            Cell::new(format!("{} {}", reject.source, reject.topic)),
            Cell::new(code(&reject.code, lang)),
            Cell::new(said(&reject.reason, lang)),
            Cell::new(shown),
        ]);
    }
    print(&table.to_string())
}
