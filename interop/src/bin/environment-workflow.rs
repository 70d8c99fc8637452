// SPDX-License-Identifier: AGPL-3.0-or-later
// This file is part of runtara-interop, free software under the GNU Affero General Public License,
// version 3 or (at your option) any later version. See interop/LICENSE.

//! A workflow as an image of the original's environment: started without arguments, told everything by its variables
//! and by `/data/input.json`, whose member `plan` lists what to do in turn:
//!
//! `{"steps": N, "delayMs"}` saves the checkpoints `step-1` to `step-N`; each that was not saved before adds a line to
//! `/data/workspace/ledger` · `{"retry": ID}` reports a failed attempt · `{"approval": ID}` waits for a custom signal ·
//! `{"nap": MS}` sleeps in the core · `{"doze": MS}` ends the process and asks the environment to start it again later ·
//! `{"fail": TEXT}`.
//!
//! At the end it completes with `{"saved", "found", "approvals", "word"}`: checkpoints by what became of them, payloads
//! of the custom signals, the variable WORD. A cancel or a pause is acknowledged where a checkpoint tells of it. While
//! the core is away calls are repeated.

use std::fs::{OpenOptions, read, write};
use std::io::Write;
use std::time::{Duration, Instant};

use runtara_interop::instance_json::Fields;
use runtara_sdk::{CheckpointResult, InstanceStatus, RuntaraSdk, SdkError, SignalType};
use serde_json::{Value, json};

/// How long a core may be away.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE_BETWEEN_TRIES: Duration = Duration::from_millis(50);
const WORKSPACE_LEDGER: &str = "/data/workspace/ledger";

/// Why a process ends before its plan does.
enum Stop {
    Cancelled,
    Paused,
    Dozing { checkpoint_id: String, ms: i64 },
    Failed(String),
}

impl From<SdkError> for Stop {
    fn from(error: SdkError) -> Stop {
        Stop::Failed(error.to_string())
    }
}

struct Run {
    sdk: RuntaraSdk,
    saved: u32,
    found: u32,
    approvals: Vec<String>,
}

#[tokio::main]
async fn main() {
    let mut sdk = RuntaraSdk::from_env().expect("the variables of a launch are set");
    reached(async || sdk.register(None).await).await.expect("the core takes a registration");
    let mut run = Run { sdk, saved: 0, found: 0, approvals: Vec::new() };
    let outcome = run.follow().await;
    run.report(outcome).await.expect("the core takes the end");
}

impl Run {
    async fn follow(&mut self) -> Result<(), Stop> {
        let given = read("/data/input.json").unwrap_or_default();
        // A process that is started again is given no input.
        let input: Value = serde_json::from_slice(&self.save("input", &given).await?).unwrap_or_default();
        let mut naps = 0;
        for item in input["plan"].as_array().into_iter().flatten() {
            let fields = Fields(item);
            if let Some(text) = fields.optional_text("fail") {
                return Err(Stop::Failed(text));
            } else if let Some(id) = fields.optional_text("approval") {
                self.approval(&id).await?;
            } else if let Some(id) = fields.optional_text("retry") {
                self.sdk.record_retry_attempt(&id, 1, Some("timed out")).await?;
            } else if item["steps"].is_number() {
                self.steps(&fields).await?;
            } else {
                naps += 1;
                self.rest(&fields, &format!("rest-{naps}")).await?;
            }
        }
        Ok(())
    }

    /// What the checkpoint holds: these bytes, or those of an earlier process.
    async fn save(&mut self, id: &str, state: &[u8]) -> Result<Vec<u8>, Stop> {
        let result = reached(async || self.sdk.checkpoint(id, state).await).await?;
        self.obey(&result).await?;
        if result.found {
            self.found += 1;
            return Ok(result.state);
        }
        self.saved += 1;
        Ok(state.to_vec())
    }

    async fn obey(&self, result: &CheckpointResult) -> Result<(), Stop> {
        if result.should_cancel() {
            return Err(Stop::Cancelled);
        }
        if result.should_pause() {
            self.sdk.acknowledge_signal(SignalType::Pause, true).await?;
            return Err(Stop::Paused);
        }
        Ok(())
    }

    async fn steps(&mut self, fields: &Fields<'_>) -> Result<(), Stop> {
        for number in 1..=fields.integer("steps") {
            let id = format!("step-{number}");
            if reached(async || self.sdk.get_checkpoint(&id).await).await?.is_none() {
                let mut ledger =
                    OpenOptions::new().create(true).append(true).open(WORKSPACE_LEDGER).expect("a workspace");
                writeln!(ledger, "{number}").expect("room in the workspace");
                tokio::time::sleep(Duration::from_millis(fields.integer("delayMs") as u64)).await;
            }
            self.save(&id, number.to_string().as_bytes()).await?;
        }
        Ok(())
    }

    async fn approval(&mut self, id: &str) -> Result<(), Stop> {
        loop {
            let result = reached(async || self.sdk.checkpoint(id, b"asked").await).await?;
            self.obey(&result).await?;
            if let Some(custom) = result.custom_signal {
                self.approvals.push(String::from_utf8_lossy(&custom.payload).into_owned());
                return Ok(());
            }
            tokio::time::sleep(PAUSE_BETWEEN_TRIES).await;
        }
    }

    async fn rest(&mut self, fields: &Fields<'_>, checkpoint_id: &str) -> Result<(), Stop> {
        let nap_ms = fields.integer("nap");
        if nap_ms > 0 {
            let duration = Duration::from_millis(nap_ms as u64);
            reached(async || self.sdk.sleep(duration, checkpoint_id, b"nap").await).await?;
            return Ok(());
        }
        let before = self.saved;
        self.save(checkpoint_id, b"doze").await?;
        if self.saved == before {
            return Ok(());
        }
        Err(Stop::Dozing { checkpoint_id: checkpoint_id.to_owned(), ms: fields.integer("doze") })
    }

    async fn report(&self, outcome: Result<(), Stop>) -> Result<(), SdkError> {
        let sdk = &self.sdk;
        match outcome {
            Ok(()) => {
                let word = std::env::var("WORD").ok();
                let output =
                    json!({"saved": self.saved, "found": self.found, "approvals": self.approvals, "word": word});
                reached(async || sdk.completed(output.to_string().as_bytes()).await).await
            }
            Err(Stop::Failed(text)) => {
                eprintln!("{text}");
                reached(async || sdk.failed(&text).await).await
            }
            Err(Stop::Paused) => reached(async || sdk.suspended().await).await,
            Err(Stop::Cancelled) => self.acknowledge_cancel().await,
            Err(Stop::Dozing { checkpoint_id, ms }) => {
                let output = json!({"status": "sleeping", "checkpoint_id": checkpoint_id, "wake_after_ms": ms});
                write("/data/output.json", output.to_string()).expect("room beside the input");
                Ok(())
            }
        }
    }

    /// An acknowledgement has no answer: it is repeated until the status tells that it has arrived.
    async fn acknowledge_cancel(&self) -> Result<(), SdkError> {
        loop {
            reached(async || self.sdk.acknowledge_signal(SignalType::Cancel, true).await).await?;
            if reached(async || self.sdk.get_status().await).await?.status == InstanceStatus::Cancelled {
                return Ok(());
            }
            tokio::time::sleep(PAUSE_BETWEEN_TRIES).await;
        }
    }
}

/// Repeats a call that found no core, or one on its way out.
async fn reached<T>(mut call: impl AsyncFnMut() -> Result<T, SdkError>) -> Result<T, SdkError> {
    let begun = Instant::now();
    loop {
        match call().await {
            Err(error) if is_away(&error) && begun.elapsed() < PATIENCE => {
                tokio::time::sleep(PAUSE_BETWEEN_TRIES).await
            }
            result => return result,
        }
    }
}

fn is_away(error: &SdkError) -> bool {
    match error {
        SdkError::Connection(_) => true,
        SdkError::Server { message, .. } => message == "the server is shutting down",
        _ => false,
    }
}
