//! Measures calls against any server of the frame protocol, with Quinn alone: `load call ADDR [inflight seconds bytes]`.
//! `load echo ADDR` is the server to compare with: a task per stream, as one writes it with Quinn.

use std::{
    error::Error,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use quinn::{
    ClientConfig, Connection, Endpoint, RecvStream, SendStream, ServerConfig, TransportConfig,
    crypto::rustls::{QuicClientConfig, QuicServerConfig},
};
use rustls::{
    RootCertStore,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime},
};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const HEADER_BYTES: usize = 6;

#[tokio::main]
async fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number =
        |index: usize, default: usize| arguments.get(index).and_then(|text| text.parse().ok()).unwrap_or(default);
    match (arguments.first().map(String::as_str), arguments.get(1)) {
        (Some("echo"), Some(address)) => echo(address.parse()?).await,
        (Some("call"), Some(address)) => load(address.parse()?, number(2, 256), number(3, 4), number(4, 32)).await,
        _ => Err("usage: load echo ADDR | load call ADDR [inflight seconds bytes]".into()),
    }
}

async fn load(address: SocketAddr, inflight: usize, seconds: usize, bytes: usize) -> Outcome<()> {
    let endpoint = client()?;
    let connection = endpoint.connect(address, "localhost")?.await?;
    let frame: Arc<[u8]> = [&(bytes as u32).to_be_bytes()[..], &1u16.to_be_bytes(), &vec![7; bytes]].concat().into();
    call(&connection, &frame).await?;
    let started = Instant::now();
    let deadline = started + Duration::from_secs(seconds as u64);
    let workers = (0..inflight).map(|_| {
        let (connection, frame) = (connection.clone(), frame.clone());
        tokio::spawn(async move {
            let mut times = Vec::new();
            while Instant::now() < deadline {
                let begun = Instant::now();
                call(&connection, &frame).await?;
                times.push(begun.elapsed());
            }
            Outcome::Ok(times)
        })
    });
    let mut times = Vec::new();
    for worker in workers.collect::<Vec<_>>() {
        times.extend(worker.await??);
    }
    let per_second = times.len() as f64 / started.elapsed().as_secs_f64();
    times.sort_unstable();
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize].as_nanos() as f64 / 1000.0;
    println!("{inflight} in flight, {bytes} B: {per_second:.0} calls/s, p50 {:.1} us, p99 {:.1} us", at(0.5), at(0.99));
    connection.close(0u32.into(), b"done");
    endpoint.wait_idle().await;
    Ok(())
}

async fn call(connection: &Connection, frame: &[u8]) -> Outcome<()> {
    let (mut send, mut recv) = connection.open_bi().await?;
    send.write_all(frame).await?;
    send.finish()?;
    let answer = read_frame(&mut recv).await?;
    if answer.len() != frame.len() { Err("the answer has another length".into()) } else { Ok(()) }
}

async fn echo(address: SocketAddr) -> Outcome<()> {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()])?;
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der())?;
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)?;
    let mut config = ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(config)?));
    let mut transport = TransportConfig::default();
    transport.max_concurrent_bidi_streams(1000u32.into());
    config.transport_config(Arc::new(transport));
    let endpoint = Endpoint::server(config, address)?;
    println!("listening on {}", endpoint.local_addr()?);
    while let Some(incoming) = endpoint.accept().await {
        tokio::spawn(async move {
            let connection = incoming.await?;
            loop {
                let (send, recv) = connection.accept_bi().await?;
                tokio::spawn(answer(send, recv));
            }
            #[allow(unreachable_code)]
            Outcome::Ok(())
        });
    }
    Ok(())
}

async fn answer(mut send: SendStream, mut recv: RecvStream) -> Outcome<()> {
    let frame = read_frame(&mut recv).await?;
    send.write_all(&frame).await?;
    send.finish()?;
    Ok(())
}

async fn read_frame(recv: &mut RecvStream) -> Outcome<Vec<u8>> {
    let mut frame = vec![0; HEADER_BYTES];
    recv.read_exact(&mut frame).await?;
    let length = u32::from_be_bytes([frame[0], frame[1], frame[2], frame[3]]) as usize;
    frame.resize(HEADER_BYTES + length, 0);
    recv.read_exact(&mut frame[HEADER_BYTES..]).await?;
    Ok(frame)
}

fn client() -> Outcome<Endpoint> {
    let mut config = rustls::ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    config.dangerous().set_certificate_verifier(Arc::new(AcceptAnything));
    let mut endpoint = Endpoint::client((std::net::Ipv4Addr::UNSPECIFIED, 0).into())?;
    endpoint.set_default_client_config(ClientConfig::new(Arc::new(QuicClientConfig::try_from(config)?)));
    Ok(endpoint)
}

#[derive(Debug)]
struct AcceptAnything;

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
