//! The threads that do the network's work. They are shared by all endpoints and live as long as the process.

use std::{io, sync::OnceLock};

use tokio::runtime::{Builder, Handle, Runtime};

use crate::limits::WORKERS_MAX;

static RUNTIME: OnceLock<Runtime> = OnceLock::new();

/// The shared runtime, started on first use.
pub fn handle() -> io::Result<Handle> {
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime.handle().clone());
    }
    let workers = workers(std::env::var("RUNTARA_QUIC_WORKERS").ok().as_deref())?;
    let runtime = Builder::new_multi_thread().worker_threads(workers).thread_name("quic").enable_all().build()?;
    Ok(RUNTIME.get_or_init(|| runtime).handle().clone())
}

fn workers(text: Option<&str>) -> io::Result<usize> {
    let text = text.unwrap_or_default();
    if text.is_empty() {
        return Ok(1);
    }
    text.parse().ok().filter(|count| (1..=WORKERS_MAX).contains(count)).ok_or_else(|| {
        let text = format!("RUNTARA_QUIC_WORKERS must be a whole number from 1 to {WORKERS_MAX}, got \"{text}\"");
        io::Error::new(io::ErrorKind::InvalidInput, text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_are_a_number_in_range_or_refused() {
        assert_eq!(workers(None).ok(), Some(1));
        assert_eq!(workers(Some("")).ok(), Some(1));
        assert_eq!(workers(Some("64")).ok(), Some(64));
        for bad in ["0", "65", "abc", "-1", "1.5"] {
            let text = workers(Some(bad)).map_err(|error| error.to_string());
            assert!(text.is_err_and(|text| text.contains(bad)), "{bad}");
        }
    }
}
