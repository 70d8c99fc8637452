//! Asking a silent server whether it is still there. A server that was killed after it had acknowledged a call says nothing, and nothing of ours is
//! under way that QUIC would send again; a keep-alive may be seconds away. So while calls wait and nothing is heard, a packet
//! is sent that the server has to acknowledge: one that has been started again answers with a stateless reset.

use std::{pin::Pin, time::Duration};

use quinn::{Connection, VarInt};
use tokio::time::{Instant, Sleep, sleep};

use crate::limits;

pub struct Probe {
    timer: Pin<Box<Sleep>>,
    pause: Duration,
    window_bytes: u64,
    datagrams_heard: u64,
    is_asked: bool,
}

impl Probe {
    /// `window_bytes`: the connection's receive window as it was announced.
    pub fn new(window_bytes: u64) -> Self {
        let pause = limits::PROBE_PAUSE_MIN;
        Self { timer: Box::pin(sleep(pause)), pause, window_bytes, datagrams_heard: 0, is_asked: true }
    }

    /// Something new was submitted: the next silence is a new one.
    pub fn asked(&mut self) {
        self.is_asked = true;
    }

    /// Resolves when it is time to `look`. Cancel safe; to be polled only while calls wait.
    pub async fn due(&mut self) {
        self.timer.as_mut().await;
    }

    /// Sends a packet if nothing was heard and nothing submitted since the last look.
    pub fn look(&mut self, connection: &Connection) {
        let heard = connection.stats().udp_rx.datagrams;
        if self.is_asked || heard != self.datagrams_heard {
            self.pause = limits::PROBE_PAUSE_MIN;
        } else {
            self.nudge(connection);
            self.pause = (self.pause * 2).min(limits::PROBE_PAUSE_MAX);
        }
        self.datagrams_heard = heard;
        self.is_asked = false;
        self.timer.as_mut().reset(Instant::now() + self.pause);
    }

    /// Quinn has no call for a PING. One byte more of receive window is announced instead, which has the same effect.
    fn nudge(&mut self, connection: &Connection) {
        self.window_bytes += 1;
        if let Ok(window) = VarInt::from_u64(self.window_bytes) {
            connection.set_receive_window(window);
        }
    }
}
