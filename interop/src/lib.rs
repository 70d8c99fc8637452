// SPDX-License-Identifier: AGPL-3.0-or-later
// This file is part of runtara-interop, free software under the GNU Affero General Public License,
// version 3 or (at your option) any later version. See interop/LICENSE.

//! What the peers share. Each program in `src/bin` does one job on the published `runtara-*` 1.4.1 crates.

pub mod args;
pub mod bytes;
pub mod clock;
pub mod instance_json;
pub mod lifetime;
pub mod script;
pub mod serving;
pub mod tally;
