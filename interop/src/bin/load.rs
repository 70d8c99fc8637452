// SPDX-License-Identifier: AGPL-3.0-or-later
// This file is part of runtara-interop, free software under the GNU Affero General Public License,
// version 3 or (at your option) any later version. See interop/LICENSE.

//! Load on a server through the original's client: `load poll|checkpoint|found|register --addr ADDR …`.
//!
//! `poll` sends PollSignals and demands a CANCEL signal for the asked instance. `checkpoint` registers instances, saves
//! new checkpoints, demands "saved as new", and at the end reads each caller's last one back. `found` saves a few
//! checkpoints for each caller and then sends them again and again, demanding the stored bytes. `register` registers new
//! instances. Prints one line of JSON.

use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use runtara_interop::args::{Args, fail};
use runtara_interop::clock::cpu_seconds;
use runtara_interop::tally::Tally;
use runtara_protocol::RuntaraClient;
use runtara_protocol::client::RuntaraClientConfig;
use runtara_protocol::instance_proto::{
    CheckpointRequest, GetCheckpointRequest, PollSignalsRequest, RegisterInstanceRequest, RpcRequest, RpcResponse,
    SignalType, rpc_request::Request, rpc_response::Response,
};

const USAGE: &str = "usage: load poll|checkpoint|found|register [options]
  --addr IP:PORT        the server (default 127.0.0.1:8001)
  --in-flight N         callers, each with one call in flight (default 64)
  --seconds S           measured time (default 5)
  --warmup S            time before, not counted (default 1)
  --connections N       QUIC connections that the callers share (default 1)
  --threads N           threads of this program (default: one per processor)
  --instances N         checkpoint, found: instances the callers share (default: one per caller)
  --state-bytes N       checkpoint, found: size of a state (default 256)
  --read-back BOOL      checkpoint: read each caller's last one at the end (default true)
  --count N             stop after N calls instead of after the time (default 0 = time)
  --prefix TEXT         start of instance ids (default: unique to the run)";

/// Patience for the calls still out when the time is up; one that takes longer counts as an error.
const GRACE: Duration = Duration::from_secs(30);

/// Checkpoints that each caller of `found` sends in turns.
const FOUND_IDS: u64 = 16;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Poll,
    Checkpoint,
    Found,
    Register,
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "poll" => Ok(Self::Poll),
            "checkpoint" => Ok(Self::Checkpoint),
            "found" => Ok(Self::Found),
            "register" => Ok(Self::Register),
            _ => Err(format!("no such mode: {text}")),
        }
    }
}

struct Plan {
    mode: Mode,
    read_back: bool,
    addr: SocketAddr,
    in_flight: usize,
    warmup: Duration,
    measured: Duration,
    connections: usize,
    instances: usize,
    state_bytes: usize,
    count: u64,
    prefix: String,
}

fn main() {
    let args = Args::from_env(USAGE);
    let plan = Arc::new(read_plan(&args));
    let threads = args.option("threads", std::thread::available_parallelism().map_or(1, |n| n.get()));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build();
    match runtime {
        Ok(runtime) => runtime.block_on(run(plan)),
        Err(error) => fail(&format!("no threads: {error}")),
    }
}

fn read_plan(args: &Args) -> Plan {
    let in_flight = args.option("in-flight", 64_usize).max(1);
    let count = args.option("count", 0_u64);
    let warmup = if count > 0 { 0.0 } else { args.option("warmup", 1.0) };
    Plan {
        mode: args.word(0, "poll, checkpoint, found or register"),
        read_back: args.option("read-back", true),
        addr: args.option("addr", SocketAddr::from(([127, 0, 0, 1], 8001))),
        in_flight,
        warmup: Duration::from_secs_f64(warmup),
        measured: Duration::from_secs_f64(args.option("seconds", 5.0)),
        connections: args.option("connections", 1_usize).max(1),
        instances: args.option("instances", in_flight).max(1),
        state_bytes: args.option("state-bytes", 256_usize).max(8),
        count,
        prefix: args.option("prefix", format!("load-{}-{}", std::process::id(), unix_ms())),
    }
}

fn unix_ms() -> u128 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_millis())
}

async fn run(plan: Arc<Plan>) {
    let mut clients = Vec::new();
    for _ in 0..plan.connections {
        clients.push(Arc::new(connect(plan.addr).await));
    }
    if matches!(plan.mode, Mode::Checkpoint | Mode::Found) {
        for index in 0..plan.instances {
            let registered = register(&clients[index % clients.len()], &instance_id(&plan, index)).await;
            registered.unwrap_or_else(|error| fail(&error));
        }
    }
    let begin = Instant::now();
    let measured_from = begin + plan.warmup;
    let left = Arc::new(AtomicU64::new(if plan.count > 0 { plan.count } else { u64::MAX }));
    let callers: Vec<_> = (0..plan.in_flight)
        .map(|index| {
            let client = clients[index % clients.len()].clone();
            tokio::spawn(call_in_a_loop(plan.clone(), client, index, measured_from, left.clone()))
        })
        .collect();

    tokio::time::sleep_until(measured_from.into()).await;
    let cpu_before = cpu_seconds();
    let mut total = Tally::default();
    let give_up = (plan.count == 0).then(|| measured_from + plan.measured + GRACE);
    for caller in callers {
        let abort = caller.abort_handle();
        match give_up {
            None => total.add(caller.await.unwrap_or_else(|error| Tally::failed(error.to_string()))),
            Some(at) => match tokio::time::timeout_at(at.into(), caller).await {
                Ok(tally) => total.add(tally.unwrap_or_else(|error| Tally::failed(error.to_string()))),
                Err(_) => {
                    abort.abort();
                    total.add(Tally::failed(format!("no answer within {} s after the end", GRACE.as_secs())));
                }
            },
        }
    }
    let seconds = if plan.count > 0 { begin.elapsed().as_secs_f64() } else { plan.measured.as_secs_f64() };
    println!("{}", total.report(seconds, cpu_seconds() - cpu_before));
    for client in clients {
        client.close().await;
    }
}

async fn connect(addr: SocketAddr) -> RuntaraClient {
    let config = RuntaraClientConfig {
        server_addr: addr,
        dangerous_skip_cert_verification: true,
        ..RuntaraClientConfig::default()
    };
    let client = match RuntaraClient::new(config) {
        Ok(client) => client,
        Err(error) => fail(&format!("client: {error}")),
    };
    match client.connect().await {
        Ok(_) => client,
        Err(error) => fail(&format!("{addr}: {error}")),
    }
}

async fn register(client: &RuntaraClient, instance_id: &str) -> Result<(), String> {
    let request = Request::RegisterInstance(RegisterInstanceRequest {
        instance_id: instance_id.to_owned(),
        tenant_id: "load".to_owned(),
        checkpoint_id: None,
    });
    match ask(client, request).await {
        Ok(Response::RegisterInstance(answer)) if answer.success => Ok(()),
        Ok(other) => Err(format!("registration of {instance_id}: {other:?}")),
        Err(error) => Err(format!("registration of {instance_id}: {error}")),
    }
}

async fn ask(client: &RuntaraClient, request: Request) -> Result<Response, String> {
    let answer: Result<RpcResponse, _> = client.request(&RpcRequest { request: Some(request) }).await;
    match answer {
        Ok(RpcResponse { response: Some(Response::Error(error)) }) => Err(format!("{}: {}", error.code, error.message)),
        Ok(RpcResponse { response: Some(response) }) => Ok(response),
        Ok(RpcResponse { response: None }) => Err("answer without content".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn instance_id(plan: &Plan, index: usize) -> String {
    format!("{}-{}", plan.prefix, index % plan.instances)
}

async fn call_in_a_loop(
    plan: Arc<Plan>,
    client: Arc<RuntaraClient>,
    index: usize,
    measured_from: Instant,
    left: Arc<AtomicU64>,
) -> Tally {
    let instance = instance_id(&plan, index);
    let until = measured_from + plan.measured;
    let mut tally = Tally::default();
    let mut state = vec![0x5a_u8; plan.state_bytes];
    let mut last_saved = None;
    if plan.mode == Mode::Found
        && let Err(error) = save_some(&client, &instance, index, &mut state).await
    {
        return Tally::failed(error);
    }
    for number in 0_u64.. {
        let begun = Instant::now();
        let over = if plan.count > 0 { !take_one(&left) } else { begun >= until };
        if over {
            break;
        }
        let outcome = match plan.mode {
            Mode::Checkpoint => {
                state[..8].copy_from_slice(&number.to_be_bytes());
                let id = format!("c{index}-{number}");
                let outcome = save(&client, &instance, &id, &state).await;
                if outcome.is_ok() {
                    last_saved = Some((id, number));
                }
                outcome
            }
            Mode::Found => find(&client, &instance, index, number % FOUND_IDS, &mut state).await,
            Mode::Register => register(&client, &format!("{}-{index}-{number}", plan.prefix)).await,
            Mode::Poll => poll(&client, &instance).await,
        };
        let ended = Instant::now();
        if plan.count > 0 || (ended >= measured_from && ended < until) {
            tally.count(ended - begun, outcome);
        } else {
            tally.count_unmeasured(outcome);
        }
    }
    if let (true, Some((id, number))) = (plan.read_back, last_saved) {
        state[..8].copy_from_slice(&number.to_be_bytes());
        tally.verified(read_back(&client, &instance, &id, &state).await);
    }
    tally
}

fn take_one(left: &AtomicU64) -> bool {
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| count.checked_sub(1)).is_ok()
}

async fn poll(client: &RuntaraClient, instance: &str) -> Result<(), String> {
    let request = PollSignalsRequest { instance_id: instance.to_owned(), checkpoint_id: None };
    match ask(client, Request::PollSignals(request)).await? {
        Response::PollSignals(answer) => match answer.signal {
            Some(signal) if signal.instance_id == instance && signal.signal_type == SignalType::SignalCancel as i32 => {
                Ok(())
            }
            other => Err(format!("expected CANCEL for {instance}, got {other:?}")),
        },
        other => Err(format!("expected a poll answer, got {other:?}")),
    }
}

async fn save(client: &RuntaraClient, instance: &str, id: &str, state: &[u8]) -> Result<(), String> {
    let request =
        CheckpointRequest { instance_id: instance.to_owned(), checkpoint_id: id.to_owned(), state: state.to_vec() };
    match ask(client, Request::Checkpoint(request)).await? {
        Response::Checkpoint(answer) if !answer.found => Ok(()),
        other => Err(format!("a new checkpoint was answered {other:?}")),
    }
}

/// What `find` asks for.
async fn save_some(client: &RuntaraClient, instance: &str, index: usize, state: &mut [u8]) -> Result<(), String> {
    for number in 0..FOUND_IDS {
        state[..8].copy_from_slice(&number.to_be_bytes());
        save(client, instance, &format!("f{index}-{number}"), state).await?;
    }
    Ok(())
}

/// Sends other bytes than those that are stored; the answer must have the stored ones.
async fn find(
    client: &RuntaraClient,
    instance: &str,
    index: usize,
    number: u64,
    state: &mut [u8],
) -> Result<(), String> {
    let checkpoint_id = format!("f{index}-{number}");
    let request = CheckpointRequest { instance_id: instance.to_owned(), checkpoint_id, state: Vec::new() };
    state[..8].copy_from_slice(&number.to_be_bytes());
    match ask(client, Request::Checkpoint(request)).await? {
        Response::Checkpoint(answer) if answer.found && answer.state == state => Ok(()),
        other => Err(format!("a stored checkpoint was answered {other:?}")),
    }
}

async fn read_back(client: &RuntaraClient, instance: &str, id: &str, state: &[u8]) -> Result<(), String> {
    let request = GetCheckpointRequest { instance_id: instance.to_owned(), checkpoint_id: id.to_owned() };
    match ask(client, Request::GetCheckpoint(request)).await? {
        Response::GetCheckpoint(answer) if answer.found && answer.state == state => Ok(()),
        Response::GetCheckpoint(_) => Err(format!("checkpoint {id} was acknowledged and is gone or changed")),
        other => Err(format!("expected a checkpoint, got {other:?}")),
    }
}
