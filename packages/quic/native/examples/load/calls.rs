//! Calls on one connection, a number of them at a time.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use quinn::Connection;

use crate::peer::{Outcome, call, client, frame};

pub struct Rate {
    pub per_second: f64,
    pub p50_us: f64,
    pub p99_us: f64,
}

pub async fn run(address: SocketAddr, inflight: usize, seconds: usize, bytes: usize) -> Outcome<()> {
    let endpoint = client()?;
    let connection = endpoint.connect(address, "localhost")?.await?;
    let Rate { per_second, p50_us, p99_us } = measure(&connection, inflight, seconds, bytes).await?;
    println!("{inflight} in flight, {bytes} B: {per_second:.0} calls/s, p50 {p50_us:.1} us, p99 {p99_us:.1} us");
    connection.close(0u32.into(), b"done");
    endpoint.wait_idle().await;
    Ok(())
}

pub async fn measure(connection: &Connection, inflight: usize, seconds: usize, bytes: usize) -> Outcome<Rate> {
    let frame: Arc<[u8]> = frame(bytes, bytes).into();
    call(connection, &frame).await?;
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
    Ok(Rate { per_second, p50_us: at(0.5), p99_us: at(0.99) })
}
