//! The accounts as a whole: set up, log in, be changed, be locked out.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::TempDir;

use super::accounts::Accounts;
use super::error::AccountsError;
use super::hashing::Hashing;
use super::role::{Act, Role, Scope};
use super::sessions::{AGE_MAX_MS, IDLE_MS, N_SESSIONS_MAX, Session};
use super::tokens::NewToken;
use super::users::{Change, NewUser};
use crate::model::time::{HOUR_MS, MINUTE_MS, UtcMs};

const NOW: UtcMs = UtcMs(1_790_000_000_000);
const PASSWORD: &str = "a long sentence of mine";
const HERE: &str = "10.0.0.1";

fn open(folder: &Path) -> Accounts {
    Accounts::open_with(folder, Hashing::with(64, 1).unwrap()).unwrap()
}

fn user(name: &str, role: Role, scope: Scope) -> NewUser {
    NewUser { name: name.into(), password: PASSWORD.into(), role, scope }
}

/// Accounts with an admin, `Wang`, and an operator of a region, `li`.
fn accounts() -> (TempDir, Accounts) {
    let folder = tempfile::tempdir().unwrap();
    let accounts = open(folder.path());
    accounts.add_user(&user("Wang", Role::Admin, Scope::All), NOW).unwrap();
    accounts.add_user(&user("li", Role::Operator, Scope::Region("Yuhua".into())), NOW).unwrap();
    (folder, accounts)
}

fn log_in(accounts: &Accounts, name: &str, now: UtcMs) -> Session {
    accounts.log_in(name, PASSWORD, HERE, now).unwrap()
}

fn is_session(accounts: &Accounts, session: &Session, now: UtcMs) -> bool {
    accounts.session(&session.cookie, now).unwrap().is_some()
}

#[test]
fn the_first_user_is_made_by_whoever_has_the_code_and_then_it_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let accounts = open(folder.path());
    assert!(accounts.needs_set_up().unwrap());
    let set_up = |code: &str, password: &str| accounts.set_up(code, " Wang ", password, HERE, NOW);
    assert!(matches!(set_up("", PASSWORD), Err(AccountsError::WrongCode)), "no code was made yet");

    let old = accounts.set_up_code(NOW).unwrap().unwrap();
    let code = accounts.set_up_code(NOW).unwrap().unwrap();
    assert!(matches!(set_up(&old, PASSWORD), Err(AccountsError::WrongCode)), "it was replaced");
    assert!(matches!(set_up(&code, "short"), Err(AccountsError::Password { .. })), "it is not used up");
    let admin = set_up(&code.to_lowercase(), PASSWORD).unwrap();
    assert_eq!((&*admin.name, admin.role, admin.scope.clone()), ("Wang", Role::Admin, Scope::All));

    assert!(matches!(set_up(&code, PASSWORD), Err(AccountsError::AlreadySetUp)));
    assert_eq!(accounts.set_up_code(NOW).unwrap(), None);
    assert!(!accounts.needs_set_up().unwrap());
    assert_eq!(log_in(&accounts, "wang", NOW).actor, admin.actor());
    assert_eq!(open(folder.path()).users().unwrap(), [admin], "it is on disk");
}

#[test]
fn wrong_codes_are_throttled_and_one_that_is_right_must_wait_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let accounts = open(folder.path());
    let code = accounts.set_up_code(NOW).unwrap().unwrap();
    for i in 0..5 {
        let tried = accounts.set_up("AAAAA", "Wang", PASSWORD, &format!("10.0.0.{i}"), NOW);
        assert!(matches!(tried, Err(AccountsError::WrongCode)));
    }
    let early = accounts.set_up(&code, "Wang", PASSWORD, "10.0.0.9", NOW);
    assert!(matches!(early, Err(AccountsError::Throttled { wait_ms: 1000 })));
    accounts.set_up(&code, "Wang", PASSWORD, "10.0.0.9", NOW.plus(1000)).unwrap();
}

#[test]
fn of_two_who_have_the_code_at_once_one_becomes_the_admin() {
    let folder = tempfile::tempdir().unwrap();
    let accounts = open(folder.path());
    let code = accounts.set_up_code(NOW).unwrap().unwrap();
    let made: Vec<_> = std::thread::scope(|scope| {
        let tries: Vec<_> = ["a", "b"]
            .map(|name| scope.spawn(|| accounts.set_up(&code, name, PASSWORD, name, NOW).is_ok()))
            .into();
        tries.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert_eq!(made.iter().filter(|is_made| **is_made).count(), 1);
    assert_eq!(accounts.users().unwrap().len(), 1);
}

#[test]
fn names_are_the_same_whatever_their_case_and_bad_ones_are_refused() {
    let (_folder, accounts) = accounts();
    let add = |name: &str, scope| accounts.add_user(&user(name, Role::Viewer, scope), NOW);
    assert!(matches!(add(" WANG ", Scope::All), Err(AccountsError::Taken { .. })));
    assert!(matches!(add("token:x", Scope::All), Err(AccountsError::Name { .. })));
    let nowhere = add("chen", Scope::Region("".into())).unwrap_err();
    assert!(
        matches!(&nowhere, AccountsError::Scope { .. }) && nowhere.to_string().contains("hint:"),
        "{nowhere}"
    );
    let weak = NewUser { password: "password123".into(), ..user("chen", Role::Viewer, Scope::All) };
    assert!(matches!(accounts.add_user(&weak, NOW), Err(AccountsError::Password { .. })));
    let names: Vec<_> = accounts.users().unwrap().into_iter().map(|u| u.name).collect();
    assert_eq!(names, ["li".into(), "Wang".into()]);
}

#[test]
fn a_wrong_name_a_wrong_password_and_a_disabled_user_get_the_same_answer() {
    let (_folder, accounts) = accounts();
    accounts.change_user("li", &Change::whole(Role::Operator, Scope::All, false)).unwrap();
    let too_long = "x".repeat(257);
    for (name, password) in [("nobody", PASSWORD), ("Wang", "wrong"), ("li", PASSWORD), ("Wang", &too_long)] {
        let refused = accounts.log_in(name, password, HERE, NOW).unwrap_err();
        assert!(matches!(refused, AccountsError::WrongLogin), "{name}: {refused}");
    }
}

#[test]
fn after_five_wrong_passwords_the_right_one_waits_too() {
    let (_folder, accounts) = accounts();
    for i in 0..5 {
        assert!(accounts.log_in("WANG", "wrong", &format!("10.0.1.{i}"), NOW).is_err());
    }
    let early = accounts.log_in("wang", PASSWORD, "10.0.2.1", NOW.plus(400));
    assert!(matches!(early, Err(AccountsError::Throttled { wait_ms: 600 })));
    assert_eq!(early.unwrap_err().to_string(), "too many wrong tries; hint: try again in 1 s");
    accounts.log_in("wang", PASSWORD, "10.0.2.1", NOW.plus(1000)).unwrap();
    accounts.log_in("wang", PASSWORD, "10.0.2.1", NOW.plus(1000)).unwrap();
}

#[test]
fn of_many_tries_at_once_no_more_get_through_than_one_after_another() {
    let (_folder, accounts) = accounts();
    let wrong: usize = std::thread::scope(|scope| {
        let tries: Vec<_> =
            (0..20).map(|_| scope.spawn(|| accounts.log_in("Wang", "wrong", HERE, NOW))).collect();
        let tried = tries.into_iter().map(|t| t.join().unwrap());
        tried.filter(|t| matches!(t, Err(AccountsError::WrongLogin))).count()
    });
    assert_eq!(wrong, 5);
}

#[test]
fn a_session_ends_after_twelve_idle_hours_and_seven_days_at_most() {
    let (_folder, accounts) = accounts();
    let session = log_in(&accounts, "Wang", NOW);
    assert_eq!(session.expires, NOW.plus(IDLE_MS));
    assert!(is_session(&accounts, &session, NOW.plus(IDLE_MS - 1)));
    assert!(!is_session(&accounts, &session, NOW.plus(2 * IDLE_MS)));

    let session = log_in(&accounts, "Wang", NOW);
    let mut used_until = NOW;
    while let Some(found) = accounts.session(&session.cookie, used_until).unwrap() {
        assert!(found.expires <= NOW.plus(AGE_MAX_MS));
        assert_eq!((&found.csrf, &found.actor), (&session.csrf, &session.actor));
        used_until = used_until.plus(6 * HOUR_MS);
    }
    assert_eq!(used_until, NOW.plus(AGE_MAX_MS));
}

#[test]
fn use_is_noted_once_a_minute_and_a_session_of_the_future_is_none() {
    let (_folder, accounts) = accounts();
    let session = log_in(&accounts, "Wang", NOW);
    let expires = |now| accounts.session(&session.cookie, now).unwrap().map(|s| s.expires);
    assert_eq!(expires(NOW.plus(MINUTE_MS - 1)), Some(NOW.plus(IDLE_MS)));
    assert_eq!(expires(NOW.plus(MINUTE_MS)), Some(NOW.plus(MINUTE_MS + IDLE_MS)));
    assert_eq!(expires(NOW.plus(-HOUR_MS)), Some(NOW.plus(MINUTE_MS + IDLE_MS)));
    assert_eq!(expires(NOW.plus(-IDLE_MS)), None);
}

#[test]
fn role_and_scope_of_a_session_are_those_of_the_user_now() {
    let (_folder, accounts) = accounts();
    let session = log_in(&accounts, "li", NOW);
    assert!(session.actor.may(Act::Handle));
    accounts.change_user("LI", &Change::whole(Role::Viewer, Scope::Site("plant-1".into()), true)).unwrap();
    let actor = accounts.session(&session.cookie, NOW).unwrap().unwrap().actor;
    assert_eq!((actor.role, actor.scope.to_string()), (Role::Viewer, "site:plant-1".into()));
    accounts.change_user("li", &Change::whole(Role::Viewer, Scope::All, false)).unwrap();
    assert!(!is_session(&accounts, &session, NOW));
    accounts.change_user("li", &Change::whole(Role::Viewer, Scope::All, true)).unwrap();
    assert!(!is_session(&accounts, &session, NOW), "it does not come back");
}

#[test]
fn another_password_ends_that_users_sessions_and_nobody_elses() {
    let (_folder, accounts) = accounts();
    let (wang, li) = (log_in(&accounts, "Wang", NOW), log_in(&accounts, "li", NOW));
    accounts.set_password("li", "another long sentence").unwrap();
    assert!(is_session(&accounts, &wang, NOW) && !is_session(&accounts, &li, NOW));
    assert!(matches!(accounts.log_in("li", PASSWORD, HERE, NOW), Err(AccountsError::WrongLogin)));
    accounts.log_in("li", "another long sentence", HERE, NOW).unwrap();
    assert!(matches!(accounts.set_password("li", "short"), Err(AccountsError::Password { .. })));
    assert!(matches!(accounts.set_password("nobody", PASSWORD), Err(AccountsError::NoUser { .. })));
}

#[test]
fn who_logs_out_is_out_and_a_user_has_so_many_sessions_at_most() {
    let (_folder, accounts) = accounts();
    let first = log_in(&accounts, "Wang", NOW);
    let second = log_in(&accounts, "Wang", NOW.plus(1));
    accounts.log_out(&second.cookie).unwrap();
    assert!(is_session(&accounts, &first, NOW) && !is_session(&accounts, &second, NOW));
    for i in 0..N_SESSIONS_MAX - 1 {
        log_in(&accounts, "Wang", NOW.plus(10 + i));
    }
    assert!(is_session(&accounts, &first, NOW));
    log_in(&accounts, "Wang", NOW.plus(100));
    assert!(!is_session(&accounts, &first, NOW));
}

#[test]
fn only_the_sessions_own_csrf_secret_will_do() {
    let (_folder, accounts) = accounts();
    let (a, b) = (log_in(&accounts, "Wang", NOW), log_in(&accounts, "Wang", NOW));
    assert!(a.is_csrf(&a.csrf));
    for other in [&b.csrf, &a.cookie, "", &a.csrf[1..]] {
        assert!(!a.is_csrf(other));
    }
    assert!(accounts.session(&a.csrf, NOW).unwrap().is_none(), "it is no cookie");
}

#[test]
fn the_last_who_can_administer_stays_one() {
    let (_folder, accounts) = accounts();
    let change = |role, scope: &Scope, is_enabled| {
        accounts.change_user("Wang", &Change::whole(role, scope.clone(), is_enabled))
    };
    let site = Scope::Site("plant-1".into());
    for (role, scope, is_enabled) in
        [(Role::Admin, &Scope::All, false), (Role::Auditor, &Scope::All, true), (Role::Admin, &site, true)]
    {
        let refused = change(role, scope, is_enabled);
        assert!(matches!(refused, Err(AccountsError::LastAdmin { .. })), "{role} {scope} {is_enabled}");
    }
    let wang = log_in(&accounts, "Wang", NOW).actor;
    assert!(wang.may(Act::Administer), "nothing was changed");
    accounts.change_user("li", &Change::whole(Role::Admin, Scope::All, true)).unwrap();
    change(Role::Viewer, &Scope::All, false).unwrap();
    let only_disabled = Change { is_enabled: Some(false), ..Change::default() };
    let refused = accounts.change_user("li", &only_disabled);
    assert!(matches!(refused, Err(AccountsError::LastAdmin { .. })), "Wang is disabled");
}

#[test]
fn a_token_lets_a_program_in_until_it_expires_or_is_revoked() {
    let (_folder, accounts) = accounts();
    let new = NewToken {
        name: "grafana".into(),
        role: Role::Viewer,
        scope: Scope::All,
        expires: Some(NOW.plus(HOUR_MS)),
    };
    let (info, text) = accounts.add_token(&new, "Wang", NOW).unwrap();
    assert!(text.starts_with("smd_") && text.len() == 47, "{text}");
    let actor = accounts.by_token(&text, NOW).unwrap().unwrap();
    assert_eq!((&*actor.name, actor.role, actor.scope), ("token:grafana", Role::Viewer, Scope::All));
    assert!(accounts.by_token(&text, NOW.plus(HOUR_MS)).unwrap().is_none());
    for wrong in [&text[4..], &text[..46], "", &text.replace(&text[46..], "~")] {
        assert!(accounts.by_token(wrong, NOW).unwrap().is_none(), "{wrong}");
    }
    assert!(matches!(accounts.add_token(&new, "Wang", NOW.plus(HOUR_MS)), Err(AccountsError::Expiry)));

    let (second, other) = accounts.add_token(&NewToken { expires: None, ..new }, "Wang", NOW).unwrap();
    accounts.revoke_token(second.id).unwrap();
    assert!(accounts.by_token(&other, NOW).unwrap().is_none());
    assert!(matches!(accounts.revoke_token(second.id), Err(AccountsError::NoToken { .. })));
    let ids: Vec<_> = accounts.tokens().unwrap().into_iter().map(|t| (t.id, t.by)).collect();
    assert_eq!(ids, [(info.id, "Wang".into())]);
}

#[test]
fn the_last_use_of_a_token_is_noted_at_most_once_a_minute() {
    let (_folder, accounts) = accounts();
    let new = NewToken { name: "x".into(), role: Role::Viewer, scope: Scope::All, expires: None };
    let (info, text) = accounts.add_token(&new, "Wang", NOW).unwrap();
    assert_eq!(info.last_used, None);
    for (used_ms, noted_ms) in [(0, 0), (MINUTE_MS - 1, 0), (MINUTE_MS, MINUTE_MS), (5, 5)] {
        accounts.by_token(&text, NOW.plus(used_ms)).unwrap().unwrap();
        assert_eq!(accounts.tokens().unwrap()[0].last_used, Some(NOW.plus(noted_ms)));
    }
}

#[test]
fn what_is_over_is_taken_away_when_somebody_logs_in() {
    let (folder, accounts) = accounts();
    let expires = Some(NOW.plus(HOUR_MS));
    let new = NewToken { name: "x".into(), role: Role::Viewer, scope: Scope::All, expires };
    accounts.add_token(&new, "Wang", NOW).unwrap();
    log_in(&accounts, "Wang", NOW);
    log_in(&accounts, "li", NOW.plus(IDLE_MS));
    assert!(accounts.tokens().unwrap().is_empty());
    let conn = rusqlite::Connection::open(folder.path().join("accounts.db")).unwrap();
    let n: i64 = conn.query_row("SELECT count(*) FROM session", [], |row| row.get(0)).unwrap();
    assert_eq!(n, 1);
}

#[test]
fn the_files_are_their_owners_alone_and_no_secret_is_in_them_nor_in_debug() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("accounts.db");
    std::fs::write(&file, "").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let accounts = open(folder.path());
    let code = accounts.set_up_code(NOW).unwrap().unwrap();
    accounts.set_up(&code, "Wang", PASSWORD, HERE, NOW).unwrap();
    let session = log_in(&accounts, "Wang", NOW);
    let new = NewToken { name: "x".into(), role: Role::Viewer, scope: Scope::All, expires: None };
    let (info, token) = accounts.add_token(&new, "Wang", NOW).unwrap();
    let shown =
        format!("{accounts:?} {session:?} {info:?} {:?}", user("Wang", Role::Admin, Scope::All)).into_bytes();

    let mut n_files = 0;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", entry.path().display());
        let bytes = std::fs::read(entry.path()).unwrap();
        for text in [&bytes, &shown] {
            for secret in [PASSWORD, &code, &session.cookie, &session.csrf, &token, &token[4..]] {
                assert!(!text.windows(secret.len()).any(|w| w == secret.as_bytes()));
            }
        }
        n_files += 1;
    }
    assert_eq!(n_files, 3, "the file, what is not yet in it, and its index");
}

#[test]
fn a_file_of_a_newer_program_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let conn = rusqlite::Connection::open(folder.path().join("accounts.db")).unwrap();
    conn.pragma_update(None, "user_version", 99).unwrap();
    let refused = Accounts::open_with(folder.path(), Hashing::with(64, 1).unwrap());
    assert!(matches!(refused, Err(AccountsError::Newer { found: 99, .. })));
}

#[test]
fn accounts_are_shared_between_threads() {
    fn shared<T: Clone + Send + Sync + 'static>() {}
    shared::<Accounts>();
}
