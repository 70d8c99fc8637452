//! Whom a client trusts, and what it says of a server that it does not.

use std::sync::Arc;

use ring::digest::{SHA256, digest};
use rustls::{
    CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};

use crate::{
    failure::{Failure, Kind},
    hex,
    session::note,
};

#[derive(Debug)]
pub enum Trust {
    /// Chain, name, dates and signatures go unchecked, as clients of a server with a throw-away certificate need it.
    Anything,
    /// Chain, name and dates, from these authorities.
    Authorities(Arc<WebPkiServerVerifier>),
    /// Exactly this certificate by its SHA-256, whatever its names and dates; the server must hold its key.
    Fingerprint([u8; 32]),
}

impl Trust {
    pub fn authorities(roots: RootCertStore, provider: &Arc<CryptoProvider>) -> Result<Self, Failure> {
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
            .build()
            .map_err(|error| Failure::new(Kind::CertificateInvalid, format!("no trust anchor to use: {error}")))?;
        Ok(Self::Authorities(verifier))
    }
}

#[derive(Debug)]
pub struct Verifier {
    pub trust: Arc<Trust>,
    pub provider: Arc<CryptoProvider>,
}

impl Trust {
    /// The failure is what there is to say beyond the alert.
    pub fn judge(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<(), (Error, Option<Failure>)> {
        match self {
            Self::Anything => Ok(()),
            Self::Authorities(inner) => {
                match inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
                    Ok(_) => Ok(()),
                    Err(error) => {
                        let failure = explain(&error, end_entity, server_name);
                        Err((error, failure))
                    }
                }
            }
            Self::Fingerprint(wanted) if digest(&SHA256, end_entity).as_ref() == wanted => Ok(()),
            Self::Fingerprint(wanted) => {
                let (shown, wanted) = (fingerprint(end_entity), hex::encode(wanted));
                let text = format!(
                    "the server shows the certificate with SHA-256 {shown}, pinned is {wanted}; if the server has \
                     renewed it, pin the new one"
                );
                let error = Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure);
                Err((error, Some(Failure::new(Kind::TlsCertificateUnknown, text))))
            }
        }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let judged = self.trust.judge(end_entity, intermediates, server_name, ocsp_response, now);
        note(|notes| notes.is_shown = true);
        match judged {
            Ok(()) => {
                let chain = std::iter::once(end_entity).chain(intermediates);
                let chain = chain.map(|certificate| certificate.clone().into_owned()).collect();
                note(|notes| notes.chain = Some(Arc::new(chain)));
                Ok(ServerCertVerified::assertion())
            }
            Err((error, failure)) => {
                note(|notes| notes.verdict = failure);
                Err(error)
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match *self.trust {
            Trust::Anything => Ok(HandshakeSignatureValid::assertion()),
            _ => verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms),
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match *self.trust {
            Trust::Anything => Ok(HandshakeSignatureValid::assertion()),
            _ => verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms),
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let mut schemes = self.provider.signature_verification_algorithms.supported_schemes();
        // Offered though never verified: a peer may have nothing else.
        if matches!(*self.trust, Trust::Anything) && !schemes.contains(&SignatureScheme::ECDSA_NISTP521_SHA512) {
            schemes.push(SignatureScheme::ECDSA_NISTP521_SHA512);
        }
        schemes
    }
}

/// The refusals that a user can do something about; the others stay TLS_FAILED.
fn explain(error: &Error, certificate: &CertificateDer<'_>, name: &ServerName<'_>) -> Option<Failure> {
    let Error::InvalidCertificate(reason) = error else { return None };
    let name = name.to_str();
    let (kind, text) = match reason {
        CertificateError::NotValidForName => (
            Kind::TlsNameMismatch,
            format!("the server's certificate is not for {name:?}; set serverName to a name that it has"),
        ),
        CertificateError::NotValidForNameContext { presented, .. } => (
            Kind::TlsNameMismatch,
            format!(
                "the server's certificate is for {}, not for {name:?}; set serverName to one of its names or renew \
                 it with this name",
                presented.join(", ")
            ),
        ),
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => (
            Kind::TlsCertificateExpired,
            format!("the server's certificate is not valid now ({reason}); renew it, or set this machine's clock"),
        ),
        // A bad signature: an authority of the same name but with another key.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => (
            Kind::TlsCertificateUnknown,
            format!(
                "no trusted authority has signed the server's certificate (SHA-256 {}); verify with its authority's \
                 certificate, or pin this fingerprint once you have compared it",
                fingerprint(certificate)
            ),
        ),
        _ => return None,
    };
    Some(Failure::new(kind, text))
}

fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    hex::encode(digest(&SHA256, certificate).as_ref())
}

#[cfg(test)]
mod tests {
    use rustls::{ClientConfig, ClientConnection, ServerConfig, ServerConnection, crypto::ring, sign::CertifiedKey};

    use super::*;
    use crate::certificate::{ShownCertificate, certified_key, generate_self_signed};

    /// Whether a client that pins the certificate finishes a handshake with a server that signs with this key.
    fn is_let_in(shown: &CertifiedKey, key: &CertifiedKey) -> Result<(), Error> {
        let provider = Arc::new(ring::default_provider());
        let pin: [u8; 32] = digest(&SHA256, &shown.cert[0]).as_ref().try_into().unwrap_or_default();
        let verifier = Verifier { trust: Arc::new(Trust::Fingerprint(pin)), provider: provider.clone() };
        let client = ClientConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        let stolen = CertifiedKey::new(shown.cert.clone(), key.key.clone());
        let server = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_no_client_auth()
            .with_cert_resolver(ShownCertificate::new(Arc::new(stolen)));
        let name = ServerName::try_from("localhost").map_err(|error| Error::General(error.to_string()))?;
        let mut client = ClientConnection::new(Arc::new(client), name)?;
        let mut server = ServerConnection::new(Arc::new(server))?;
        let fail = |error: std::io::Error| Error::General(error.to_string());
        while client.is_handshaking() {
            let (mut request, mut answer) = (Vec::new(), Vec::new());
            client.write_tls(&mut request).map_err(fail)?;
            server.read_tls(&mut &request[..]).map_err(fail)?;
            server.process_new_packets()?;
            while server.wants_write() {
                server.write_tls(&mut answer).map_err(fail)?;
            }
            let mut rest = &answer[..];
            while !rest.is_empty() {
                client.read_tls(&mut rest).map_err(fail)?;
                client.process_new_packets()?;
            }
        }
        Ok(())
    }

    #[test]
    fn a_pinned_certificate_is_useless_without_its_key() {
        let made = || {
            let [cert, key] = generate_self_signed(vec!["localhost".into()]).unwrap_or_default();
            certified_key(&cert, &key).map_err(|failure| failure.text)
        };
        let (Ok(owner), Ok(thief)) = (made(), made()) else { unreachable!("no certificates") };
        assert_eq!(is_let_in(&owner, &owner), Ok(()));
        assert_eq!(is_let_in(&owner, &thief), Err(Error::InvalidCertificate(CertificateError::BadSignature)));
    }
}
