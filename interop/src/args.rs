// SPDX-License-Identifier: AGPL-3.0-or-later
// This file is part of runtara-interop, free software under the GNU Affero General Public License,
// version 3 or (at your option) any later version. See interop/LICENSE.

//! Command lines of the form `NAME VALUE --option value`.

use std::collections::HashMap;
use std::str::FromStr;

/// Positional words and `--name value` pairs, as given.
pub struct Args {
    words: Vec<String>,
    options: HashMap<String, String>,
}

impl Args {
    /// Reads the process's own command line; ends the process with `usage` when it does not parse.
    pub fn from_env(usage: &str) -> Args {
        let mut args = Args { words: Vec::new(), options: HashMap::new() };
        let mut given = std::env::args().skip(1);
        while let Some(word) = given.next() {
            match word.strip_prefix("--") {
                None => args.words.push(word),
                Some("help") => {
                    println!("{usage}");
                    std::process::exit(0);
                }
                Some(name) => match given.next() {
                    Some(value) => {
                        args.options.insert(name.to_owned(), value);
                    }
                    None => fail(&format!("--{name} needs a value\n{usage}")),
                },
            }
        }
        args
    }

    /// The positional word at `index`, parsed; ends the process when it is absent or malformed.
    pub fn word<T: FromStr>(&self, index: usize, name: &str) -> T {
        match self.words.get(index).map(|word| word.parse()) {
            Some(Ok(value)) => value,
            Some(Err(_)) => fail(&format!("{name} is malformed: {}", self.words[index])),
            None => fail(&format!("{name} is missing")),
        }
    }

    /// The option's value, parsed, or `default` when it was not given.
    pub fn option<T: FromStr>(&self, name: &str, default: T) -> T {
        match self.options.get(name).map(|value| value.parse()) {
            None => default,
            Some(Ok(value)) => value,
            Some(Err(_)) => fail(&format!("--{name} is malformed: {}", self.options[name])),
        }
    }
}

/// One line on stderr, exit code 1.
pub fn fail(message: &str) -> ! {
    eprintln!("{message}");
    std::process::exit(1)
}
