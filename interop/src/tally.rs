// SPDX-License-Identifier: AGPL-3.0-or-later
// This file is part of runtara-interop, free software under the GNU Affero General Public License,
// version 3 or (at your option) any later version. See interop/LICENSE.

//! Latencies and errors of many calls, exact: every latency is kept.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

const ERROR_TEXTS_MAX: usize = 5;
const ERROR_TEXT_CHARS_MAX: usize = 300;

/// One caller's figures; `add` joins those of several.
#[derive(Default)]
pub struct Tally {
    /// In tenths of a microsecond.
    latencies: Vec<u32>,
    /// Successful calls outside the measured time.
    unmeasured: u64,
    errors: u64,
    error_texts: BTreeMap<String, u64>,
    read_back: u64,
}

impl Tally {
    pub fn failed(error: String) -> Tally {
        let mut tally = Tally::default();
        tally.count_error(error);
        tally
    }

    /// A call within the measured time. Errors have no latency.
    pub fn count(&mut self, latency: Duration, outcome: Result<(), String>) {
        match outcome {
            Ok(()) => self.latencies.push(u32::try_from(latency.as_nanos() / 100).unwrap_or(u32::MAX)),
            Err(error) => self.count_error(error),
        }
    }

    /// A call that began or ended outside the measured time.
    pub fn count_unmeasured(&mut self, outcome: Result<(), String>) {
        match outcome {
            Ok(()) => self.unmeasured += 1,
            Err(error) => self.count_error(error),
        }
    }

    /// An error counts whenever it happens.
    pub fn count_error(&mut self, error: String) {
        self.note(error, 1);
    }

    pub fn verified(&mut self, outcome: Result<(), String>) {
        match outcome {
            Ok(()) => self.read_back += 1,
            Err(error) => self.count_error(error),
        }
    }

    pub fn add(&mut self, other: Tally) {
        self.latencies.extend(other.latencies);
        self.unmeasured += other.unmeasured;
        self.read_back += other.read_back;
        let shown: u64 = other.error_texts.values().sum();
        self.errors += other.errors - shown;
        for (text, count) in other.error_texts {
            self.note(text, count);
        }
    }

    /// The figures as JSON. `seconds` is the measured time, `cpu_seconds` what this program used in it.
    pub fn report(mut self, seconds: f64, cpu_seconds: f64) -> Value {
        self.latencies.sort_unstable();
        let sum: u64 = self.latencies.iter().map(|&latency| u64::from(latency)).sum();
        let calls = self.latencies.len();
        let rounded = |value: f64| (value * 10.0).round() / 10.0;
        json!({
            "calls": calls,
            "allCalls": calls as u64 + self.unmeasured,
            "errors": self.errors,
            "errorTexts": self.error_texts,
            "readBack": self.read_back,
            "seconds": seconds,
            "callsPerSecond": rounded(calls as f64 / seconds),
            "meanUs": if calls == 0 { 0.0 } else { rounded(sum as f64 / calls as f64 / 10.0) },
            "p50Us": self.quantile_us(0.50),
            "p90Us": self.quantile_us(0.90),
            "p99Us": self.quantile_us(0.99),
            "p999Us": self.quantile_us(0.999),
            "maxUs": self.quantile_us(1.0),
            "cpuSeconds": (cpu_seconds * 100.0).round() / 100.0,
        })
    }

    fn quantile_us(&self, quantile: f64) -> f64 {
        let rank = (self.latencies.len() as f64 * quantile).ceil() as usize;
        self.latencies.get(rank.saturating_sub(1)).map_or(0.0, |&latency| f64::from(latency) / 10.0)
    }

    fn note(&mut self, text: String, count: u64) {
        self.errors += count;
        let text: String = text.chars().take(ERROR_TEXT_CHARS_MAX).collect();
        if self.error_texts.len() < ERROR_TEXTS_MAX || self.error_texts.contains_key(&text) {
            *self.error_texts.entry(text).or_insert(0) += count;
        }
    }
}
