//! Server: session tickets (RFC 8446 section 4.6.1), and what they are tied to. A ticket is good only while the listener
//! shows the certificate with which the session began, and while the client's certificates of then are valid.

use std::sync::Arc;

use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    pki_types::{CertificateDer, UnixTime},
    server::{
        ProducesTickets,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
};

use crate::session::note;

const FINGERPRINT_BYTES: usize = 32;
const TIME_BYTES: usize = 8;

/// Tickets of `inner` with the ties in front, under the same encryption.
#[derive(Debug)]
pub struct TiedTickets(pub Arc<dyn ProducesTickets>);

impl ProducesTickets for TiedTickets {
    fn enabled(&self) -> bool {
        self.0.enabled()
    }

    fn lifetime(&self) -> u32 {
        self.0.lifetime()
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        let (fingerprint, not_after) = note(|notes| (notes.fingerprint, notes.client_not_after))?;
        let time = not_after.unwrap_or(u64::MAX).to_be_bytes();
        self.0.encrypt(&[&fingerprint?[..], &time, plain].concat())
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        let mut plain = self.0.decrypt(cipher)?;
        let (fingerprint, rest) = plain.split_first_chunk::<FINGERPRINT_BYTES>()?;
        let (time, _) = rest.split_first_chunk::<TIME_BYTES>()?;
        let not_after = u64::from_be_bytes(*time);
        let is_shown = note(|notes| notes.fingerprint.as_ref() == Some(fingerprint))?;
        if !is_shown || not_after < UnixTime::now().as_secs() {
            return None;
        }
        note(|notes| notes.client_not_after = Some(not_after));
        plain.drain(..FINGERPRINT_BYTES + TIME_BYTES);
        Some(plain)
    }
}

/// Judges clients as `inner` does and notes how long the judgement holds.
#[derive(Debug)]
pub struct NotedClients(pub Arc<dyn ClientCertVerifier>);

impl ClientCertVerifier for NotedClients {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.0.verify_client_cert(end_entity, intermediates, now)?;
        let end = not_after(end_entity).ok_or(Error::InvalidCertificate(CertificateError::BadEncoding))?;
        // Certificates that cannot be read were not needed for the judgement.
        let end = intermediates.iter().filter_map(not_after).fold(end, u64::min);
        note(|notes| notes.client_not_after = Some(end));
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// The end of a certificate's validity in seconds since 1970.
fn not_after(certificate: &CertificateDer<'_>) -> Option<u64> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
    u64::try_from(parsed.validity().not_after.timestamp()).ok()
}
