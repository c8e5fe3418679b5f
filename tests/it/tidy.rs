//! The house keeps its order: who imports whom, how long a file is, what stands at the top.

use std::fs;
use std::path::{Path, PathBuf};

/// A stage may import stages of a lower floor only. `main` and `cli` stand on top.
const FLOORS: &[&[&str]] = &[
    &["model"],
    &["journal", "history", "alerts", "config", "learning"],
    &["notices"],
    &["sources", "detection", "store", "accounts"],
    &["wording"],
    &["outbox", "engine"],
    &["api"],
    &["web"],
    &["daemon"],
    &["cli"],
    &["main"],
];

const LINES_MAX: usize = 400;

const TOP_LEVEL: &[&str] =
    &["Cargo.toml", "Cargo.lock", "src", "config", "deploy", "tests", "benches", "README.md", "LICENSE"];

/// What tools leave and git ignores.
const LEFT_BY_TOOLS: &[&str] = &["target", "proptest-regressions"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

fn all_rust_files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    for folder in ["src", "tests", "benches"].map(|f| root().join(f)).iter().filter(|f| f.is_dir()) {
        rust_files(folder, &mut files);
    }
    files
}

fn floor(stage: &str) -> Option<usize> {
    FLOORS.iter().position(|f| f.contains(&stage))
}

/// The stage a file of `src` belongs to.
fn stage_of(file: &Path) -> String {
    let inside = file.strip_prefix(root().join("src")).unwrap();
    let first = inside.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// Stages named by `crate::stage` or `submeterd::stage` anywhere in the text but comments.
fn imports(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let code = line.split("//").next().unwrap_or("");
        for start in ["crate::", "submeterd::"] {
            for part in code.split(start).skip(1) {
                let stage: String = part.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                found.push((number, stage));
            }
        }
    }
    found
}

#[test]
fn a_stage_imports_only_what_stands_below_it() {
    let mut wrong = Vec::new();
    let mut files = Vec::new();
    rust_files(&root().join("src"), &mut files);
    for file in files {
        let own = stage_of(&file);
        if own == "lib" {
            continue;
        }
        let own_floor = floor(&own).unwrap_or_else(|| panic!("{own} stands on no floor of the table"));
        for (line, other) in imports(&fs::read_to_string(&file).unwrap()) {
            let Some(other_floor) = floor(&other) else { continue };
            if other != own && other_floor >= own_floor {
                wrong.push(format!("{}:{line}: {own} imports {other}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// The first names a file takes from `super` outside its tests: `a` and `b` of `use super::{a, b::c};`.
fn taken_from_super(text: &str) -> Vec<String> {
    let (body, _) = text.split_once("#[cfg(test)]").unwrap_or((text, ""));
    let mut names = Vec::new();
    for import in body.split("\nuse super::").skip(1) {
        let import = import.split(';').next().unwrap();
        let mut depth = 0;
        let mut flat = String::new();
        for c in import.chars() {
            depth += i32::from(c == '{') - i32::from(c == '}');
            // Only what stands directly in the outermost braces names something of `super`.
            let inner = depth > i32::from(import.starts_with('{'));
            flat.push(if inner || "{}".contains(c) { ' ' } else { c });
        }
        names.extend(flat.split(',').map(|n| n.split("::").next().unwrap().trim().to_owned()));
    }
    names.retain(|n| !n.is_empty() && n != "super");
    names
}

#[test]
fn a_child_does_not_import_its_own_mod_file() {
    let mut wrong = Vec::new();
    let mut files = Vec::new();
    rust_files(&root().join("src"), &mut files);
    for file in files.iter().filter(|f| !f.ends_with("mod.rs") && !f.ends_with("tests.rs")) {
        let folder = file.parent().unwrap();
        if *folder == root().join("src") {
            continue;
        }
        for name in taken_from_super(&fs::read_to_string(file).unwrap()) {
            let is_sibling = folder.join(format!("{name}.rs")).exists() || folder.join(&name).is_dir();
            if !is_sibling {
                wrong.push(format!("{}: super::{name}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// The file of `src` that a path such as `store::write::Store` leads to, from a folder of `src`.
fn file_of(folder: &Path, path: &str) -> Option<PathBuf> {
    let (mut found, mut place) = (None, folder.to_owned());
    for part in path.split("::").map(|p| p.trim_matches(|c: char| !c.is_alphanumeric() && c != '_')) {
        let file = place.join(format!("{part}.rs"));
        place.push(part);
        found = [file, place.join("mod.rs")].into_iter().find(|f| f.exists()).or(found);
    }
    found
}

/// The files that a file imports outside its tests, by every path it names after `use`.
fn imported_files(file: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(file).unwrap();
    let (body, _) = text.split_once("#[cfg(test)]").unwrap_or((&text, ""));
    let mut found = Vec::new();
    for import in body.split("\nuse ").skip(1).filter_map(|rest| rest.split(';').next()) {
        let (folder, path) = if let Some(path) = import.strip_prefix("crate::") {
            (root().join("src"), path)
        } else if let Some(path) = import.strip_prefix("super::super::") {
            (file.parent().unwrap().parent().unwrap().to_owned(), path)
        } else if let Some(path) = import.strip_prefix("super::") {
            (file.parent().unwrap().to_owned(), path)
        } else {
            continue;
        };
        let (stem, names) = path.split_once('{').unwrap_or((path, ""));
        if names.is_empty() {
            found.extend(file_of(&folder, stem));
        }
        for name in names.split([',', '{', '}']).map(str::trim).filter(|n| !n.is_empty()) {
            found.extend(file_of(&folder, &format!("{stem}{name}")));
        }
    }
    // A folder's mod.rs only lists what is in it; whoever imports it imports its children by their own paths.
    found.retain(|f| f != file && !f.ends_with("mod.rs"));
    found
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let mut files = Vec::new();
    rust_files(&root().join("src"), &mut files);
    let mut left: Vec<(PathBuf, Vec<PathBuf>)> =
        files.into_iter().map(|f| (imported_files(&f), f)).map(|(i, f)| (f, i)).collect();
    let n_arrows: usize = left.iter().map(|(_, imports)| imports.len()).sum();
    assert!(n_arrows > 200, "the imports are not seen any more: {n_arrows}");
    // Whoever imports nothing that is left goes; in the end only circles are left, and what stands on them.
    while let Some(done) =
        left.iter().position(|(_, imports)| !imports.iter().any(|i| left.iter().any(|(f, _)| f == i)))
    {
        left.remove(done);
    }
    let names: Vec<_> =
        left.iter().map(|(f, _)| f.strip_prefix(root()).unwrap().display().to_string()).collect();
    assert!(left.is_empty(), "circles among, or below, these: {names:#?}");
}

/// Files of the pure core, by folder or name.
const PURE: &[&str] = &[
    "model/",
    "detection/",
    "alerts/",
    "learning/",
    "wording/",
    "notices/",
    "journal/frame.rs",
    "journal/chain.rs",
    "sources/reject.rs",
    "sources/mqtt/decode.rs",
    "sources/mqtt/kept.rs",
    "sources/mqtt/native.rs",
    "sources/mqtt/mapped.rs",
    "sources/mqtt/merge.rs",
    "sources/mqtt/topic.rs",
    "sources/modbus/plan.rs",
    "sources/modbus/timing.rs",
    "sources/modbus/value.rs",
    "sources/modbus/payload.rs",
    "sources/modbus/decode.rs",
    "outbox/line.rs",
    "outbox/pieces.rs",
    "outbox/lanes.rs",
    "outbox/answer.rs",
    "accounts/role.rs",
    "accounts/credentials.rs",
    "accounts/throttle.rs",
    "outbox/event.rs",
    "outbox/signature.rs",
    "outbox/text.rs",
    "engine/world.rs",
    "engine/effects.rs",
    "engine/outcome.rs",
    "engine/adopt.rs",
    "engine/book.rs",
    "engine/changes.rs",
    "engine/decide.rs",
    "engine/persons.rs",
    "config/columns.rs",
    "cli/picture/",
    "cli/replay/rows.rs",
    "cli/replay/window.rs",
];

#[test]
fn what_is_pure_does_no_io_reads_no_clock_and_spawns_nothing() {
    let mut files = Vec::new();
    rust_files(&root().join("src"), &mut files);
    let mut wrong = Vec::new();
    for file in files {
        let name = file.strip_prefix(root().join("src")).unwrap().to_string_lossy().into_owned();
        if !PURE.iter().any(|p| name.starts_with(p)) {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let (body, _) = text.split_once("#[cfg(test)]").unwrap_or((&text, ""));
        // The clock itself is a word of the model; it is only read at the edge.
        let words =
            ["std::fs", "std::net", "std::thread", "tokio", "rusqlite", "Instant", "SystemTime", "spawn"];
        for word in words.iter().filter(|w| body.lines().any(|l| l.split("//").next().unwrap().contains(**w)))
        {
            wrong.push(format!("{name}: {word}"));
        }
        // A parameter may be a time of the clock, too.
        let mut names = body.split(|c: char| !c.is_alphanumeric() && c != '_');
        if names.any(|n| n == "Clock") && !["model/time.rs", "model/param.rs"].contains(&&*name) {
            wrong.push(format!("{name}: Clock"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let missing: Vec<_> = PURE.iter().filter(|p| !root().join("src").join(p).exists()).collect();
    assert!(missing.is_empty(), "the table names what is not there: {missing:?}");
}

#[test]
fn files_stay_short_enough_to_be_read() {
    let long: Vec<_> = all_rust_files()
        .into_iter()
        .map(|f| (fs::read_to_string(&f).unwrap().lines().count(), f))
        .filter(|(n, _)| *n > LINES_MAX)
        .collect();
    assert!(long.is_empty(), "over {LINES_MAX} lines: {long:?}");
}

#[test]
fn every_file_opens_with_a_sentence() {
    let silent: Vec<_> =
        all_rust_files().into_iter().filter(|f| !fs::read_to_string(f).unwrap().starts_with("//!")).collect();
    assert!(silent.is_empty(), "no //! on top: {silent:?}");
}

#[test]
fn the_top_level_is_what_was_agreed() {
    let strangers: Vec<_> = fs::read_dir(root())
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .filter(|n| {
            !n.starts_with('.') && !LEFT_BY_TOOLS.contains(&n.as_str()) && !TOP_LEVEL.contains(&n.as_str())
        })
        .collect();
    assert!(strangers.is_empty(), "{strangers:?}");
}

#[test]
fn no_way_to_write_to_a_meter_is_in_the_program() {
    let mut writes = Vec::new();
    let mut files = Vec::new();
    rust_files(&root().join("src"), &mut files);
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for word in
            ["write_single_", "write_multiple_", "read_write_multiple", "masked_write", "Request::Write"]
        {
            if text.contains(word) {
                writes.push(format!("{}: {word}", file.display()));
            }
        }
    }
    assert!(writes.is_empty(), "meters are only ever read: {writes:?}");
}

#[test]
fn the_map_names_every_stage_and_every_invariant_a_test_that_exists() {
    let map = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    for entry in fs::read_dir(root().join("src")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let stage = name.trim_end_matches(".rs");
        if !["lib", "main"].contains(&stage) {
            assert!(map.contains(&format!("pub mod {stage};")), "{stage} is not on the map");
        }
    }
    let all: String = all_rust_files().iter().map(|f| fs::read_to_string(f).unwrap()).collect();
    let mut n_invariants = 0;
    for line in map.lines().filter_map(|l| l.strip_prefix("//! ")) {
        let Some((_, tests)) = line.split_once("Held by ") else { continue };
        for test in tests.split('`').skip(1).step_by(2) {
            n_invariants += 1;
            let name = test.rsplit("::").next().unwrap();
            assert!(all.contains(&format!("fn {name}(")), "the map names a test that is not there: {test}");
        }
    }
    assert!(n_invariants >= 11, "each of the eleven invariants names its test; found {n_invariants}");
}
