import { writeFileSync } from "node:fs";
import { lifecyclePage } from "./diagram.ts";

/** Where the page is kept. */
export const lifecyclePageUrl: URL = new URL("../../../../docs/lifecycle.md", import.meta.url);

if (import.meta.main) writeFileSync(lifecyclePageUrl, lifecyclePage());
