//! What the tasks of one endpoint share: the queue of events, the bell, and the tables of living things.

use std::sync::{
    Arc, Mutex, OnceLock, PoisonError, RwLock,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use napi::{
    Status,
    threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode},
};
use tokio::task::AbortHandle;

use crate::{
    admission::Counts,
    budget::{Allowance, Budget},
    certificate::ShownCertificate,
    events::{EventKind, EventQueue, LargeValue},
    failure::{Failure, Kind},
    limits,
    options::FrameOptions,
    receive::ReceiveOptions,
    reply::Call,
    stand_in::StandIn,
    stream::StreamControl,
    table::{Table, lock},
    unsent::Unsent,
};

/// Weak, so that an endpoint alone does not keep the process alive; it carries no data.
pub type Bell = ThreadsafeFunction<(), (), (), Status, false, true, 0>;

pub struct Endpoint {
    queue: Mutex<EventQueue>,
    is_rung: AtomicBool,
    bell: RwLock<Option<Bell>>,
    pub receive: ReceiveOptions,
    /// One connection's allowance.
    buffer_bytes_max: usize,
    /// What the half-read frames of all connections share.
    pub allowance: Arc<Allowance>,
    /// How large the connection's receive window is.
    window_bytes: usize,
    pub counts: Arc<Counts>,
    /// Server: answers that wait for their peers.
    pub unsent: Arc<Unsent>,
    /// Server: calls that JavaScript has not answered yet.
    pub calls: Table<Call>,
    /// Client: calls that wait for their answer, with what stops their task.
    pub pending: Table<Option<AbortHandle>>,
    pub streams: Table<StreamControl>,
    pub connections: Table<quinn::Connection>,
    /// Client: what is sent while JavaScript is busy.
    pub stand_in: Mutex<Option<StandIn>>,
    pub socket_buffers: OnceLock<[usize; 2]>,
    pub calls_received: AtomicU32,
    /// Server: what it shows in handshakes.
    pub certificate: OnceLock<Arc<ShownCertificate>>,
}

impl Endpoint {
    pub fn new(bell: Bell, frame: &FrameOptions, window_bytes: usize) -> Arc<Self> {
        Arc::new(Self {
            queue: Mutex::default(),
            is_rung: AtomicBool::new(false),
            bell: RwLock::new(Some(bell)),
            receive: frame.to_receive(),
            buffer_bytes_max: frame.connection_buffer_bytes_max as usize,
            allowance: shared_allowance(frame.endpoint_buffer_bytes_max as usize),
            window_bytes,
            counts: Arc::default(),
            unsent: frame.to_unsent(),
            calls: Table::default(),
            pending: Table::default(),
            streams: Table::default(),
            connections: Table::default(),
            stand_in: Mutex::default(),
            socket_buffers: OnceLock::new(),
            calls_received: AtomicU32::new(0),
            certificate: OnceLock::new(),
        })
    }

    /// What the frames of a new connection draw on. Frames may wait for room only as long as the connection's window has
    /// as much again for the others.
    pub fn budget(&self) -> Budget {
        let large = self.buffer_bytes_max;
        let small = (large / limits::SMALL_FRAMES_PART).max(limits::SMALL_FRAMES_BYTES_MIN);
        Budget::new(Allowance::new(large, self.window_bytes / 2, small), self.allowance.clone())
    }

    /// Adds events without telling JavaScript; `ring` must follow before the task waits.
    pub fn push(&self, add: impl FnOnce(&mut EventQueue)) {
        add(&mut lock(&self.queue));
    }

    /// Adds events and tells JavaScript.
    pub fn tell(&self, add: impl FnOnce(&mut EventQueue)) {
        self.push(add);
        self.ring();
    }

    /// Wakes JavaScript unless it has been woken and has not drained yet.
    pub fn ring(&self) {
        if self.is_rung.swap(true, Ordering::AcqRel) {
            return;
        }
        let bell = self.bell.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(bell) = bell.as_ref() {
            bell.call((), ThreadsafeFunctionCallMode::NonBlocking);
        }
    }

    /// Gives the queue to `take` and arms the bell again.
    pub fn drain<R>(&self, take: impl FnOnce(&mut EventQueue) -> R) -> R {
        let mut queue = lock(&self.queue);
        self.is_rung.store(false, Ordering::Release);
        take(&mut queue)
    }

    /// The next value too large for the slab; its reservation in the budget ends here.
    pub fn take_large(&self) -> Option<LargeValue> {
        lock(&self.queue).large.pop_front()
    }

    /// After this nothing reaches JavaScript any more.
    pub fn silence(&self) {
        self.bell.write().unwrap_or_else(PoisonError::into_inner).take();
        lock(&self.stand_in).take();
    }

    /// Runs a task whose panic would leave the endpoint deaf; then JavaScript is told that the endpoint has failed.
    pub fn supervise(self: &Arc<Self>, task: impl Future<Output = ()> + Send + 'static) {
        let endpoint = self.clone();
        tokio::spawn(async move {
            let Err(error) = tokio::spawn(task).await else { return };
            for connection in endpoint.connections.all() {
                connection.close(1u32.into(), b"internal error");
            }
            let failure = Failure::new(Kind::ConnectionLost, format!("the endpoint's task failed: {error}"));
            endpoint.tell(|queue| queue.failure(EventKind::EndpointFailed, 0, &failure));
        });
    }
}

/// Half for the large frames that have their room, an eighth for small ones, the rest for large ones that wait.
fn shared_allowance(bytes: usize) -> Arc<Allowance> {
    let (large, small) = (bytes / 2, bytes / limits::SMALL_FRAMES_PART);
    Allowance::new(large, bytes - large - small, small)
}
