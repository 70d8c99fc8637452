//! Connections that are opened and closed at once.

use std::{
    net::SocketAddr,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use quinn::Endpoint;
use tokio::time::sleep;

use crate::{
    peer::{Outcome, clients},
    process::cpu_seconds,
};

const POLL: Duration = Duration::from_micros(200);

pub async fn run(address: SocketAddr, pid: u32, seconds: usize, inflight: usize, is_resuming: bool) -> Outcome<()> {
    let (endpoints, checks) = clients(inflight, is_resuming)?;
    let started = Instant::now();
    let cpu = cpu_seconds(pid)?;
    let deadline = started + Duration::from_secs(seconds as u64);
    let workers: Vec<_> = endpoints
        .into_iter()
        .map(|endpoint| {
            tokio::spawn(async move {
                let mut count = 0;
                while Instant::now() < deadline {
                    once(&endpoint, address).await?;
                    count += 1;
                }
                Outcome::Ok(count)
            })
        })
        .collect();
    let mut count = 0;
    for worker in workers {
        count += worker.await??;
    }
    let elapsed = started.elapsed().as_secs_f64();
    let cpu_us = 1e6 * (cpu_seconds(pid)? - cpu) / count as f64;
    let resumed = count - checks.load(Ordering::Relaxed);
    println!(
        "{:.0} handshakes/s, {resumed} of {count} resumed, server's CPU {cpu_us:.0} us each, so {:.0} a second on one core",
        count as f64 / elapsed,
        1e6 / cpu_us
    );
    Ok(())
}

/// A handshake up to its confirmation, with which the session tickets come, and a close.
async fn once(endpoint: &Endpoint, address: SocketAddr) -> Outcome<()> {
    let connection = endpoint.connect(address, "localhost")?.await?;
    while connection.stats().frame_rx.handshake_done == 0 {
        sleep(POLL).await;
    }
    connection.close(0u32.into(), b"done");
    Ok(())
}
