import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { instanceStatuses } from "../model.ts";
import { lifecyclePage, mermaid } from "./diagram.ts";
import { rules } from "./rules.ts";
import { lifecycleEvents } from "./table.ts";
import { lifecyclePageUrl } from "./write-diagram.ts";

describe("lifecycle page", () => {
  it("is what the docs have", () => {
    assert.equal(
      readFileSync(lifecyclePageUrl, "utf8"),
      lifecyclePage(),
      "run `node packages/store/src/lifecycle/write-diagram.ts`",
    );
  });

  it("shows every status and every change of status", () => {
    const diagram = mermaid();
    for (const status of instanceStatuses) assert.match(diagram, new RegExp(`\\b${status}\\b`));
    for (const rule of rules) {
      if (typeof rule.outcome === "string" || rule.outcome.to === "same") continue;
      const { to } = rule.outcome;
      for (const from of rule.from.filter((status) => status !== to)) {
        assert.match(diagram, new RegExp(`${from} --> ${to}: .*\\b${rule.on}\\b`));
      }
    }
  });

  it("has a line and words for every event", () => {
    const page = lifecyclePage();
    for (const event of lifecycleEvents) assert.equal(page.split(`| \`${event}\` |`).length, 3, event);
  });
});
