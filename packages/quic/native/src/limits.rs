//! Every number that bounds memory or time on the native side and is not an option.

use std::time::Duration;

/// Frames up to this size are read without a reservation in the connection's buffer budget.
pub const UNRESERVED_FRAME_BYTES_MAX: usize = 64 << 10;

/// Values above this size cross to JavaScript as a buffer of their own instead of inside the slab.
pub const SLAB_VALUE_BYTES_MAX: usize = 64 << 10;

/// A slab that has grown this far takes no more values; they cross as buffers of their own.
pub const SLAB_BYTES_MAX: usize = 1 << 30;

/// Slabs above this size are handed over as they are; below it a copy is cheaper than a finalizer.
pub const SLAB_COPY_BYTES_MAX: usize = 64 << 10;

/// What a frame reader takes from Quinn in one go.
pub const READ_CHUNKS_MAX: usize = 4;

/// The largest piece of a raw stream that crosses as one event.
pub const STREAM_READ_BYTES_MAX: usize = 256 << 10;

/// Pieces in which large values are copied on their way out.
pub const LARGE_PIECE_BYTES: usize = 64 << 10;

/// Client: silence after which a server that owes answers is asked for a sign of life, and the longest pause between two such
/// questions.
pub const PROBE_PAUSE_MIN: Duration = Duration::from_millis(250);
pub const PROBE_PAUSE_MAX: Duration = Duration::from_secs(8);

/// The largest receive window, which leaves room to announce more.
pub const WINDOW_BYTES_MAX: u64 = 1 << 61;

/// With this code an answer is reset, or a connection closed, because its peer leaves too much unread.
pub const UNREAD_CODE: u32 = 2;

/// Streams accepted in a row before JavaScript is told.
pub const ACCEPTS_PER_RING_MAX: usize = 64;

/// How far back a made certificate's validity begins.
pub const CERTIFICATE_BACKDATE: Duration = Duration::from_secs(3600);

/// Step of the wait for a server's judgement of the client's certificate.
pub const CONFIRM_STEP: Duration = Duration::from_millis(1);

/// How long a closing endpoint waits for its answers and close packets to leave.
pub const CLOSE_FLUSH_MAX: Duration = Duration::from_millis(250);

/// Step of that wait.
pub const CLOSE_FLUSH_STEP: Duration = Duration::from_millis(2);

/// How long a closing listener waits for its connections to drain before it lets go of the socket anyway.
pub const CLOSE_DRAIN_MAX: Duration = Duration::from_secs(1);

/// Streams that a client may open before it has used half of them; Quinn's own default.
pub const FIRST_STREAMS: u32 = 100;

/// What may lie unread in one stream; Quinn's own default, for 100 Mbit/s at 100 ms.
pub const STREAM_WINDOW_BYTES: usize = 1_250_000;

/// The part of an allowance that small frames have: one in so many bytes.
pub const SMALL_FRAMES_PART: usize = 8;

/// What the small frames of a connection may hold however small its allowance is: sixteen of the largest.
pub const SMALL_FRAMES_BYTES_MIN: usize = 1 << 20;

/// Handshakes that have come and are not looked at yet, which takes no longer than the accept task's next turn.
pub const ACCEPT_QUEUE_MAX: usize = 1_024;

/// Packets of one such handshake, and of all of them, that are kept until then.
pub const ACCEPT_BUFFER_BYTES_MAX: u64 = 64 << 10;
pub const ACCEPT_BUFFERS_BYTES_MAX: u64 = 16 << 20;

/// Client: TLS configurations kept for the next connection with the same options.
pub const KEPT_CONFIGS_MAX: usize = 64;

/// Client: servers whose session tickets are kept.
pub const KEPT_SERVERS_MAX: usize = 256;

/// Client: tickets kept for one server, each for one connection.
pub const KEPT_TICKETS_MAX: usize = 4;

/// How long a given-up dial may take to tell its peer before it lets go of its socket.
pub const ABANDON_FLUSH: Duration = Duration::from_millis(2);

/// What is read of an answer that nobody waits for.
pub const STAND_IN_ANSWER_BYTES_MAX: usize = 64 << 10;

/// The most threads of the network that `RUNTARA_QUIC_WORKERS` may ask for.
pub const WORKERS_MAX: usize = 64;
