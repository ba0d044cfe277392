// Every case one test of node:test, under the id that it has on the command line.
//
//     // connect.test.js, for `node --test`
//     import { conformance } from "connectspec/test";
//     conformance({ profile: "./my-proxy.toml" });
//
// Tests come from `connectspec list`, and what they say from the JSON report of one `connectspec run`, which begins with the first of
// them. Nothing is judged here.

import { execFile, execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { program } from "./program.js";

/** What a report says of a case whose test has failed. */
const RED = new Set(["fail", "healed", "blocked", "broken"]);
/** The statuses of a run that has judged: all was kept, or something was not. */
const JUDGED = new Set([0, 1]);
/** A list and what a run prints are some hundred kilobytes. */
const MOST_OUTPUT = 64 * 1024 * 1024;

/**
 * Judges one proxy.
 *
 * @param {object} subject
 * @param {string} [subject.profile] the proxy to launch: a built-in profile, or one in a file
 * @param {string} [subject.proxy] in its place, HOST:PORT of a proxy that is already running
 * @param {string} [subject.baseline] a file of known failures
 * @param {string[]} [subject.cases] selectors, such as "close" or "port/refuses_*"; all cases of the default run without them
 * @param {string[]} [subject.over] what they are asked over: "http/1.1", "tls" or "every"
 * @param {string[]} [subject.args] more arguments of `connectspec run`, such as "--strict"
 */
export function conformance({ profile, proxy, baseline, cases = [], over = [], args = [] }) {
  if ((profile === undefined) === (proxy === undefined)) {
    throw new TypeError("conformance() judges one proxy: give it `profile` or `proxy`");
  }
  const options = [
    ...(profile === undefined ? ["--proxy", proxy] : ["--profile", profile]),
    ...(baseline === undefined ? [] : ["--baseline", baseline]),
    ...args,
  ];
  const which = [...over.flatMap((version) => ["--over", version]), ...cases];
  const listed = execFileSync(program(), ["list", "--format", "json", ...which], { maxBuffer: MOST_OUTPUT });
  let run;
  const report = () => (run ??= judge([...options, ...which]));
  suite(`connectspec ${profile ?? proxy}`, () => {
    for (const { case: id } of JSON.parse(listed).cases) {
      test(id, async (t) => tell(t, id, await report()));
    }
    test("the run as a whole", async () => whole(await report()));
  });
}

async function judge(args) {
  const folder = await mkdtemp(join(tmpdir(), "connectspec-"));
  try {
    const file = join(folder, "report.json");
    const { status, said } = await ran(["run", "--quiet", ...args, "--report", `json=${file}`]);
    const report = await readFile(file, "utf8").then(JSON.parse, () => ({ run: {}, results: [] }));
    return { status, said, run: report.run, results: new Map(report.results.map((result) => [result.case, result])) };
  } finally {
    await rm(folder, { recursive: true });
  }
}

function ran(args) {
  return new Promise((resolve) => {
    execFile(program(), args, { maxBuffer: MOST_OUTPUT }, (error, stdout, stderr) => {
      resolve({ status: error ? error.code : 0, said: `${stdout}${stderr}`.trim() });
    });
  });
}

function tell(t, id, { run, said, results }) {
  const result = results.get(id);
  if (result === undefined) {
    throw broken(`${id} has no verdict: ${run.refused ?? (said || "the run ended before this case had its verdict")}`);
  }
  if (result.verdict === "skip") t.skip(result.reason);
  // Fails, and is expected to.
  if (result.verdict === "known") t.todo(result.reason);
  if (result.verdict === "warn") t.diagnostic(evidence(result));
  if (result.verdict === "known" || RED.has(result.verdict)) throw broken(evidence(result));
}

/** What makes the run red whatever its cases say: a proxy that died, a list that is out of date. */
function whole({ status, said, run }) {
  const troubles = [...(run.deaths ?? []), ...(run.stale ?? []), ...(JUDGED.has(status) ? [] : [said])];
  if (troubles.length > 0) throw broken(troubles.join("\n"));
}

/** An error whose stack, which would only name this file, gives way to what there is to say. */
function broken(message) {
  const error = new Error(message);
  error.stack = message;
  return error;
}

/** What a reader needs in order to believe it. */
function evidence(result) {
  const expected = result.expected.map((outcome, at) => `  ${at === 0 ? "expected" : "      or"}  ${outcome}`);
  const more = ["observed", "reason"].filter((word) => result[word]).map((word) => `  ${word.padStart(8)}  ${result[word]}`);
  return [
    `${result.verdict.toUpperCase()} ${result.case}   ${result.title}`,
    ...expected,
    ...more,
    ...result.transcript.map(stepLine),
    `  ${[...result.cites, result.source].join(" · ")}`,
  ].join("\n");
}

function stepLine({ at_us: at, leg, way, text }) {
  const arrow = (leg === "client") === (way === "out") ? "─▶" : "◀─";
  const between = leg === "client" ? `client ${arrow} proxy` : `          proxy ${arrow} ${leg}`;
  return `  ${(at / 1000).toFixed(1).padStart(8)} ms  ${between.padEnd(30)}${text}`;
}
