// SPDX-License-Identifier: AGPL-3.0-or-later
// This package has no library: `npm run test:interop` runs it.
export {};
