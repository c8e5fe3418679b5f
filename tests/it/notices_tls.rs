//! Notices over TLS: the configured authority and no other.

use std::path::PathBuf;

use submeterd::config::receivers::{Mail, MailSecurity, Via, Webhook};
use submeterd::model::time::UtcMs;
use submeterd::outbox::status::SinkState;

use crate::harness::hook::Hook;
use crate::harness::notice_store::NoticeStore;
use crate::harness::smtp::Smtp;
use crate::mqtt_tls::Authority;

const NOW: UtcMs = UtcMs(1_795_521_790_000);

#[tokio::test]
async fn a_webhook_with_a_certificate_of_the_configured_authority_is_told_and_no_other() {
    let (ours, other) = (Authority::new("ours"), Authority::new("other"));
    let hook = Hook::start_tls(ours.server("127.0.0.1", None)).await;
    let via = |ca_file: Option<PathBuf>| {
        let own = Webhook { url: hook.url().into(), secret: None, ca_file };
        NoticeStore::receiver(Via::Webhook(own))
    };
    let mut store = NoticeStore::at(NOW);
    let sent = store.raise(2);
    for wrong in [Some(other.ca_file()), None] {
        let mut sender = store.send(via(wrong));
        let away = sender.until("doubts", |s| s.state == SinkState::BackingOff).await;
        assert!(away.last_error.is_some_and(|why| why.contains("certificate")), "it says why");
        sender.stop().await;
    }
    assert_eq!(hook.posted().len(), 0);
    let sender = store.send(via(Some(ours.ca_file())));
    store.emptied().await;
    assert_eq!(hook.taken(), sent);
    assert!(!hook.posted()[0].headers.contains_key("x-submeterd-signature"), "there is no secret");
    sender.stop().await;
}

#[tokio::test]
async fn a_mail_server_with_a_certificate_of_the_configured_authority_is_told_and_no_other() {
    let (ours, other) = (Authority::new("ours"), Authority::new("other"));
    let server = Smtp::start_tls(ours.server("127.0.0.1", None)).await;
    let via = |ca_file: PathBuf| {
        NoticeStore::receiver(Via::Mail(Mail {
            host: "127.0.0.1".into(),
            port: server.port(),
            security: MailSecurity::Tls,
            ca_file: Some(ca_file),
            login: None,
            from: "submeterd@example.org".into(),
            to: vec!["officer@example.org".into()],
        }))
    };
    let mut store = NoticeStore::at(NOW);
    store.raise(1);
    let mut sender = store.send(via(other.ca_file()));
    sender.until("doubts", |s| s.state == SinkState::BackingOff).await;
    sender.stop().await;
    assert_eq!(server.mails().len(), 0);
    let sender = store.send(via(ours.ca_file()));
    store.emptied().await;
    assert_eq!(server.mails().len(), 1);
    sender.stop().await;
}
