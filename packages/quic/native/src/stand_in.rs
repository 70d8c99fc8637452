//! Standing in for JavaScript: while its event loop is busy, a frame that it has prepared is sent in its place.

use std::time::Duration;

use bytes::Bytes;
use quinn::{Connection, ConnectionError};
use tokio::{
    runtime::Handle,
    sync::watch,
    task::AbortHandle,
    time::{Instant, sleep, sleep_until, timeout},
};

use crate::limits;

/// When the frame is sent.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// While it stands in: once in this time.
    pub every: Duration,
    /// It begins after this long without a sign of life.
    pub quiet: Duration,
    /// After this long without one it leaves off, until there is one again.
    pub stop: Duration,
}

/// What JavaScript gives its signs of life to; dropping it ends the task.
#[derive(Debug)]
pub struct StandIn {
    signs: watch::Sender<Instant>,
    task: AbortHandle,
}

impl StandIn {
    pub fn start(runtime: &Handle, connection: Connection, frame: Vec<Bytes>, pace: Pace) -> Self {
        let (signs, seen) = watch::channel(Instant::now());
        let task = runtime.spawn(watch_over(connection, frame, pace, seen)).abort_handle();
        Self { signs, task }
    }

    pub fn sign(&self) {
        self.signs.send_replace(Instant::now());
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Ends with the connection.
async fn watch_over(connection: Connection, frame: Vec<Bytes>, pace: Pace, mut signs: watch::Receiver<Instant>) {
    loop {
        let silence = signs.borrow_and_update().elapsed();
        if silence >= pace.stop {
            if signs.changed().await.is_err() {
                return;
            }
        } else if silence < pace.quiet {
            sleep(pace.quiet - silence).await;
        } else {
            let next = Instant::now() + pace.every;
            if let Ok(Err(_)) = timeout(pace.every, exchange(&connection, &frame)).await {
                return;
            }
            sleep_until(next).await;
        }
    }
}

/// Sends the frame and throws the answer away, whatever it is: it is read so that the peer does not take its call for aborted.
async fn exchange(connection: &Connection, frame: &[Bytes]) -> Result<(), ConnectionError> {
    let (mut send, mut recv) = connection.open_bi().await?;
    // What goes wrong here concerns one stream; the next one tells whether the connection has ended.
    if send.write_all_chunks(&mut frame.to_vec()).await.is_ok() && send.finish().is_ok() {
        let _ = recv.read_to_end(limits::STAND_IN_ANSWER_BYTES_MAX).await;
    }
    Ok(())
}
