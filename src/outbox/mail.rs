//! Notices as mails.

use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use lettre::message::{Mailbox, header};
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use super::answer::{self, Answer};
use super::text;
use crate::config::receivers::{Mail, MailSecurity, Receiver};
use crate::model::time::UtcMs;
use crate::notices::notice::Notice;
use crate::wording::words::Lang;

/// Why mails cannot even be tried.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The authority's certificate cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The TLS settings do not fit together.
    #[error("the TLS settings of the mail server cannot be used")]
    Tls(#[source] SmtpError),
    /// An address is none.
    #[error("{address:?} is no mail address")]
    Address {
        /// As configured.
        address: Box<str>,
        /// Why.
        #[source]
        source: lettre::address::AddressError,
    },
}

/// Carries notices to a mail server.
#[derive(Debug)]
pub struct MailCourier {
    from: Mailbox,
    to: Vec<Mailbox>,
    language: Lang,
    transport: AsyncSmtpTransport<Tokio1Executor>,
}

impl MailCourier {
    /// Reads the authority's certificate, if one is named.
    ///
    /// # Errors
    /// See [`MailError`].
    pub fn new(receiver: &Receiver, own: &Mail) -> Result<MailCourier, MailError> {
        let address = |text: &str| -> Result<Mailbox, MailError> {
            text.parse().map_err(|source| MailError::Address { address: text.into(), source })
        };
        Ok(MailCourier {
            from: address(&own.from)?,
            to: own.to.iter().map(|to| address(to)).collect::<Result<_, _>>()?,
            language: receiver.language,
            transport: transport(own, receiver.timeout)?,
        })
    }

    /// One notice. It has the same Message-ID however often it is sent.
    pub async fn carry(&self, notice: &Notice, now: UtcMs) -> Answer {
        let message = match self.message(notice, now) {
            Ok(message) => message,
            Err(error) => return Answer::Refused { status: 0, why: answer::chain(&error) },
        };
        match self.transport.send(message).await {
            Ok(_) => Answer::Taken,
            Err(error) => failed(&error),
        }
    }

    fn message(&self, notice: &Notice, now: UtcMs) -> Result<Message, lettre::error::Error> {
        let domain = self.from.email.domain();
        let mut builder = Message::builder()
            .from(self.from.clone())
            .message_id(Some(format!("<{}.submeterd@{domain}>", notice.id)))
            .date(UNIX_EPOCH + Duration::from_millis(now.0.try_into().unwrap_or_default()))
            .subject(text::subject(notice, self.language))
            .header(header::ContentType::TEXT_PLAIN);
        for to in &self.to {
            builder = builder.to(to.clone());
        }
        builder.body(text::body(notice, self.language))
    }
}

fn transport(own: &Mail, timeout: Duration) -> Result<AsyncSmtpTransport<Tokio1Executor>, MailError> {
    let parameters = || -> Result<TlsParameters, MailError> {
        let mut builder = TlsParameters::builder(own.host.to_string());
        if let Some(path) = &own.ca_file {
            let pem = std::fs::read(path).map_err(|source| MailError::Read { path: path.clone(), source })?;
            let authority = Certificate::from_pem(&pem).map_err(MailError::Tls)?;
            builder = builder.certificate_store(CertificateStore::None).add_root_certificate(authority);
        }
        builder.build().map_err(MailError::Tls)
    };
    let tls = match own.security {
        MailSecurity::Tls => Tls::Wrapper(parameters()?),
        MailSecurity::Starttls => Tls::Required(parameters()?),
        MailSecurity::None => Tls::None,
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&*own.host)
        .port(own.port)
        .tls(tls)
        .timeout(Some(timeout));
    if let Some((user, password)) = &own.login {
        builder = builder.credentials(Credentials::new(user.to_string(), password.expose().to_owned()));
    }
    Ok(builder.build())
}

/// What an error means for the mail. 552 and 554 are about the mail itself; everything else that will not pass by itself
/// (a login, an address that does not exist) is a person's to see to. Source: RFC 5321, 4.2.3.
fn failed(error: &SmtpError) -> Answer {
    let why = answer::chain(error);
    let code = error.status().map(u16::from);
    match code {
        Some(status @ (552 | 554)) => Answer::Refused { status, why },
        Some(_) if error.is_permanent() => Answer::Hold { why },
        _ if error.is_timeout() => Answer::Slow { why },
        _ => Answer::Later { why },
    }
}
