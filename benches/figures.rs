//! What a bench measures by and how it tells: processor time, memory, medians, a table.

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::Context as _;
use comfy_table::{Table, presets};

/// The kernel counts processor time in hundredths of a second for `/proc/<pid>/stat`.
const TICKS_A_SECOND: f64 = 100.0;

/// Fields of `/proc/<pid>/stat` behind the name: time in the program and time in the kernel.
const CPU_FIELDS: [usize; 2] = [11, 12];

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// Runs of which the median is told.
    pub n_runs: usize,
    /// Whether a tenth of the work will do.
    pub quick: bool,
}

impl Scale {
    /// From the command line: `--quick`.
    pub fn from_args() -> Scale {
        let quick = std::env::args().any(|a| a == "--quick");
        Scale { n_runs: if quick { 1 } else { 5 }, quick }
    }

    /// So much, or a tenth of it.
    pub fn of(self, n: usize) -> usize {
        if self.quick { n / 10 } else { n }
    }
}

/// Time and processor time (of this process, all its threads) since some moment.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch {
    begun: Instant,
    cpu_s: f64,
}

impl Stopwatch {
    /// Starts it.
    pub fn start() -> anyhow::Result<Stopwatch> {
        Ok(Stopwatch { cpu_s: cpu_s()?, begun: Instant::now() })
    }

    /// Seconds since then: by the clock, and of processor time.
    pub fn read(&self) -> anyhow::Result<(f64, f64)> {
        let wall_s = self.begun.elapsed().as_secs_f64();
        Ok((wall_s, cpu_s()? - self.cpu_s))
    }
}

fn cpu_s() -> anyhow::Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat").context("read /proc/self/stat")?;
    // The name may hold anything, so fields are counted from its end.
    let (_, fields) = stat.rsplit_once(") ").context("/proc/self/stat has no name")?;
    let fields: Vec<&str> = fields.split(' ').collect();
    let ticks: Result<Vec<f64>, _> = CPU_FIELDS.iter().map(|i| fields[*i].parse::<f64>()).collect();
    Ok(ticks?.iter().sum::<f64>() / TICKS_A_SECOND)
}

/// The middle one.
pub fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A new folder on the disk the program is built on, so that syncing means what it says.
pub fn folder() -> anyhow::Result<tempfile::TempDir> {
    let parent = Path::new(env!("CARGO_TARGET_TMPDIR"));
    fs::create_dir_all(parent).with_context(|| format!("make {}", parent.display()))?;
    tempfile::tempdir_in(parent).context("make a folder")
}

/// Prints a table that can stand in a README.
pub fn print(title: &str, head: &[&str], rows: &[Vec<String>]) {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(head.iter().copied());
    for row in rows {
        table.add_row(row);
    }
    println!("\n{title}\n\n{table}");
}

/// A figure in three digits or so.
pub fn short(x: f64) -> String {
    let digits = match x.abs() {
        ..0.095 => 3,
        ..9.95 => 2,
        ..99.5 => 1,
        _ => 0,
    };
    let text = format!("{x:.digits$}");
    let (whole, fraction) = text.split_once('.').map_or((&*text, ""), |(w, _)| (w, &text[w.len()..]));
    let mut grouped = String::new();
    for (i, c) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) && c.is_ascii_digit() && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(c);
    }
    grouped + fraction
}
