//! `submeterd check`: every mistake at once, and what the links can do.

use std::process::ExitCode;
use std::time::Duration;

use super::output::{print, print_json};
use super::words::{Words, words};
use super::{
    failure,
    setup::{self, Globals},
};
use crate::config::Loaded;
use crate::sources::modbus::timing::{self, LinkEstimate};

const GOOD: Words = words("The configuration is good", "配置检查通过");
const LATE: Words = words(
    "the wanted period cannot be kept; ask less often, split the bus, or raise the speed",
    "无法满足采集周期；请降低采集频率、拆分总线或提高波特率",
);

/// Runs the command.
///
/// # Errors
/// The configuration has mistakes; all of them are told.
pub fn run(globals: &Globals) -> anyhow::Result<ExitCode> {
    let loaded = match setup::load(globals) {
        Ok(loaded) => loaded,
        Err(error) => {
            let problems = error.downcast::<crate::config::problem::Problems>()?;
            if globals.json {
                print_json(&problems)?;
            } else {
                eprintln!("{problems}");
            }
            return Ok(failure::EXIT_CONFIG.into());
        }
    };
    let estimates = timing::estimates(&loaded.config.links, &loaded.config.registry)?;
    if globals.json {
        print_json(&serde_json::json!({ "problems": [], "warnings": loaded.warnings, "links": estimates }))?;
    } else {
        print(&good(globals, &loaded, &estimates))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn good(globals: &Globals, loaded: &Loaded, estimates: &[LinkEstimate]) -> String {
    let lang = globals.lang();
    let mut lines: Vec<String> = loaded.warnings.iter().map(|w| format!("warning: {w}")).collect();
    for link in estimates {
        lines.push(format!(
            "link {}: {} meters, {} requests, a scan takes {:.1} s, wanted every {} s, busy {:.0} % of the time",
            link.link,
            link.n_meters,
            link.n_requests,
            Duration::from_millis(link.scan_ms).as_secs_f64(),
            Duration::from_millis(link.wanted_ms.into()).as_secs_f64(),
            link.load * 100.0
        ));
        if !link.kept {
            lines.push(format!("  warning: {}", LATE.in_lang(lang)));
        }
    }
    let registry = &loaded.config.registry;
    lines.push(format!(
        "{}: {} files, {} sites, {} meters, {} brokers, {} links",
        GOOD.in_lang(lang),
        loaded.files.len(),
        registry.sites.len(),
        registry.meters.len(),
        loaded.config.brokers.len(),
        loaded.config.links.len()
    ));
    lines.join("\n")
}
