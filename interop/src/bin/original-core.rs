// SPDX-License-Identifier: AGPL-3.0-or-later
// This file is part of runtara-interop, free software under the GNU Affero General Public License,
// version 3 or (at your option) any later version. See interop/LICENSE.

//! The original core on an address and a database: `original-core ADDR DATABASE`, an SQLite file or a `postgres://` URL.
//!
//! Prints `ready ADDR` once a client has really connected. Port 0 takes a free port.

use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use runtara_core::persistence::{Persistence, PostgresPersistence, SqlitePersistence};
use runtara_core::runtime::CoreRuntime;
use runtara_interop::args::{Args, fail};
use runtara_interop::lifetime::{leave, told_to_stop};
use runtara_protocol::RuntaraClient;
use runtara_protocol::client::RuntaraClientConfig;

const USAGE: &str =
    "usage: original-core ADDR DATABASE   (ADDR ip:port, DATABASE path of an SQLite file or postgres:// URL)";

#[tokio::main]
async fn main() {
    let args = Args::from_env(USAGE);
    let wanted: SocketAddr = args.word(0, "ADDR");
    let database: String = args.word(1, "DATABASE");
    let addr = with_real_port(wanted);

    let persistence = open(&database).await;
    let started = CoreRuntime::builder().persistence(persistence).bind_addr(addr).build();
    let started = match started {
        Ok(config) => config.start().await,
        Err(error) => Err(error),
    };
    let core = match started {
        Ok(core) => core,
        Err(error) => fail(&format!("core did not start on {addr}: {error}")),
    };

    wait_until_reachable(addr, &core).await;
    println!("ready {addr}");
    told_to_stop().await;
    let _ = core.shutdown().await;
    leave().await
}

/// With its migrations carried out, as the original's own program does before it serves.
async fn open(database: &str) -> Arc<dyn Persistence> {
    if database.starts_with("postgres") {
        let pool = match sqlx::PgPool::connect(database).await {
            Ok(pool) => pool,
            Err(error) => fail(&format!("{database}: {error}")),
        };
        if let Err(error) = runtara_core::migrations::run_postgres(&pool).await {
            fail(&format!("{database}: {error}"));
        }
        return Arc::new(PostgresPersistence::new(pool));
    }
    match SqlitePersistence::from_path(Path::new(database)).await {
        Ok(persistence) => Arc::new(persistence),
        Err(error) => fail(&format!("{database}: {error}")),
    }
}

/// The original keeps port 0 as it is, so a free one is looked for beforehand.
fn with_real_port(wanted: SocketAddr) -> SocketAddr {
    if wanted.port() != 0 {
        return wanted;
    }
    match UdpSocket::bind(wanted).and_then(|socket| socket.local_addr()) {
        Ok(addr) => addr,
        Err(error) => fail(&format!("{wanted}: {error}")),
    }
}

/// The original says "started" before it has bound; only a connection proves that it listens.
async fn wait_until_reachable(addr: SocketAddr, core: &CoreRuntime) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while Instant::now() < deadline {
        if !core.is_running() {
            fail(&format!("core ended at once; is {addr} in use?"));
        }
        let client = RuntaraClient::new(RuntaraClientConfig {
            server_addr: addr,
            dangerous_skip_cert_verification: true,
            connect_timeout_ms: 500,
            ..RuntaraClientConfig::default()
        });
        if let Ok(client) = client
            && client.connect().await.is_ok()
        {
            client.close().await;
            return;
        }
    }
    fail(&format!("core does not answer on {addr}"));
}
