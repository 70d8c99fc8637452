import assert from "node:assert/strict";
import { test } from "node:test";
import { driverUrl, mayBePlain } from "./driver-url.ts";

test("sslmode means what it means to libpq", () => {
  const compat = "uselibpqcompat=true";
  const forms: Record<string, [asGiven: string, mayBePlain: boolean]> = {
    "postgres://u@h/d": [`postgres://u@h/d?sslmode=prefer&${compat}`, true],
    "postgres://u@h/d?sslmode=allow": [`postgres://u@h/d?sslmode=prefer&${compat}`, true],
    "postgres://u@h/d?sslmode=require": [`postgres://u@h/d?sslmode=require&${compat}`, false],
    "postgres://u@h/d?sslmode=verify-full&sslrootcert=%2Fca": [
      `postgres://u@h/d?sslmode=verify-full&sslrootcert=%2Fca&${compat}`,
      false,
    ],
    "postgres://u@h/d?sslmode=disable": [`postgres://u@h/d?sslmode=disable&${compat}`, false],
    "postgres://u@%2Frun/d": ["postgres://u@%2Frun/d", true],
    "postgres:///d?host=%2Frun&sslmode=require": ["postgres:///d?host=%2Frun", false],
  };
  for (const [given, [expected, plain]] of Object.entries(forms)) {
    assert.equal(driverUrl(given, "as given"), expected, given);
    assert.equal(mayBePlain(given), plain, given);
  }
  assert.equal(driverUrl("postgres://u@h/d", "plain"), `postgres://u@h/d?sslmode=disable&${compat}`);
});
