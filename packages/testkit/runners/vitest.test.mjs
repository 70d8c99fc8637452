import { test } from "vitest";
import { suite } from "./suite.mjs";

suite(test);
