//! Measures any server of the frame protocol, with Quinn alone. `load echo ADDR` is a server to compare with: a task per
//! stream, as one writes it with Quinn. The other modes are clients; those that take PID read the server's memory and
//! CPU time from /proc.

mod calls;
mod echo;
mod handshakes;
mod idle;
mod peer;
mod process;
mod stall;

use peer::Outcome;

const USAGE: &str = "usage: load echo ADDR
       load call ADDR [inflight seconds bytes]
       load idle ADDR PID [connections seconds]
       load handshakes ADDR PID [seconds inflight full|resumed]
       load stall ADDR [streams rounds inflight]";

#[tokio::main]
async fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number =
        |index: usize, default: usize| arguments.get(index).and_then(|text| text.parse().ok()).unwrap_or(default);
    match arguments[..] {
        ["echo", address] => echo::serve(address.parse()?).await,
        ["call", address, ..] => calls::run(address.parse()?, number(2, 256), number(3, 4), number(4, 32)).await,
        ["idle", address, pid, ..] => idle::run(address.parse()?, pid.parse()?, number(3, 10_000), number(4, 40)).await,
        ["handshakes", address, pid, ..] => {
            let is_resuming = arguments.get(5) == Some(&"resumed");
            handshakes::run(address.parse()?, pid.parse()?, number(3, 4), number(4, 16), is_resuming).await
        }
        ["stall", address, ..] => stall::run(address.parse()?, number(2, 500), number(3, 4), number(4, 16)).await,
        _ => Err(USAGE.into()),
    }
}
