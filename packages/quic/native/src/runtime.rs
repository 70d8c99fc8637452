//! The threads that do the network's work. They are shared by all endpoints and live as long as the process.

use std::{io, sync::OnceLock};

use tokio::runtime::{Builder, Handle, Runtime};

static RUNTIME: OnceLock<Runtime> = OnceLock::new();

/// The shared runtime, started on first use.
pub fn handle() -> io::Result<Handle> {
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime.handle().clone());
    }
    let workers = std::env::var("RUNTARA_QUIC_WORKERS")
        .ok()
        .and_then(|text| text.parse().ok())
        .filter(|count| (1..=64).contains(count))
        .unwrap_or(1);
    let runtime = Builder::new_multi_thread().worker_threads(workers).thread_name("quic").enable_all().build()?;
    Ok(RUNTIME.get_or_init(|| runtime).handle().clone())
}
