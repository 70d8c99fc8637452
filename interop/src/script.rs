// SPDX-License-Identifier: AGPL-3.0-or-later
// This file is part of runtara-interop, free software under the GNU Affero General Public License,
// version 3 or (at your option) any later version. See interop/LICENSE.

//! A script on stdin: one JSON object a line in, one JSON line out, in order.

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};

/// Runs `step` on each line until stdin ends. `Ok(value)` prints `{"ok": value}`, `Err(error)` prints `{"error": error}`.
pub async fn run_lines<S>(mut step: S)
where
    S: AsyncFnMut(Value) -> Result<Value, Value>,
{
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let outcome = match serde_json::from_str(&line) {
            Ok(call) => step(call).await,
            Err(error) => Err(json!({"kind": "Script", "text": error.to_string()})),
        };
        match outcome {
            Ok(value) => println!("{}", json!({"ok": value})),
            Err(error) => println!("{}", json!({"error": error})),
        }
    }
}
