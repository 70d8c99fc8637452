//! What went wrong, in the closed set of kinds that both sides of the bridge know by number.

use quinn::{ConnectError, ConnectionError, TransportErrorCode};

/// The order is that of `nativeErrorCodes` in src/errors.ts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Kind {
    AddressInvalid = 0,
    BindFailed,
    CertificateInvalid,
    ServerNameInvalid,
    ConnectTimeout,
    ConnectFailed,
    TlsFailed,
    ConnectionLost,
    ConnectionClosed,
    StreamReset,
    StreamEnded,
    FrameTypeInvalid,
    FrameTooLarge,
    CallTimeout,
    CallAborted,
    TlsNameMismatch,
    TlsCertificateExpired,
    TlsCertificateUnknown,
    TlsClientCertificateRequired,
}

/// Who ended a connection; the order is that of `closedBy` in src/errors.ts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum EndedBy {
    Local = 0,
    Peer,
    Lost,
}

#[derive(Clone, Debug)]
pub struct Failure {
    pub kind: Kind,
    /// A close or reset code, or the value that broke a limit.
    pub code: u64,
    pub text: String,
}

impl Failure {
    pub fn new(kind: Kind, text: impl Into<String>) -> Self {
        Self { kind, code: 0, text: text.into() }
    }

    pub fn with_code(kind: Kind, code: u64, text: impl Into<String>) -> Self {
        Self { kind, code, text: text.into() }
    }

    /// The end of an established connection as its calls see it.
    pub fn of_connection(error: &ConnectionError) -> Self {
        match error {
            ConnectionError::ApplicationClosed(close) => Self::with_code(
                Kind::ConnectionClosed,
                close.error_code.into_inner(),
                String::from_utf8_lossy(&close.reason),
            ),
            ConnectionError::LocallyClosed => Self::new(Kind::ConnectionClosed, ""),
            ConnectionError::ConnectionClosed(close) if is_tls(close.error_code) => {
                Self::of_alert(close.error_code, error)
            }
            other => Self::new(Kind::ConnectionLost, other.to_string()),
        }
    }

    /// A handshake that did not succeed.
    pub fn of_handshake(error: &ConnectionError) -> Self {
        match error {
            ConnectionError::TimedOut => Self::new(Kind::ConnectTimeout, "no answer within the idle timeout"),
            ConnectionError::TransportError(transport) if is_tls(transport.code) => {
                Self::with_code(Kind::TlsFailed, transport.code.into(), transport.to_string())
            }
            ConnectionError::ConnectionClosed(close) if is_tls(close.error_code) => {
                Self::of_alert(close.error_code, error)
            }
            ConnectionError::ConnectionClosed(close) if close.error_code == TransportErrorCode::CONNECTION_REFUSED => {
                let text = "the server takes no further connections now (CONNECTION_REFUSED); try again later";
                Self::with_code(Kind::ConnectFailed, close.error_code.into(), text)
            }
            ConnectionError::ApplicationClosed(close) => {
                Self::with_code(Kind::ConnectFailed, close.error_code.into_inner(), error.to_string())
            }
            other => Self::new(Kind::ConnectFailed, other.to_string()),
        }
    }

    /// The peer's TLS alert (RFC 8446 section 6.2). A server sends those about certificates after the client has finished.
    fn of_alert(code: TransportErrorCode, error: &ConnectionError) -> Self {
        let code = u64::from(code);
        let (kind, remedy) = match code - TLS_ALERTS {
            45 => (Kind::TlsCertificateExpired, "it finds this side's certificate expired; renew it"),
            // Decrypt error: an authority of the same name but with another key.
            46 | 48 | 51 => (
                Kind::TlsCertificateUnknown,
                "it trusts no authority of this side's certificate; use one that its authority has signed",
            ),
            116 => (Kind::TlsClientCertificateRequired, "it lets in no client without one; connect with a certificate"),
            _ => return Self::with_code(Kind::TlsFailed, code, error.to_string()),
        };
        Self::with_code(kind, code, format!("the peer refused the handshake: {remedy}"))
    }

    pub fn of_connect(error: &ConnectError, host: &str, server_name: &str) -> Self {
        match error {
            ConnectError::InvalidServerName(_) => {
                Self::new(Kind::ServerNameInvalid, format!("{server_name:?} is neither a DNS name nor an IP address"))
            }
            ConnectError::InvalidRemoteAddress(address) => {
                Self::new(Kind::AddressInvalid, format!("{host} means {address}, to which nothing can be sent"))
            }
            other => Self::new(Kind::ConnectFailed, other.to_string()),
        }
    }
}

/// TLS alerts travel as transport error codes 0x100 to 0x1ff (RFC 9001 section 4.8).
const TLS_ALERTS: u64 = 0x100;

fn is_tls(code: TransportErrorCode) -> bool {
    (TLS_ALERTS..=0x1ff).contains(&u64::from(code))
}

pub fn ended_by(error: &ConnectionError) -> EndedBy {
    match error {
        ConnectionError::LocallyClosed => EndedBy::Local,
        ConnectionError::ApplicationClosed(_) => EndedBy::Peer,
        _ => EndedBy::Lost,
    }
}
