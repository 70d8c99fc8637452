//! Many connections that do nothing but keep alive, over a few sockets.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use quinn::{Connection, Endpoint};
use tokio::time::sleep;

use crate::{
    peer::{Outcome, call, clients, frame},
    process::{cpu_seconds, resident_kb},
};

const SOCKETS: usize = 10;
const HANDSHAKES_AT_ONCE: usize = 64;

/// Opens the connections, one call on each, and holds them; prints what one costs the server.
pub async fn run(address: SocketAddr, pid: u32, connections: usize, seconds: usize) -> Outcome<()> {
    let (endpoints, _) = clients(SOCKETS, false)?;
    // What the first connections set up once is not counted.
    drop(open(&endpoints, address, HANDSHAKES_AT_ONCE).await?);
    let before = resident_kb(pid)?;
    let begun = Instant::now();
    let mut held = Vec::with_capacity(connections);
    while held.len() < connections {
        held.extend(open(&endpoints, address, HANDSHAKES_AT_ONCE.min(connections - held.len())).await?);
    }
    let per_connection = |now: f64| (now - before) / connections as f64;
    let opened = resident_kb(pid)?;
    println!(
        "{connections} connections in {:.1} s: {:.1} kB each",
        begun.elapsed().as_secs_f64(),
        per_connection(opened)
    );
    let cpu = cpu_seconds(pid)?;
    sleep(Duration::from_secs(seconds as u64)).await;
    let idle = resident_kb(pid)?;
    let share = 100.0 * (cpu_seconds(pid)? - cpu) / seconds as f64;
    println!("after {seconds} s of keep-alives: {:.1} kB each, server's CPU {share:.1} %", per_connection(idle));
    let lost = held.iter().filter(|connection| connection.close_reason().is_some()).count();
    if lost > 0 {
        return Err(format!("{lost} connections were lost").into());
    }
    for endpoint in &endpoints {
        endpoint.close(0u32.into(), b"done");
        endpoint.wait_idle().await;
    }
    sleep(Duration::from_secs(2)).await;
    println!("after their end: {:.1} kB each", per_connection(resident_kb(pid)?));
    Ok(())
}

async fn open(endpoints: &[Endpoint], address: SocketAddr, count: usize) -> Outcome<Vec<Connection>> {
    let opening: Vec<_> = (0..count)
        .map(|index| {
            let connecting = endpoints[index % endpoints.len()].connect(address, "localhost");
            tokio::spawn(async move {
                let connection = connecting?.await?;
                call(&connection, &frame(32, 32)).await?;
                Outcome::Ok(connection)
            })
        })
        .collect();
    let mut opened = Vec::with_capacity(count);
    for one in opening {
        opened.push(one.await??);
    }
    Ok(opened)
}
