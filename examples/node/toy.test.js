// What the toy keeps and breaks: `node --test`.

import { conformance } from "connectspec/test";

conformance({
  profile: "./toy.toml",
  baseline: process.env.KNOWN || undefined,
  cases: process.env.CASES?.split(" "),
});
