import { test } from "@jest/globals";
import { suite } from "./suite.mjs";

suite((name, run) => test(name, run, 60_000));
