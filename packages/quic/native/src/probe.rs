//! Asking a silent server whether it is still there. A server that was killed after it had acknowledged a call says
//! nothing, and nothing of ours is under way that QUIC would send again; a keep-alive may be seconds away. So while calls
//! wait and no answer comes, a packet is sent that the server has to acknowledge: one that has been started again answers
//! with a stateless reset, and for one that does not answer at all QUIC itself goes on asking.

use std::{pin::Pin, time::Duration};

use quinn::{Connection, VarInt};
use tokio::time::{Instant, Sleep, sleep};

use crate::limits;

pub struct Probe {
    timer: Pin<Box<Sleep>>,
    pause: Duration,
    window_bytes: u64,
    frames_heard: u64,
    is_asked: bool,
}

impl Probe {
    /// `window_bytes`: the connection's receive window as it was announced.
    pub fn new(window_bytes: u64) -> Self {
        let pause = limits::PROBE_PAUSE_MIN;
        Self { timer: Box::pin(sleep(pause)), pause, window_bytes, frames_heard: 0, is_asked: true }
    }

    /// Something new was submitted: the silence begins anew.
    pub fn asked(&mut self) {
        self.is_asked = true;
        if self.pause > limits::PROBE_PAUSE_MIN {
            self.look_after(limits::PROBE_PAUSE_MIN);
        }
    }

    /// Resolves when it is time to `look`. Cancel safe; to be polled only while calls wait.
    pub async fn due(&mut self) {
        self.timer.as_mut().await;
    }

    /// Sends a packet if no byte of an answer has come and nothing was submitted since the last look. The server's
    /// acknowledgement of such a packet is no answer, so the pauses grow.
    pub fn look(&mut self, connection: &Connection) {
        let heard = connection.stats().frame_rx.stream;
        let is_silent = !self.is_asked && heard == self.frames_heard;
        self.frames_heard = heard;
        self.is_asked = false;
        if is_silent {
            self.nudge(connection);
        }
        self.look_after(if is_silent {
            (self.pause * 2).min(limits::PROBE_PAUSE_MAX)
        } else {
            limits::PROBE_PAUSE_MIN
        });
    }

    fn look_after(&mut self, pause: Duration) {
        self.pause = pause;
        self.timer.as_mut().reset(Instant::now() + pause);
    }

    /// Quinn has no call for a PING. One byte more of receive window is announced instead, which has the same effect.
    fn nudge(&mut self, connection: &Connection) {
        self.window_bytes += 1;
        if let Ok(window) = VarInt::from_u64(self.window_bytes) {
            connection.set_receive_window(window);
        }
    }
}
