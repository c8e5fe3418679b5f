//! `submeterd demo`: three simulated plants on real sockets, the real daemon, and a live view of what it finds.
//!
//! *In*: nothing but the clock. *Out*: a view on the terminal, or plain lines where there is none. What runs: an MQTT
//! broker and Modbus slaves on free loopback ports, the plants' meters, and the daemon on a configuration written to
//! a temporary folder, by the same path as in production. All of it ends with the command; nothing is left behind
//! unless it is asked for.

pub mod broker;
pub mod door;
pub mod files;
pub mod log;
pub mod meters;
pub mod plant;
pub mod scene;
pub mod screen;
pub mod service;
pub mod stage;
pub mod story;
pub mod text;
pub mod view;
pub mod wrap;

#[cfg(test)]
mod judged;

use std::fs::File;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;

use crate::wording::words::Lang;
use screen::{Screen, say};

/// See three plants, their meters, and what the daemon makes of them, on a bare machine.
///
/// Starts an MQTT broker, Modbus TCP slaves, three simulated plants and the real daemon, all in this process and on
/// loopback ports, and shows what the daemon finds. One second stands for one minute. In the first minute one plant
/// switches its scrubber off while it produces, and on again: alert `treatment_off` opens and clears. Another one's
/// treatment meter goes silent while production runs; the third does everything right. Then the story goes on with
/// variations until Ctrl-C.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// End by itself after so many seconds.
    #[arg(long = "for", value_name = "SECONDS", conflicts_with = "once")]
    pub seconds: Option<u64>,
    /// Tell the story once (one minute) and fail if `treatment_off` was not opened and cleared: for CI.
    #[arg(long)]
    pub once: bool,
    /// Keep the configuration, the data and the log of the demo, and say where they are.
    #[arg(long)]
    pub keep: bool,
    /// The same number gives the same plants.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,
}

/// Runs the demo until Ctrl-C or its time is over.
///
/// # Errors
/// Something of it cannot be started or ended unasked; with `--once`, also when the story's alert did not come.
pub async fn run(args: Args, lang: Lang) -> anyhow::Result<()> {
    let folder = tempfile::Builder::new()
        .prefix("submeterd-demo-")
        .tempdir()
        .context("make a temporary folder for the demo")?;
    log_to(&folder.path().join("submeterd.log"))?;
    let length = if args.once { Some(u64::from(plant::ROUND_S)) } else { args.seconds };
    let play = stage::Play { seed: args.seed, lang, length: length.map(Duration::from_secs) };

    let mut screen = Screen::new(lang);
    let outcome = stage::perform(&play, folder.path(), &mut screen).await;
    screen.end().context("write to the terminal")?;

    let kept = if args.keep {
        Some(folder.keep())
    } else {
        folder.close().map(|()| None).context("remove the demo's folder")?
    };
    let findings = outcome.with_context(|| match &kept {
        Some(folder) => format!("the demo failed; its log is {}", folder.join("submeterd.log").display()),
        None => "the demo failed; with --keep its log can be read".to_owned(),
    })?;
    say(&closing(kept.as_deref(), lang)).context("write to the terminal")?;
    anyhow::ensure!(
        !args.once || service::told_its_story(&findings),
        "the story was told, but no alert treatment_off was opened and cleared"
    );
    Ok(())
}

/// The last lines: what is left, and what to try next.
fn closing(kept: Option<&Path>, lang: Lang) -> Vec<String> {
    let folder = kept.map_or_else(String::new, |folder| folder.display().to_string());
    let (left, steps) = match kept {
        Some(_) => (format!("{} {folder}", text::KEPT.in_lang(lang)), text::TRY_KEPT),
        None => (text::NOTHING_KEPT.in_lang(lang).to_owned(), text::TRY_NEXT),
    };
    let mut lines = vec![String::new(), left, text::NEXT.in_lang(lang).to_owned()];
    for (why, command) in steps {
        lines.push(format!("  {}", why.in_lang(lang)));
        lines.push(format!("      {}", command.replace("FOLDER", &folder)));
    }
    lines.push(text::THE_REST.in_lang(lang).to_owned());
    lines
}

/// The terminal belongs to the view: the daemon's log goes to a file. Where a log is set up already, it stays.
fn log_to(path: &Path) -> anyhow::Result<()> {
    let file = File::create(path).with_context(|| format!("create {}", path.display()))?;
    let filter = EnvFilter::new("info,rumqttd=off");
    // An error here says that another log is in place.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(Mutex::new(file))
        .try_init();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_lines_name_the_kept_file_or_none() {
        let kept = closing(Some(Path::new("/tmp/demo")), Lang::En).join("\n");
        assert!(kept.contains("submeterd check --config /tmp/demo/submeterd.toml"), "{kept}");
        let gone = closing(None, Lang::Zh).join("\n");
        assert!(gone.contains("未留下任何文件") && gone.contains("submeterd replay --config"), "{gone}");
    }
}
