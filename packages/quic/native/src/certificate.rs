//! Making certificates, and the one that a listener shows, which can be changed while it listens.

use std::sync::{Arc, PoisonError, RwLock};

use napi_derive::napi;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use ring::digest::{SHA256, digest};
use rustls::{
    crypto::ring as provider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use time::{Duration, OffsetDateTime};

use crate::{
    failure::{Failure, Kind},
    limits,
    session::note,
};

#[napi(object)]
pub struct CertificateOptions {
    pub names: Vec<String>,
    /// "ca", "server" or "client".
    pub usage: String,
    /// Milliseconds since 1970.
    pub not_after_ms: f64,
    pub issuer_cert_pem: Option<String>,
    pub issuer_key_pem: Option<String>,
}

/// A fresh self-signed ECDSA P-256 certificate and its PKCS#8 key, both as PEM.
pub fn generate_self_signed(names: Vec<String>) -> Result<[String; 2], rcgen::Error> {
    let made = rcgen::generate_simple_self_signed(names)?;
    Ok([made.cert.pem(), made.signing_key.serialize_pem()])
}

/// A fresh ECDSA P-256 certificate, signed by the issuer or else by itself, and its PKCS#8 key, both as PEM.
pub fn generate(options: CertificateOptions) -> Result<[String; 2], rcgen::Error> {
    let key = KeyPair::generate()?;
    let params = params(&options)?;
    let certificate = match (&options.issuer_cert_pem, &options.issuer_key_pem) {
        (Some(cert_pem), Some(key_pem)) => {
            params.signed_by(&key, &Issuer::from_ca_cert_pem(cert_pem, KeyPair::from_pem(key_pem)?)?)?
        }
        _ => params.self_signed(&key)?,
    };
    Ok([certificate.pem(), key.serialize_pem()])
}

fn params(options: &CertificateOptions) -> Result<CertificateParams, rcgen::Error> {
    let is_ca = options.usage == "ca";
    let mut params = CertificateParams::new(if is_ca { Vec::new() } else { options.names.clone() })?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    if let Some(name) = options.names.first() {
        params.distinguished_name.push(DnType::CommonName, name);
    }
    let not_after = OffsetDateTime::UNIX_EPOCH.saturating_add(Duration::milliseconds(options.not_after_ms as i64));
    // Back-dated for peers whose clock is behind.
    params.not_before = OffsetDateTime::now_utc().min(not_after) - limits::CERTIFICATE_BACKDATE;
    params.not_after = not_after;
    params.use_authority_key_identifier_extension = true;
    if is_ca {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    } else {
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![if options.usage == "client" {
            ExtendedKeyUsagePurpose::ClientAuth
        } else {
            ExtendedKeyUsagePurpose::ServerAuth
        }];
    }
    Ok(params)
}

/// The certificates of a PEM text, at least one.
pub fn chain(pem: &str) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|error| invalid("certificate", &error))?;
    if chain.is_empty() {
        return Err(Failure::new(Kind::CertificateInvalid, "the PEM text holds no certificate"));
    }
    Ok(chain)
}

/// A certificate with the key that belongs to it.
pub fn certified_key(cert_pem: &str, key_pem: &str) -> Result<Arc<CertifiedKey>, Failure> {
    let chain = chain(cert_pem)?;
    let key = PrivateKeyDer::from_pem_slice(key_pem.as_bytes()).map_err(|error| invalid("private key", &error))?;
    CertifiedKey::from_der(chain, key, &provider::default_provider())
        .map(Arc::new)
        .map_err(|error| invalid("certificate", &error))
}

pub fn invalid(what: &str, error: &dyn std::fmt::Display) -> Failure {
    Failure::new(Kind::CertificateInvalid, format!("{what} cannot be used: {error}"))
}

/// What the peer has shown of itself, as DER; empty if nothing. On a resumed connection what it showed when the session began.
pub fn peer_certificate(connection: &quinn::Connection) -> Vec<u8> {
    let chain = connection.peer_identity().and_then(|chain| chain.downcast::<Vec<CertificateDer<'static>>>().ok());
    chain.as_ref().and_then(|chain| chain.first()).map_or(Vec::new(), |leaf| leaf.to_vec())
}

/// What a listener shows to whom connects from now on.
#[derive(Debug)]
pub struct ShownCertificate(RwLock<Arc<CertifiedKey>>);

impl ShownCertificate {
    pub fn new(key: Arc<CertifiedKey>) -> Arc<Self> {
        Arc::new(Self(RwLock::new(key)))
    }

    pub fn set(&self, key: Arc<CertifiedKey>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = key;
    }
}

impl ResolvesServerCert for ShownCertificate {
    fn resolve(&self, _client_hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let shown = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        let fingerprint = shown.cert.first().and_then(|leaf| digest(&SHA256, leaf).as_ref().try_into().ok());
        note(|notes| notes.fingerprint = fingerprint);
        Some(shown)
    }
}
