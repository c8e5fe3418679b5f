//! Everything the demo says, in English and in Chinese: one small table.

use crate::wording::words::{Words, words};

/// Head of the view, before the elapsed time.
pub const TITLE: Words = words("submeterd demo", "submeterd 演示");
/// Head of the view, after the elapsed time.
pub const SUBTITLE: Words = words(
    "3 plants over MQTT and Modbus TCP; 1 s stands for 1 min",
    "3 家企业，经 MQTT 和 Modbus TCP；1 秒代表 1 分钟",
);
/// Column of names.
pub const PROCESS: Words = words("process", "工艺");
/// Column of production.
pub const PRODUCTION: Words = words("production, kW", "生产设施 kW");
/// Column of treatment.
pub const TREATMENT: Words = words("treatment, kW", "治污设施 kW");
/// Before the list of alerts.
pub const ALERTS: Words = words("alerts, newest first", "告警（最新在前）");
/// Instead of a list of alerts.
pub const NO_ALERTS: Words = words("none so far", "暂无");
/// Last line of the live view.
pub const HOW_TO_END: Words = words("Ctrl-C ends the demo", "按 Ctrl-C 结束演示");
/// Before what to do after the demo.
pub const NEXT: Words = words("Next:", "接下来：");
/// What to try where the demo's folder is gone: why, and the command.
pub const TRY_NEXT: [(Words, &str); 4] = [
    (
        words("keep the demo's configuration and data, and look at them:", "保留演示的配置和数据，供查看："),
        "submeterd demo --keep",
    ),
    (CHECK, "submeterd check --config submeterd.toml"),
    (
        words("try the rules on readings you have recorded:", "用已记录的数据试算规则："),
        "submeterd replay --config submeterd.toml --input READINGS.jsonl",
    ),
    (
        words(
            "run the daemon over your own meters, a file a site in sites/:",
            "接入自己的电表运行守护进程，sites/ 下每家企业一个文件：",
        ),
        "submeterd run --config submeterd.toml",
    ),
];
/// What to try where it was kept; `FOLDER` is where.
pub const TRY_KEPT: [(Words, &str); 4] = [
    (
        words("see the alerts with their evidence:", "查看告警及其证据："),
        "submeterd alerts list --config FOLDER/submeterd.toml",
    ),
    (
        words(
            "judge all that was received once more, by the same engine:",
            "用同一引擎重新判定收到的全部数据：",
        ),
        "submeterd replay --journal FOLDER/data",
    ),
    (words("read what a site's file says, change it:", "查看并修改企业文件："), "FOLDER/sites/plant-b.toml"),
    (CHECK, "submeterd check --config FOLDER/submeterd.toml"),
];
const CHECK: Words = words(
    "check a configuration, every mistake at once, with file and line:",
    "检查配置，一次列出全部问题，指明文件和行：",
);
/// The last line.
pub const THE_REST: Words = words("README.md tells the rest.", "其余见 README.md。");
/// Where the kept files lie.
pub const KEPT: Words =
    words("Configuration and data of this demo were kept in", "本次演示的配置和数据保留在");
/// Nothing was kept.
pub const NOTHING_KEPT: Words = words("The demo left nothing behind.", "演示已结束，未留下任何文件。");
