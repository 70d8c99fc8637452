// SPDX-License-Identifier: AGPL-3.0-or-later
// This file is part of runtara-interop, free software under the GNU Affero General Public License,
// version 3 or (at your option) any later version. See interop/LICENSE.

//! A server of the original from its ready line to its end.

use std::future::Future;
use std::net::SocketAddr;

use runtara_protocol::RuntaraServer;
use runtara_protocol::server::ConnectionHandler;

use crate::args::fail;
use crate::lifetime::{leave, told_to_stop};

/// Listens on `addr`, prints `{ready} ADDR`, gives each connection to `serve`, and ends the process when it is told to.
pub async fn serve_until_told<F, Served>(addr: SocketAddr, ready: &str, serve: F) -> !
where
    F: Fn(ConnectionHandler) -> Served + Clone + Send + Sync + 'static,
    Served: Future<Output = ()> + Send + 'static,
{
    let server = match RuntaraServer::localhost(addr) {
        Ok(server) => server,
        Err(error) => fail(&format!("{addr}: {error}")),
    };
    match server.local_addr() {
        Ok(addr) => println!("{ready} {addr}"),
        Err(error) => fail(&format!("{addr}: {error}")),
    }
    tokio::select! {
        _ = server.run(serve) => {}
        _ = told_to_stop() => server.close(),
    }
    leave().await
}
