//! TLS 1.3 without ALPN on either side (spec 1.3).

use std::{net::SocketAddr, sync::Arc};

use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use ring::digest::{self, SHA256};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig, SignatureScheme,
    client::{ResolvesClientCert, Resumption},
    crypto::{CryptoProvider, ring as provider},
    pki_types::CertificateDer,
    server::{NoServerSessionStorage, WebPkiClientVerifier},
    sign::CertifiedKey,
    version::TLS13,
};

use crate::{
    certificate::{self, ShownCertificate, invalid},
    failure::{Failure, Kind},
    hex,
    resume::{self, Origin, Sessions},
    session::{NotedClient, NotedServer, SharedNotes, note},
    table::lock,
    tickets::{NotedClients, TiedTickets},
    verify::{Trust, Verifier},
};

/// With `client_ca_pem` every client must show a certificate of one of these authorities. There is no early data, since
/// it could be replayed (RFC 8446 section 8).
pub fn server_config(shown: Arc<ShownCertificate>, client_ca_pem: Option<&str>) -> Result<Arc<NotedServer>, Failure> {
    let provider = Arc::new(provider::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&TLS13])
        .map_err(|error| invalid("TLS configuration", &error))?;
    let builder = match client_ca_pem {
        None => builder.with_no_client_auth(),
        Some(pem) => {
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(authorities(pem)?), provider)
                .build()
                .map_err(|error| invalid("clients' authority", &error))?;
            builder.with_client_cert_verifier(Arc::new(NotedClients(verifier)))
        }
    };
    let mut config = builder.with_cert_resolver(shown);
    let tickets = provider::Ticketer::new().map_err(|error| invalid("TLS configuration", &error))?;
    config.ticketer = Arc::new(TiedTickets(tickets));
    config.session_storage = Arc::new(NoServerSessionStorage {});
    let config = QuicServerConfig::try_from(config).map_err(|error| invalid("TLS configuration", &error))?;
    Ok(Arc::new(NotedServer(Arc::new(config))))
}

/// Whom a client trusts and who it is, before anything is looked up.
#[derive(Clone)]
pub struct Credentials {
    /// "skip", "roots" (the Mozilla roots), "system", "sha256:" with the fingerprint of the server's certificate, or PEM
    /// text with trust anchors.
    pub verify: String,
    /// Certificate and key as PEM.
    pub certificate: Option<(String, String)>,
}

impl Credentials {
    /// The configuration for these, made once. Reads files if `verify` is "system".
    pub fn config(&self) -> Result<Arc<QuicClientConfig>, Failure> {
        let system = if self.verify == "system" { system_certificates()? } else { Vec::new() };
        let origin = self.origin(&system);
        if let Some(config) = resume::kept(&origin) {
            return Ok(config);
        }
        let config = Arc::new(self.make(system)?);
        resume::keep(origin, config.clone());
        Ok(config)
    }

    fn origin(&self, system: &[CertificateDer<'_>]) -> Origin {
        let mut context = digest::Context::new(&SHA256);
        // Each part behind its length, so that no two lists of parts are alike.
        let mut add = |part: &[u8]| {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        };
        add(self.verify.as_bytes());
        // No certificate is another thing than one of empty texts.
        if let Some((cert, key)) = &self.certificate {
            add(cert.as_bytes());
            add(key.as_bytes());
        }
        add(b"");
        for certificate in system {
            add(certificate);
        }
        context.finish().as_ref().try_into().unwrap_or_default()
    }

    fn make(&self, system: Vec<CertificateDer<'static>>) -> Result<QuicClientConfig, Failure> {
        let provider = Arc::new(provider::default_provider());
        let key = self.certificate.as_ref().map(|(cert, key)| certificate::certified_key(cert, key)).transpose()?;
        let trust = Arc::new(trust(&self.verify, system, &provider)?);
        let verifier = Verifier { trust: trust.clone(), provider: provider.clone() };
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13])
            .map_err(|error| invalid("TLS configuration", &error))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_client_cert_resolver(Arc::new(Identity(key)));
        config.resumption = Resumption::store(Sessions::new(trust));
        QuicClientConfig::try_from(config).map_err(|error| invalid("TLS configuration", &error))
    }
}

/// A client's side of one handshake.
pub struct Handshake {
    pub config: Arc<NotedClient>,
    notes: SharedNotes,
}

impl Handshake {
    pub fn new(inner: Arc<QuicClientConfig>, remote: SocketAddr, is_resuming: bool) -> Self {
        let notes = SharedNotes::default();
        {
            let mut notes = lock(&notes);
            notes.remote = Some(remote);
            notes.is_resuming = is_resuming;
        }
        Self { config: Arc::new(NotedClient { inner, notes: notes.clone() }), notes }
    }

    /// Why the server's certificate was refused, if it was.
    pub fn verdict(&self) -> Option<Failure> {
        lock(&self.notes).verdict.take()
    }

    /// Whether the server judges this client's certificate, which it does only after the client has finished.
    pub fn is_judged(&self) -> bool {
        lock(&self.notes).is_asked
    }

    /// Whether an earlier session went on; only for handshakes that have succeeded.
    pub fn is_resumed(&self) -> bool {
        !lock(&self.notes).is_shown
    }
}

fn trust(verify: &str, system: Vec<CertificateDer<'static>>, provider: &Arc<CryptoProvider>) -> Result<Trust, Failure> {
    if let Some(digits) = verify.strip_prefix("sha256:") {
        return hex::decode_32(digits).map(Trust::Fingerprint).ok_or_else(|| {
            Failure::new(Kind::CertificateInvalid, format!("fingerprint {digits:?} is not 64 hexadecimal digits"))
        });
    }
    match verify {
        "skip" => Ok(Trust::Anything),
        "roots" => Trust::authorities(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }, provider),
        "system" => Trust::authorities(parsable(system)?, provider),
        pem => Trust::authorities(authorities(pem)?, provider),
    }
}

/// What SSL_CERT_FILE and SSL_CERT_DIR name, or else the platform's store.
fn system_certificates() -> Result<Vec<CertificateDer<'static>>, Failure> {
    let found = rustls_native_certs::load_native_certs();
    if !found.certs.is_empty() {
        return Ok(found.certs);
    }
    let why: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
    Err(no_system_roots(if why.is_empty() { "none found".into() } else { why.join("; ") }))
}

/// Entries that cannot be used are passed over.
fn parsable(certificates: Vec<CertificateDer<'static>>) -> Result<RootCertStore, Failure> {
    let mut roots = RootCertStore::empty();
    match roots.add_parsable_certificates(certificates) {
        (0, ignored) => Err(no_system_roots(format!("none of {ignored} can be read"))),
        _ => Ok(roots),
    }
}

fn no_system_roots(why: String) -> Failure {
    let text = format!(
        "the system has no usable root certificates ({why}); install its ca-certificates, set SSL_CERT_FILE, or verify \
         with \"roots\" or an own authority"
    );
    Failure::new(Kind::CertificateInvalid, text)
}

fn authorities(pem: &str) -> Result<RootCertStore, Failure> {
    let mut roots = RootCertStore::empty();
    for certificate in certificate::chain(pem)? {
        roots.add(certificate).map_err(|error| invalid("trust anchor", &error))?;
    }
    Ok(roots)
}

/// The certificate of this client, if it has one.
#[derive(Debug)]
struct Identity(Option<Arc<CertifiedKey>>);

impl ResolvesClientCert for Identity {
    fn resolve(&self, _authorities: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        note(|notes| notes.is_asked = true);
        self.0.clone()
    }

    fn has_certs(&self) -> bool {
        self.0.is_some()
    }
}
