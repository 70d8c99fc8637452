//! What all modes share: a client that trusts anyone, and frames.

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use quinn::{ClientConfig, Connection, Endpoint, RecvStream, TransportConfig, crypto::rustls::QuicClientConfig};
use rustls::{
    RootCertStore,
    client::{
        Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::ring,
    pki_types::{CertificateDer, ServerName, UnixTime},
};

pub type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

pub const HEADER_BYTES: usize = 6;

const KEEP_ALIVE: Duration = Duration::from_secs(10);
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Clients with the timing of a worker, and how often any of them has checked a certificate, which only a full handshake
/// does.
pub fn clients(count: usize, is_resuming: bool) -> Outcome<(Vec<Endpoint>, Arc<AtomicUsize>)> {
    let checks = Arc::new(AtomicUsize::new(0));
    let mut tls = rustls::ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    tls.dangerous().set_certificate_verifier(Arc::new(AcceptAnything(checks.clone())));
    tls.resumption = if is_resuming { Resumption::in_memory_sessions(256) } else { Resumption::disabled() };
    let mut transport = TransportConfig::default();
    transport.keep_alive_interval(Some(KEEP_ALIVE)).max_idle_timeout(Some(IDLE_TIMEOUT.try_into()?));
    let mut config = ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls)?));
    config.transport_config(Arc::new(transport));
    let endpoints = (0..count).map(|_| {
        let mut endpoint = Endpoint::client((std::net::Ipv4Addr::UNSPECIFIED, 0).into())?;
        endpoint.set_default_client_config(config.clone());
        Ok(endpoint)
    });
    Ok((endpoints.collect::<Outcome<_>>()?, checks))
}

pub fn client() -> Outcome<Endpoint> {
    Ok(clients(1, false)?.0.remove(0))
}

/// A frame of type 1 that claims `claimed` bytes and carries `bytes`.
pub fn frame(claimed: usize, bytes: usize) -> Vec<u8> {
    [&(claimed as u32).to_be_bytes()[..], &1u16.to_be_bytes(), &vec![7; bytes]].concat()
}

/// One call, whose answer must have the request's length.
pub async fn call(connection: &Connection, frame: &[u8]) -> Outcome<()> {
    let (mut send, mut recv) = connection.open_bi().await?;
    send.write_all(frame).await?;
    send.finish()?;
    let answer = read_frame(&mut recv).await?;
    if answer.len() != frame.len() { Err("the answer has another length".into()) } else { Ok(()) }
}

pub async fn read_frame(recv: &mut RecvStream) -> Outcome<Vec<u8>> {
    let mut frame = vec![0; HEADER_BYTES];
    recv.read_exact(&mut frame).await?;
    let length = u32::from_be_bytes([frame[0], frame[1], frame[2], frame[3]]) as usize;
    frame.resize(HEADER_BYTES + length, 0);
    recv.read_exact(&mut frame[HEADER_BYTES..]).await?;
    Ok(frame)
}

#[derive(Debug)]
struct AcceptAnything(Arc<AtomicUsize>);

impl ServerCertVerifier for AcceptAnything {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &rustls::DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &rustls::DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
