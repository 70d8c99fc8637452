// SPDX-License-Identifier: AGPL-3.0-or-later
// This file is part of runtara-interop, free software under the GNU Affero General Public License,
// version 3 or (at your option) any later version. See interop/LICENSE.

//! When a peer ends: with its parent, or when told.

use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::signal::unix::{SignalKind, signal};

/// Returns at SIGTERM, at SIGINT, or, if stdin is a pipe or a socket, when its other end is closed.
/// A terminal or /dev/null as stdin is not watched, so that a shell can start a peer in the background.
pub async fn told_to_stop() {
    let mut terminate = signal(SignalKind::terminate()).expect("SIGTERM can be handled");
    let mut interrupt = signal(SignalKind::interrupt()).expect("SIGINT can be handled");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        _ = parent_gone() => {}
    }
}

/// Ends the process after a server was closed. The close packets need a moment to leave, and a thread that still reads
/// stdin must not hold the process.
pub async fn leave() -> ! {
    tokio::time::sleep(Duration::from_millis(50)).await;
    std::process::exit(0)
}

async fn parent_gone() {
    let target = std::fs::read_link("/proc/self/fd/0").unwrap_or_default();
    let target = target.to_string_lossy();
    if !target.starts_with("pipe:") && !target.starts_with("socket:") {
        return std::future::pending().await;
    }
    let mut stdin = tokio::io::stdin();
    let mut buffer = [0u8; 256];
    while matches!(stdin.read(&mut buffer).await, Ok(count) if count > 0) {}
}
