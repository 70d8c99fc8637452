//! Quinn for Node. One "ready" callback per endpoint, one `drain` per batch of events, one `submit` per batch of commands.

// Nothing calls the bridge in unit tests, because napi registers nothing there.
#![cfg_attr(test, allow(dead_code))]

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
mod hex;
mod limits;
mod options;
mod receive;
mod reply;
mod runtime;
mod send;
mod server;
mod socket;
mod stream;
mod table;
mod tls;
mod verify;
