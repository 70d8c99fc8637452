//! An echo server with Quinn alone.

use std::{net::SocketAddr, sync::Arc};

use quinn::{Endpoint, RecvStream, SendStream, ServerConfig, TransportConfig, crypto::rustls::QuicServerConfig};
use rustls::{crypto::ring, pki_types::PrivateKeyDer};

use crate::peer::{Outcome, read_frame};

pub async fn serve(address: SocketAddr) -> Outcome<()> {
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
