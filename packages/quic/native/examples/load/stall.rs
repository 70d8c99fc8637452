//! Calls on one connection while another one has begun frames that it never finishes.

use std::net::SocketAddr;

use quinn::{Connection, SendStream};

use crate::{
    calls::{Rate, measure},
    peer::{Outcome, client, frame},
};

const CLAIMED_BYTES: usize = 60_000;
const SENT_BYTES: usize = 1_000;
const CALL_BYTES: usize = 32;

/// Measures in turns, alone and beside the stalled streams, because a busy machine has its moods.
pub async fn run(address: SocketAddr, streams: usize, rounds: usize, inflight: usize) -> Outcome<()> {
    let (caller, staller) = (client()?, client()?);
    let connection = caller.connect(address, "localhost")?.await?;
    let stalling = staller.connect(address, "localhost")?.await?;
    measure(&connection, inflight, 1, CALL_BYTES).await?;
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        alone.push(measure(&connection, inflight, 1, CALL_BYTES).await?);
        let begun = begin(&stalling, streams).await?;
        beside.push(measure(&connection, inflight, 1, CALL_BYTES).await?);
        for mut send in begun {
            send.reset(0u32.into())?;
        }
    }
    let (alone, beside) = (median(alone), median(beside));
    for (what, rate) in [("alone", &alone), ("beside them", &beside)] {
        println!("{what}: {:.0} calls/s, p50 {:.1} us, p99 {:.1} us", rate.per_second, rate.p50_us, rate.p99_us);
    }
    println!("{streams} streams stalled, {rounds} rounds: ratio {:.2}", beside.per_second / alone.per_second);
    Ok(())
}

/// Begun frames, of which the server waits for the rest.
async fn begin(connection: &Connection, streams: usize) -> Outcome<Vec<SendStream>> {
    let mut begun = Vec::with_capacity(streams);
    for _ in 0..streams {
        let (mut send, _) = connection.open_bi().await?;
        send.write_all(&frame(CLAIMED_BYTES, SENT_BYTES)).await?;
        begun.push(send);
    }
    Ok(begun)
}

fn median(mut rates: Vec<Rate>) -> Rate {
    rates.sort_by(|one, other| one.per_second.total_cmp(&other.per_second));
    rates.swap_remove(rates.len() / 2)
}
