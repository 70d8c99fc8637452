//! TLS 1.3 without ALPN on either side (spec 1.3).

use std::sync::Arc;

use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
    version::TLS13,
};

use crate::failure::{Failure, Kind};

/// A fresh self-signed ECDSA P-256 certificate and its PKCS#8 key, both as PEM.
pub fn generate_self_signed(names: Vec<String>) -> Result<[String; 2], rcgen::Error> {
    let made = rcgen::generate_simple_self_signed(names)?;
    Ok([made.cert.pem(), made.signing_key.serialize_pem()])
}

pub fn server_config(cert_pem: &str, key_pem: &str) -> Result<Arc<QuicServerConfig>, Failure> {
    let chain = certificates(cert_pem)?;
    let key = PrivateKeyDer::from_pem_slice(key_pem.as_bytes()).map_err(|error| invalid("private key", &error))?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&TLS13])
        .map_err(|error| invalid("TLS configuration", &error))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| invalid("certificate", &error))?;
    let config = QuicServerConfig::try_from(config).map_err(|error| invalid("TLS configuration", &error))?;
    Ok(Arc::new(config))
}

/// `verify` is "skip", "roots" (the Mozilla roots) or PEM text with trust anchors.
pub fn client_config(verify: &str) -> Result<Arc<QuicClientConfig>, Failure> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&TLS13])
        .map_err(|error| invalid("TLS configuration", &error))?;
    let config = match verify {
        "skip" => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AcceptAnything { provider }))
            .with_no_client_auth(),
        "roots" => {
            let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
            builder.with_root_certificates(roots).with_no_client_auth()
        }
        pem => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(pem)? {
                roots.add(certificate).map_err(|error| invalid("trust anchor", &error))?;
            }
            builder.with_root_certificates(roots).with_no_client_auth()
        }
    };
    let config = QuicClientConfig::try_from(config).map_err(|error| invalid("TLS configuration", &error))?;
    Ok(Arc::new(config))
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|error| invalid("certificate", &error))?;
    if chain.is_empty() {
        return Err(Failure::new(Kind::CertificateInvalid, "the PEM text holds no certificate"));
    }
    Ok(chain)
}

fn invalid(what: &str, error: &dyn std::fmt::Display) -> Failure {
    Failure::new(Kind::CertificateInvalid, format!("{what} cannot be used: {error}"))
}

/// Skip mode: chain, name and signatures go unchecked, as clients of a server with a throw-away certificate need it.
#[derive(Debug)]
struct AcceptAnything {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for AcceptAnything {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let mut schemes = self.provider.signature_verification_algorithms.supported_schemes();
        // Offered though never verified: a peer may have nothing else.
        if !schemes.contains(&SignatureScheme::ECDSA_NISTP521_SHA512) {
            schemes.push(SignatureScheme::ECDSA_NISTP521_SHA512);
        }
        schemes
    }
}
