//! Options as they come from TypeScript, which has filled in every default.

use std::{sync::Arc, time::Duration};

use napi_derive::napi;
use quinn::{IdleTimeout, TransportConfig, VarInt};

use crate::{admission::AdmissionLimits, frame::FrameLimits, grant, limits, receive::ReceiveOptions, unsent::Unsent};

#[napi(object)]
pub struct TransportOptions {
    pub idle_timeout_ms: f64,
    pub keep_alive_interval_ms: f64,
    pub max_bidi_streams: f64,
    pub max_uni_streams: f64,
    pub max_incoming: f64,
    pub max_connections: f64,
    pub retry_from_incoming: f64,
    pub handshake_timeout_ms: f64,
    pub receive_window_bytes: f64,
    pub udp_receive_buffer_bytes: f64,
    pub udp_send_buffer_bytes: f64,
}

#[napi(object)]
pub struct FrameOptions {
    pub payload_bytes_max: f64,
    pub type_max: f64,
    pub read_timeout_ms: f64,
    pub connection_buffer_bytes_max: f64,
    pub endpoint_buffer_bytes_max: f64,
    pub connection_unsent_bytes_max: f64,
    pub endpoint_unsent_bytes_max: f64,
}

#[napi(object)]
pub struct ListenOptions {
    pub host: String,
    pub port: u16,
    pub cert_pem: String,
    pub key_pem: String,
    /// Trust anchors of clients, which then must show a certificate.
    pub client_ca_pem: Option<String>,
    /// 64 hexadecimal digits.
    pub reset_key: Option<String>,
    pub transport: TransportOptions,
    pub frame: FrameOptions,
}

#[napi(object)]
pub struct ConnectOptions {
    pub host: String,
    pub port: u16,
    pub server_name: String,
    /// As `tls::Credentials` has it.
    pub verify: String,
    pub cert_pem: Option<String>,
    pub key_pem: Option<String>,
    pub connect_timeout_ms: f64,
    /// Whether TLS sessions may be resumed and kept.
    pub is_resuming: bool,
    pub transport: TransportOptions,
    pub frame: FrameOptions,
}

/// A time in milliseconds; 0 means none.
pub fn duration(milliseconds: f64) -> Option<Duration> {
    (milliseconds > 0.0).then(|| Duration::from_millis(milliseconds as u64))
}

impl TransportOptions {
    pub fn to_client_config(&self) -> Arc<TransportConfig> {
        Arc::new(self.to_config(self.bidi_streams_max()))
    }

    /// Clients get the rest of their streams once they use these.
    pub fn to_server_config(&self) -> Arc<TransportConfig> {
        Arc::new(self.to_config(grant::first(self.bidi_streams_max())))
    }

    pub fn bidi_streams_max(&self) -> VarInt {
        varint(self.max_bidi_streams)
    }

    pub fn to_admission(&self) -> AdmissionLimits {
        AdmissionLimits {
            connections_max: self.max_connections as u32,
            handshakes_max: self.max_incoming as u32,
            retry_from: self.retry_from_incoming as u32,
            handshake_patience: duration(self.handshake_timeout_ms),
        }
    }

    /// What may lie unread on one connection; 0 means no limit.
    pub fn window_bytes(&self) -> usize {
        no_limit_if_0(self.receive_window_bytes)
    }

    /// The same within what QUIC can say.
    pub fn announced_window_bytes(&self) -> u64 {
        (self.window_bytes() as u64).min(limits::WINDOW_BYTES_MAX)
    }

    fn to_config(&self, bidi_streams: VarInt) -> TransportConfig {
        let idle = duration(self.idle_timeout_ms).and_then(|time| IdleTimeout::try_from(time).ok());
        let mut config = TransportConfig::default();
        config
            .max_idle_timeout(idle)
            .keep_alive_interval(duration(self.keep_alive_interval_ms))
            .max_concurrent_bidi_streams(bidi_streams)
            .max_concurrent_uni_streams(varint(self.max_uni_streams))
            .stream_receive_window(VarInt::from_u32(limits::STREAM_WINDOW_BYTES as u32))
            .receive_window(VarInt::from_u64(self.announced_window_bytes()).unwrap_or(VarInt::MAX));
        config
    }
}

impl FrameOptions {
    pub fn to_receive(&self) -> ReceiveOptions {
        ReceiveOptions {
            frame: FrameLimits { payload_bytes_max: self.payload_bytes_max as usize, type_max: self.type_max as u16 },
            patience: duration(self.read_timeout_ms),
        }
    }

    pub fn to_unsent(&self) -> Arc<Unsent> {
        Unsent::new(no_limit_if_0(self.connection_unsent_bytes_max), no_limit_if_0(self.endpoint_unsent_bytes_max))
    }
}

fn no_limit_if_0(bytes: f64) -> usize {
    if bytes > 0.0 { bytes as usize } else { usize::MAX }
}

/// Stream counts end at 2^60 (RFC 9000 section 4.6).
fn varint(number: f64) -> VarInt {
    VarInt::from_u64((number as u64).min(1 << 60)).unwrap_or(VarInt::MAX)
}
