//! # submeterd: the map of the house
//!
//! Plants meter production and pollution treatment apart. This daemon reads those meters, decides for every unit
//! whether it runs, and raises an alert with evidence where treatment is off while production runs. Nothing is lost,
//! nothing is guessed, everything can be proved.
//!
//! The tree is the story of a reading, top to bottom:
//!
//! ```text
//!  meters ── mqtt ──┐                                        ┌── history   compressed readings, per meter and hour
//!  meters ─ modbus ─┤   journal            engine            ├── alerts    life cycle, evidence
//!  operators ───────┼─► append, fsync ─►   decode, judge  ──►├── state     unit states, cursor, snapshot
//!  clock ticks ─────┘   then acknowledge   one transaction   └── outbox ─► InfluxDB · webhook · Alertmanager · MQTT · mail
//!                                               ▲
//!                      api · cli read the store; what they change goes in through the journal
//! ```
//!
//! | room | what is in it |
//! |---|---|
//! | [`model`] | the words: site, point, process, meter, message, reading, state; pure |
//! | [`config`] | files as typed → checked → [`config::Config`], valid by construction; meter profiles |
//! | [`sources`] | 1. receive and append (`mqtt`, `modbus`); decode, once the journal has it |
//! | [`journal`] | 2. the one door in: append, read from a cursor, retention, hash chain |
//! | [`detection`] | 3. unit states and rules, one rule a file; pure |
//! | [`learning`] | what minutes of power teach: thresholds, running medians, wrong ratings; commissioning tests; pure |
//! | [`alerts`] | 4. the record of an alert, its evidence and life cycle; pure |
//! | [`notices`] | who is told of which alert, when, and in which words; pure |
//! | [`history`] | blocks of readings: write, fold, read a range |
//! | [`store`] | 5. what the engine made of the journal: schema, the one transaction, views, the queue out |
//! | [`wording`] | what people read, English and Chinese: words, and evidence as a sentence; pure |
//! | [`accounts`] | who may do what over the network: users, sessions, tokens; a file of its own |
//! | [`engine`] | THE HEART: journal → decode → detection → alerts → store, one step, one transaction |
//! | [`outbox`] | 6. what leaves: lines to InfluxDB, notices to each receiver |
//! | [`api`] | outlets: the Unix socket, the same answers from the files, `/api/v1` over the network, figures for Prometheus |
//! | [`web`] | the page: server-rendered, Chinese and English, for desk and phone |
//! | [`daemon`] | builds it all, runs it, stops it in order; systemd |
//! | [`cli`] | one file a command; the demonstration |
//!
//! A reading's way through the code: [`sources::mqtt::session::run`] or [`sources::modbus::link::run`] →
//! [`journal::handle::Journal::append`] → [`engine::run::run`] → [`engine::step::Engine::step`] →
//! [`engine::world::World::take`] → [`detection::site::SiteJudge::offer`] → [`store::write::Transaction::commit`] →
//! [`outbox::influx::run`].
//!
//! Who may import whom: `main` → `cli` → `daemon` → `web` → `api` → `outbox · engine` → `wording` →
//! `sources · detection · store · accounts` → `notices` → `journal · history · alerts · config · learning` → `model`.
//! The tests of `tests/it/tidy.rs` hold it.
//!
//! ## Invariants
//!
//! 1. A message is acknowledged only after its bytes are on disk; one that cannot be decoded too: it is kept and shown.
//!    Held by `mqtt::a_message_is_acknowledged_only_once_it_is_on_disk_and_in_order`.
//!    Held by `durability::killed_twenty_times_under_load_nothing_is_lost_and_nothing_is_double` too.
//! 2. Nothing reaches the engine except through the journal.
//!    Held by `tidy::a_stage_imports_only_what_stands_below_it`: no source can name the engine.
//! 3. Delete the store, replay the journal: the same alerts, states and history.
//!    Held by `durability::killed_twenty_times_under_load_nothing_is_lost_and_nothing_is_double`.
//! 4. Arrival order does not matter in the end: once the same readings have arrived, the alerts are the same, late or not.
//!    Held by `engine::late_tests::arrival_order_does_not_matter_in_the_end`. What comes more than two months late is kept
//!    and counted, not judged; rules about arrival itself (clocks, restarts) are not meant.
//! 5. Missing is not off. Unknown never opens "off", never clears an alert, never counts toward a duration.
//!    Held by `detection::tests::silence_neither_clears_nor_counts_in_an_open_alert`.
//!    Held by `modbus::faults::silence_is_missing_and_leaves_nothing_in_the_journal` too.
//!    Held by `detection::tests::thinned::nothing_is_said_of_treatment_that_the_whole_does_not_bear_out` too.
//! 6. An alert clears on positive evidence alone, and nothing is ever deleted. Nobody is told of an end before.
//!    Held by `detection::debounce::tests::unknown_time_neither_builds_up_nor_clears`.
//!    Held by `engine::notify_tests::silence_tells_nobody_that_it_ended` too.
//! 7. Engine output and cursor move in one transaction.
//!    Held by `engine::tests::rows_saves_and_restarts_change_nothing`, notices included.
//!    Held by `notices::the_program_tells_each_change_once_though_it_is_killed_and_the_receiver_is_away` too.
//! 8. Decoders, planners, line protocol, detection, learning, alerts and notices do no IO, spawn nothing and read no clock.
//!    Held by `tidy::what_is_pure_does_no_io_reads_no_clock_and_spawns_nothing`.
//! 9. Every queue has a named bound; every task is named, owned and watched, and one that ends unasked stops the daemon.
//!    Not whole yet: what waits for a database or a receiver that is away is bounded by the disk alone.
//!    Held by `daemon::tasks::tests::a_task_that_ends_unasked_is_told_by_name_and_why`.
//! 10. A `Config` that exists is valid. All its problems are reported at once, with file, key and reason.
//!     Held by `config::ten_different_mistakes_yield_ten_messages_with_file_key_and_hint`.
//! 11. Meters are only ever read. No Modbus write function is in the program.
//!     Held by `tidy::no_way_to_write_to_a_meter_is_in_the_program`.
#![forbid(unsafe_code)]

pub mod model;

pub mod config;

pub mod sources;

pub mod journal;

pub mod detection;

pub mod learning;

pub mod alerts;

pub mod history;

pub mod notices;

pub mod store;

pub mod wording;

pub mod accounts;

pub mod engine;

pub mod outbox;

pub mod api;

pub mod web;

pub mod daemon;

pub mod cli;
