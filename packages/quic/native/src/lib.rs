//! Quinn for Node. One "ready" callback per endpoint, one `drain` per batch of events, one `submit` per batch of commands.

// Nothing calls the bridge in unit tests, because napi registers nothing there.
#![cfg_attr(test, allow(dead_code))]

mod accept;
mod admission;
mod bridge;
mod budget;
mod certificate;
mod client;
mod command;
mod driver;
mod endpoint;
mod events;
mod failure;
mod frame;
mod grant;
mod hex;
mod limits;
mod options;
mod probe;
mod receive;
mod reply;
mod resume;
mod runtime;
mod send;
mod server;
mod session;
mod socket;
mod stand_in;
mod stream;
mod table;
mod tickets;
mod tls;
mod unsent;
mod verify;
