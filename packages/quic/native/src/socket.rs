//! Host names and UDP sockets.

use std::{io, net::SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};

use crate::{
    failure::{Failure, Kind},
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

/// The granted sizes of the receive and send buffers.
pub fn buffer_sizes(socket: &std::net::UdpSocket) -> [usize; 2] {
    let socket = socket2::SockRef::from(socket);
    [socket.recv_buffer_size().unwrap_or(0), socket.send_buffer_size().unwrap_or(0)]
}
