//! A CSV by a column map: judged alike in every form; what is wrong with it or its map is told.

use std::fmt::Write as _;

use super::plant::{N_MINUTES, at, configured, minutes, powers, put, refused, run_json, said};
use crate::harness::program::command;

const WIDE_MAP: &str = "[time]\ncolumn = \"Time\"\nzone = \"Asia/Shanghai\"\n\
                        [[column]]\nname = \"Press kW\"\nmeter = \"plant/press\"\nquantity = \"power_w\"\nscale = 1000\n\
                        [[column]]\nname = \"Fan W\"\nmeter = \"plant/fan\"\nquantity = \"power_w\"\n";

fn local(minute: i64) -> String {
    let zone = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap();
    at(minute).local(&zone)
}

/// The three days, a column a meter.
fn wide_rows() -> Vec<String> {
    let row = |minute| {
        let (press, fan) = powers(minute);
        format!("{},{press},{}", local(minute), fan * 1_000.0)
    };
    (0..N_MINUTES).map(row).collect()
}

#[test]
fn a_csv_is_judged_alike_in_either_form_and_in_any_order() {
    let folder = tempfile::tempdir().unwrap();
    let config = configured(folder.path(), "now", "");
    let wide = put(folder.path(), "wide.csv", &format!("Time,Press kW,Fan W\n{}\n", wide_rows().join("\n")));
    let map = put(folder.path(), "wide.toml", WIDE_MAP);
    let judged = |csv: &str, map: &str| run_json(&["--config", &config, "--csv", csv, "--columns", map]);
    let expected = judged(&wide, &map);
    assert_eq!(minutes(&expected), [(600, 25), (1_440 + 600, 12), (2 * 1_440 + 600, 40)]);

    // A spreadsheet's own: byte-order mark, semicolons, newest first.
    let mut rows = wide_rows();
    rows.reverse();
    let text = format!("\u{feff}Time;Press kW;Fan W\r\n{}\r\n", rows.join("\r\n").replace(',', ";"));
    assert_eq!(judged(&put(folder.path(), "reversed.csv", &text), &map), expected);

    // A row a value, one meter after the other.
    let mut text = "device,t,what,value\n".to_owned();
    for meter in ["Fan 1", "press"] {
        for minute in 0..N_MINUTES {
            let (press, fan) = powers(minute);
            let kw = if meter == "press" { press } else { fan };
            writeln!(text, "{meter},{},P,{kw}", at(minute).0 / 1_000).unwrap();
        }
    }
    let map = "[time]\ncolumn = \"t\"\nform = \"unix_s\"\n\
               [meter]\ncolumn = \"device\"\nsite = \"plant\"\nnames = { \"Fan 1\" = \"plant/fan\" }\n\
               [value]\ncolumn = \"value\"\nquantity_column = \"what\"\n\
               quantities = { P = { quantity = \"power_w\", unit = \"kW\" } }\n";
    let long = judged(&put(folder.path(), "long.csv", &text), &put(folder.path(), "long.toml", map));
    assert_eq!(minutes(&long), minutes(&expected));
    let part = ["--from", "2026-11-02", "--to", "2026-11-03"];
    let args =
        ["--config", &config, "--csv", &wide, "--columns", folder.path().join("wide.toml").to_str().unwrap()]
            .map(str::to_owned);
    let args: Vec<&str> = args.iter().map(String::as_str).chain(part).collect();
    assert_eq!(minutes(&run_json(&args)), [(1_440 + 600, 12)]);
}

#[test]
fn rows_that_cannot_be_read_are_told_and_counted_and_the_rest_is_judged() {
    let folder = tempfile::tempdir().unwrap();
    let config = configured(folder.path(), "now", "");
    let mut rows = wide_rows();
    // Twenty-five of them in a quiet night, of which the fan stays readable in one.
    for (i, row) in rows.iter_mut().take(24).enumerate() {
        *row = format!("never {i},1,2");
    }
    rows[30] = format!("{},,100", local(30));
    rows[31] = format!("{},off,100", local(31));
    let csv = put(folder.path(), "bad.csv", &format!("Time,Press kW,Fan W\n{}\n", rows.join("\n")));
    let map = put(folder.path(), "map.toml", WIDE_MAP);
    let args = ["replay", "--json", "--config", &config, "--csv", &csv, "--columns", &map];
    let output = command(&args).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let told = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(told.matches("bad.csv:").count(), 20, "{told}");
    assert!(told.contains("bad.csv:2: the time \"never 0\" cannot be read"), "{told}");
    assert!(told.contains("25 rows of") && told.contains("20 of them are shown"), "{told}");
    assert_eq!(minutes(&serde_json::from_slice(&output.stdout).unwrap()).len(), 3);
    let nothing = put(folder.path(), "nothing.csv", "Time,Press kW,Fan W\nnever,1,2\n");
    let (code, told) = refused(&["--config", &config, "--csv", &nothing, "--columns", &map]);
    assert_eq!(code, Some(1));
    assert!(told.contains("no value of") && told.contains("nothing.csv:2:"), "{told}");
}

#[test]
fn a_bad_map_is_refused_with_file_key_and_hint() {
    let folder = tempfile::tempdir().unwrap();
    let config = configured(folder.path(), "now", "");
    let csv = put(folder.path(), "x.csv", "Time,Press kW,Fan W\n2026-11-01 00:00,1,2\n");
    let with = |map: &str| {
        let map = put(folder.path(), "map.toml", map);
        refused(&["--config", &config, "--csv", &csv, "--columns", &map])
    };
    let (code, told) = with(&WIDE_MAP.replace("plant/fan", "plant/fna").replace("scale", "scal"));
    assert_eq!(code, Some(78), "{told}");
    assert!(told.contains("2 problems found"), "{told}");
    assert!(
        told.contains("map.toml:8:1: column[0].scal: unknown key\n  hint: did you mean \"scale\"?"),
        "{told}"
    );
    assert!(told.contains("column[1].meter: no meter \"plant/fna\" is configured"), "{told}");
    let (code, told) = with(&WIDE_MAP.replace("Fan W", "Fan kW"));
    assert_eq!(code, Some(78), "{told}");
    assert!(told.contains("column[1].name: no column \"Fan kW\" is in"), "{told}");
    assert!(told.contains("hint: did you mean \"Fan W\"?"), "{told}");
    assert_eq!(refused(&["--config", &config, "--csv", &csv]).0, Some(2), "a CSV needs a map");
}
