//! Host names and UDP sockets.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use quinn::{
    AsyncUdpSocket, EndpointConfig, UdpPoller,
    udp::{RecvMeta, Transmit},
};
use quinn_proto::HashedConnectionIdGenerator;
use ring::hmac;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::time::sleep;

use crate::{
    failure::{Failure, Kind},
    hex, limits,
    options::TransportOptions,
};

/// The address of `host`, which may be an address or a name. The first answer of the resolver counts.
pub async fn resolve(host: &str, port: u16) -> Result<SocketAddr, Failure> {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    let looked_up = tokio::net::lookup_host((bare, port)).await;
    match looked_up.map(|mut addresses| addresses.next()) {
        Ok(Some(address)) => Ok(address),
        Ok(None) => Err(Failure::new(Kind::AddressInvalid, format!("{host:?} has no address"))),
        Err(error) => Err(Failure::new(Kind::AddressInvalid, format!("{host:?} is no usable address: {error}"))),
    }
}

/// A bound UDP socket. The OS may grant smaller buffers than asked for; `stats` shows what it granted.
pub fn bind(address: SocketAddr, transport: &TransportOptions) -> io::Result<std::net::UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    let (receive, send) = (transport.udp_receive_buffer_bytes as usize, transport.udp_send_buffer_bytes as usize);
    if receive > 0 {
        // A refusal costs throughput, not correctness.
        let _ = socket.set_recv_buffer_size(receive);
    }
    if send > 0 {
        let _ = socket.set_send_buffer_size(send);
    }
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// An endpoint whose stateless resets clients of an earlier endpoint with the same key understand (RFC 9000 section 10.3).
pub fn endpoint_config(reset_key: Option<&str>) -> Result<EndpointConfig, Failure> {
    let Some(digits) = reset_key else { return Ok(EndpointConfig::default()) };
    let key = hex::decode_32(digits)
        .ok_or_else(|| Failure::new(Kind::AddressInvalid, "the reset key is not 64 hexadecimal digits"))?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    // Connection ids must be recognized after a restart too, or packets that carry them are dropped without a reset.
    let [a, b, c, d, e, f, g, h, ..] = *hmac::sign(&key, b"connection ids").as_ref() else {
        return Err(Failure::new(Kind::AddressInvalid, "the reset key gives no key for connection ids"));
    };
    let ids = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
    let mut config = EndpointConfig::new(Arc::new(key));
    config.cid_generator(move || Box::new(HashedConnectionIdGenerator::from_key(ids)));
    Ok(config)
}

/// The granted sizes of the receive and send buffers.
pub fn buffer_sizes(socket: &std::net::UdpSocket) -> [usize; 2] {
    let socket = socket2::SockRef::from(socket);
    [socket.recv_buffer_size().unwrap_or(0), socket.send_buffer_size().unwrap_or(0)]
}

/// Lets go of the socket of a dial that has no connection, as soon as its peer has been told; Quinn alone would keep it
/// for three times its timeout.
pub async fn abandon(dialled: Option<quinn::Endpoint>) {
    let Some(quic) = dialled else { return };
    sleep(limits::ABANDON_FLUSH).await;
    // Quinn keeps the last socket beside the new one, so the second time is what frees it.
    for _ in 0..2 {
        // It fails only for a socket without an address.
        let _ = quic.rebind_abstract(Arc::new(Nowhere));
    }
}

/// A socket that takes everything and receives nothing.
#[derive(Debug)]
struct Nowhere;

impl AsyncUdpSocket for Nowhere {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(Self)
    }

    fn try_send(&self, _: &Transmit<'_>) -> io::Result<()> {
        Ok(())
    }

    fn poll_recv(
        &self,
        _: &mut Context<'_>,
        _: &mut [io::IoSliceMut<'_>],
        _: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        Poll::Pending
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok((std::net::Ipv6Addr::UNSPECIFIED, 0).into())
    }
}

impl UdpPoller for Nowhere {
    fn poll_writable(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
