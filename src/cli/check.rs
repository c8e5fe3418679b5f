//! `submeterd check`: every mistake at once, and what the links can do.

use std::process::ExitCode;
use std::time::Duration;

use super::output::{print, print_json};
use super::{
    failure,
    setup::{self, Globals},
};
use crate::config::Loaded;
use crate::sources::modbus::timing::{self, LinkEstimate};
use crate::wording::words::{Lang, Words, words};

const WARNING: Words = words("warning", "警告");
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
    let warning = WARNING.in_lang(lang);
    let mut lines: Vec<String> = loaded.warnings.iter().map(|w| format!("{warning}: {w}")).collect();
    for link in estimates {
        lines.push(busy(link, lang));
        if !link.kept {
            lines.push(format!("  {warning}: {}", LATE.in_lang(lang)));
        }
    }
    let registry = &loaded.config.registry;
    let (n_files, n_sites, n_meters) = (loaded.files.len(), registry.sites.len(), registry.meters.len());
    let (n_brokers, n_links) = (loaded.config.brokers.len(), loaded.config.links.len());
    let n_receivers = loaded.config.receivers.len();
    lines.push(match lang {
        Lang::En => format!(
            "The configuration is good: {n_files} files, {n_sites} sites, {n_meters} meters, {n_brokers} brokers, {n_links} links, {n_receivers} receivers of notices"
        ),
        Lang::Zh => format!(
            "配置检查通过：文件 {n_files} 个，企业 {n_sites} 家，电表 {n_meters} 块，MQTT 代理 {n_brokers} 个，Modbus 链路 {n_links} 条，通知对象 {n_receivers} 个"
        ),
    });
    lines.join("\n")
}

/// How busy a link is.
fn busy(link: &LinkEstimate, lang: Lang) -> String {
    let LinkEstimate { link: name, n_meters, n_requests, .. } = link;
    let (scan_s, wanted_s) = (
        Duration::from_millis(link.scan_ms).as_secs_f64(),
        Duration::from_millis(link.wanted_ms.into()).as_secs_f64(),
    );
    let busy = link.load * 100.0;
    match lang {
        Lang::En => format!(
            "link {name}: {n_meters} meters, {n_requests} requests, a scan takes {scan_s:.1} s, wanted every {wanted_s} s, busy {busy:.0} % of the time"
        ),
        Lang::Zh => format!(
            "链路 {name}：电表 {n_meters} 块，请求 {n_requests} 次，一轮 {scan_s:.1} s，要求周期 {wanted_s} s，占用 {busy:.0} %"
        ),
    }
}
