//! A site file, written as a person would.

use std::fmt::Write;

use super::table::{Row, Site, members};

/// The text of a site file.
pub fn site(site: &Site) -> String {
    let mut out = format!("id = {}\n", quoted(&site.id));
    let own = |column: &str| site.own.get(column).map(String::as_str);
    text(&mut out, "name", own("site_name"));
    for column in ["region", "industry", "category"] {
        text(&mut out, column, own(column));
    }
    raw(&mut out, "positive_list", own("positive_list"));
    text(&mut out, "grade", own("grade"));
    text(&mut out, "time_zone", own("time_zone"));
    for row in &site.rows {
        out.push_str("\n[[meters]]\n");
        meter(&mut out, row);
    }
    for row in &site.rows {
        out.push_str("\n[[points]]\n");
        text(&mut out, "id", row.get("point_id"));
        text(&mut out, "name", row.get("point_name"));
        text(&mut out, "kind", row.get("kind"));
        number(&mut out, "rated_kw", row.get("rated_kw"));
        text(&mut out, "meter", Some(row.meter()));
        text(&mut out, "running_above", row.get("running_above"));
        text(&mut out, "running_below", row.get("running_below"));
    }
    for process in processes(site) {
        let _ = write!(out, "\n[[processes]]\nid = {}\n", quoted(process));
        let production = members(site, process).filter(|r| r.get("kind") == Some("production"));
        let _ = writeln!(out, "production = [{}]", list(production));
        let _ = writeln!(out, "treatment = [{}]", groups(site, process).join(", "));
    }
    out
}

fn meter(out: &mut String, row: &Row) {
    text(out, "id", Some(row.meter()));
    text(out, "gateway", row.get("gateway"));
    text(out, "period", row.get("period"));
    number(out, "ct", row.get("ct"));
    number(out, "pt", row.get("pt"));
    if let Some(device) = row.get("device") {
        let _ = writeln!(out, "mqtt = {{ device = {} }}", quoted(device));
    }
    if let (Some(link), Some(unit), Some(profile)) = (row.get("link"), row.get("unit"), row.get("profile")) {
        let unit = unit.parse::<u8>().unwrap_or_default();
        let _ = writeln!(
            out,
            "modbus = {{ link = {}, unit = {unit}, profile = {} }}",
            quoted(link),
            quoted(profile)
        );
    }
}

/// Process ids in order of appearance.
fn processes(site: &Site) -> Vec<&str> {
    let mut all = Vec::new();
    for process in site.rows.iter().flat_map(|r| r.get("process").unwrap_or_default().split_whitespace()) {
        if !all.contains(&process) {
            all.push(process);
        }
    }
    all
}

/// Treatment groups in order of appearance; a unit without a group is one of its own.
fn groups(site: &Site, process: &str) -> Vec<String> {
    let treatment = || members(site, process).filter(|r| r.get("kind") == Some("treatment"));
    let mut seen = Vec::new();
    let mut all = Vec::new();
    for row in treatment() {
        let Some(group) = row.get("group") else {
            all.push(format!("{{ points = [{}] }}", list(std::iter::once(row))));
            continue;
        };
        if seen.contains(&group) {
            continue;
        }
        seen.push(group);
        let peers = || treatment().filter(|r| r.get("group") == Some(group));
        let need = peers().find_map(|r| r.get("need")).and_then(|n| n.parse::<u8>().ok());
        let need = need.map(|n| format!(", need = {n}")).unwrap_or_default();
        all.push(format!("{{ points = [{}]{need} }}", list(peers())));
    }
    all
}

fn list<'r>(rows: impl Iterator<Item = &'r Row>) -> String {
    rows.filter_map(|r| r.get("point_id")).map(quoted).collect::<Vec<_>>().join(", ")
}

fn text(out: &mut String, key: &str, value: Option<&str>) {
    raw(out, key, value.map(quoted).as_deref());
}

/// As a number is written in TOML, whatever the spreadsheet made of it (`+5`, `.5`, `1e3`).
fn number(out: &mut String, key: &str, value: Option<&str>) {
    let plain = value.and_then(|v| v.parse::<f64>().ok()).map(|n| n.to_string());
    raw(out, key, plain.as_deref());
}

fn raw(out: &mut String, key: &str, value: Option<&str>) {
    if let Some(value) = value {
        let _ = writeln!(out, "{key} = {value}");
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
