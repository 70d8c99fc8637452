//! TLS 1.3 without ALPN on either side (spec 1.3).

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig, SignatureScheme,
    client::ResolvesClientCert,
    crypto::{CryptoProvider, ring},
    server::WebPkiClientVerifier,
    sign::CertifiedKey,
    version::TLS13,
};

use crate::{
    certificate::{self, ShownCertificate, invalid},
    failure::{Failure, Kind},
    hex,
    verify::{Trust, Verdict, Verifier},
};

/// With `client_ca_pem` every client must show a certificate of one of these authorities.
pub fn server_config(
    shown: Arc<ShownCertificate>,
    client_ca_pem: Option<&str>,
) -> Result<Arc<QuicServerConfig>, Failure> {
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&TLS13])
        .map_err(|error| invalid("TLS configuration", &error))?;
    let builder = match client_ca_pem {
        None => builder.with_no_client_auth(),
        Some(pem) => {
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(authorities(pem)?), provider)
                .build()
                .map_err(|error| invalid("clients' authority", &error))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let config = QuicServerConfig::try_from(builder.with_cert_resolver(shown))
        .map_err(|error| invalid("TLS configuration", &error))?;
    Ok(Arc::new(config))
}

/// A client's side of one handshake.
pub struct Handshake {
    pub config: Arc<QuicClientConfig>,
    pub verdict: Verdict,
    identity: Arc<Identity>,
}

impl Handshake {
    /// `verify` is "skip", "roots" (the Mozilla roots), "system", "sha256:" with the fingerprint of the server's
    /// certificate, or PEM text with trust anchors. Reads files if it is "system".
    pub fn new(verify: &str, certificate: Option<(&str, &str)>) -> Result<Self, Failure> {
        let provider = Arc::new(ring::default_provider());
        let key = certificate.map(|(cert, key)| certificate::certified_key(cert, key)).transpose()?;
        let identity = Arc::new(Identity { key, is_asked: AtomicBool::new(false) });
        let verdict = Verdict::default();
        let trust = trust(verify, &provider)?;
        let verifier = Verifier { trust, provider: provider.clone(), verdict: verdict.clone() };
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13])
            .map_err(|error| invalid("TLS configuration", &error))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_client_cert_resolver(identity.clone());
        let config = QuicClientConfig::try_from(config).map_err(|error| invalid("TLS configuration", &error))?;
        Ok(Self { config: Arc::new(config), verdict, identity })
    }

    /// Whether the server judges this client's certificate, which it does only after the client has finished.
    pub fn is_judged(&self) -> bool {
        self.identity.is_asked.load(Ordering::Relaxed)
    }
}

fn trust(verify: &str, provider: &Arc<CryptoProvider>) -> Result<Trust, Failure> {
    if let Some(digits) = verify.strip_prefix("sha256:") {
        return hex::decode_32(digits).map(Trust::Fingerprint).ok_or_else(|| {
            Failure::new(Kind::CertificateInvalid, format!("fingerprint {digits:?} is not 64 hexadecimal digits"))
        });
    }
    match verify {
        "skip" => Ok(Trust::Anything),
        "roots" => Trust::authorities(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }, provider),
        "system" => Trust::authorities(system_authorities()?, provider),
        pem => Trust::authorities(authorities(pem)?, provider),
    }
}

/// What SSL_CERT_FILE and SSL_CERT_DIR name, or else the platform's store. Entries that cannot be used are passed over.
fn system_authorities() -> Result<RootCertStore, Failure> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added > 0 {
        return Ok(roots);
    }
    let why: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
    let text = format!(
        "the system has no usable root certificates ({}); install its ca-certificates, set SSL_CERT_FILE, or verify \
         with \"roots\" or an own authority",
        if why.is_empty() { "none found".into() } else { why.join("; ") }
    );
    Err(Failure::new(Kind::CertificateInvalid, text))
}

fn authorities(pem: &str) -> Result<RootCertStore, Failure> {
    let mut roots = RootCertStore::empty();
    for certificate in certificate::chain(pem)? {
        roots.add(certificate).map_err(|error| invalid("trust anchor", &error))?;
    }
    Ok(roots)
}

/// The certificate of this client, if it has one, and whether the server has asked for it.
#[derive(Debug)]
struct Identity {
    key: Option<Arc<CertifiedKey>>,
    is_asked: AtomicBool,
}

impl ResolvesClientCert for Identity {
    fn resolve(&self, _authorities: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.is_asked.store(true, Ordering::Relaxed);
        self.key.clone()
    }

    fn has_certs(&self) -> bool {
        self.key.is_some()
    }
}
