/**
 * docs/troubleshooting.md has an entry for everything by which Muster tells that something is wrong. To add one: write a heading
 * `### CODE` with what one sees, `- Cause:` and `- Remedy:`, then run
 * `npx vitest run --project core test/troubleshooting.test.ts -u`, which renews the module that serves the page.
 */
import { globSync, readFileSync } from "node:fs";
import { describe, expect, it, test } from "vitest";
import type { BackupFault } from "../src/backup/format.ts";
import type { ConnectFailureCode, PeerErrorCode, PeerEvent } from "../src/client/index.ts";
import { COMMANDS } from "../src/cli/commands/index.ts";
import { SYSTEM_CODES } from "../src/cli/system-codes.ts";
import {
  CLOSE,
  ERROR_CODES,
  GO_P2P_ERROR,
  isErrorCode,
  toClose,
  toGoP2pError,
  toProblem,
  type MusterError,
} from "../src/protocol/errors.ts";
import {
  AttemptView,
  DELIVERY_OUTCOMES,
  DIAL_STATES,
  TASK_STATES,
  WhyView,
} from "../src/protocol/http.ts";
import { entriesOf, troubleshootingEntry } from "../src/protocol/troubleshooting.ts";
import type { DiscoveryErrorCode } from "../src/discovery/resolver.ts";
import type { Rule } from "../src/tasks/stored-choice.ts";

const root = new URL("..", import.meta.url).pathname;
const read = (path: string) => readFileSync(`${root}${path}`, "utf8");
const PAGE = read("docs/troubleshooting.md");
const ENTRIES = entriesOf(PAGE);
const IDS = new Set(ENTRIES.map(({ id }) => id));

// The types below make the compiler say which code of a union is missing.

const PEER_ERRORS: { readonly [Code in PeerErrorCode]: true } = {
  mesh_key_mismatch: true,
  mesh_unproved: true,
  handshake_refused: true,
  not_allowed: true,
  revoked: true,
  rotated: true,
  join_key_invalid: true,
  downgrade_refused: true,
  superseded: true,
  rotation_failed: true,
  rotation_unknown: true,
  handlers_not_loaded: true,
  closed: true,
};
const CONNECT_FAILURES: { readonly [Code in ConnectFailureCode]: true } = {
  unreachable: true,
  tls_failed: true,
  no_answer: true,
  not_a_mesh: true,
  redirected: true,
  mesh_unavailable: true,
  version_unsupported: true,
  websocket_failed: true,
};
const DISCOVERY_ERRORS: { readonly [Code in DiscoveryErrorCode]: true } = {
  statement_forged: true,
  statement_old: true,
  pointer_expired: true,
  directory_old: true,
  list_incomplete: true,
  signing_key_changed: true,
  epoch_unknown: true,
  container_invalid: true,
  container_unsupported: true,
  container_too_large: true,
  container_sealed_otherwise: true,
  public_key_invalid: true,
  private_key_invalid: true,
  recipients_invalid: true,
  form_invalid: true,
  content_invalid: true,
  blob_missing: true,
  record_invalid: true,
  identity_mismatch: true,
};
const BACKUP_FAULTS: { readonly [Code in BackupFault]: true } = {
  backup_unknown: true,
  backup_newer: true,
  backup_cut_off: true,
  backup_damaged: true,
  backup_sealed_otherwise: true,
};
/** Of each event of a peer: whether it tells a problem. */
const PEER_EVENTS: { readonly [Type in PeerEvent["type"]]: boolean } = {
  connecting: false,
  ready: false,
  route_measured: false,
  sample: false,
  task_started: false,
  task_succeeded: false,
  rejected: true,
  rotated: true,
  disconnected: true,
  key_in_use: true,
  draining: true,
  task_refused: true,
  task_failed: true,
  task_cancelled: true,
  handler_unsettled: true,
  loop_blocked: true,
  mesh_error: true,
  frame_ignored: true,
  closed: true,
};
const RULES: { readonly [R in Rule]: true } = {
  not_active: true,
  cordoned: true,
  controller: true,
  other_peer_named: true,
  avoided: true,
  other_role: true,
  kind_not_handled: true,
  capability_missing: true,
  score_too_low: true,
  refused: true,
  others_may_return: true,
  failed_here: true,
  circuit_open: true,
  probe_running: true,
  no_room: true,
  not_looked_at: true,
};
const HELD_BACK: readonly string[] =
  WhyView.shape.contenders.element.shape.held_back_by.element.options;

const names = (table: Readonly<Record<string, boolean>>) =>
  Object.keys(table).filter((name) => table[name]);
const without = (all: readonly string[], ...fine: readonly string[]) =>
  all.filter((name) => !fine.includes(name));

/** Errors of the SDK itself: the first argument of each MusterApiError, and the codes of other errors. */
const sdkErrors = () => [
  "wait_timeout",
  ...globSync("src/client/**/*.ts", { cwd: root }).flatMap((file) =>
    [...read(file).matchAll(/new MusterApiError\(\s*"([a-z_]+)"/g)].map(([, code = ""]) => code),
  ),
];

const CODES: Readonly<Record<string, readonly string[]>> = {
  "error code": ERROR_CODES,
  "close code": [...Object.values(CLOSE), 1006].map(String),
  "error code of go-p2p": Object.values(GO_P2P_ERROR).map((code) => `go-p2p-error-${code}`),
  "error of discovery": ["discovery_incomplete", ...names(DISCOVERY_ERRORS)],
  "code of the system": Object.keys(SYSTEM_CODES).map((code) => code.toLowerCase()),
  "fault of a backup": Object.keys(BACKUP_FAULTS),
  "error of the SDK": [...new Set([...names(PEER_ERRORS), ...sdkErrors()])],
  "reason why no session began": names(CONNECT_FAILURES),
  "event of a peer that tells a problem": names(PEER_EVENTS),
  "rule that excludes a peer": Object.keys(RULES),
  "reason for which a peer ranks behind others": HELD_BACK,
  "state of a task without success": without(
    TASK_STATES,
    "queued",
    "leased",
    "running",
    "succeeded",
  ),
  "state of an attempt without success": without(
    AttemptView.shape.state.options,
    "offered",
    "prefetched",
    "running",
    "succeeded",
  ),
  "outcome of a delivery without a task": without(DELIVERY_OUTCOMES, "task"),
  "state of a dial that needs something": without(
    DIAL_STATES,
    "waiting",
    "queued",
    "dialling",
    "connected",
  ),
};

/** Where messages without a code are written: a file, or all of a folder, and what comes before the text. */
const MESSAGES: readonly (readonly [files: string, before: RegExp])[] = [
  ["src/cli/**/*.ts", /new Failure\(\s*/],
  // Of other errors of a call the text itself says what to do.
  ["src/cli/files.ts", /(?:isMissing\s*\? |: )(?=`)/],
  ["src/cli/files.ts", /new Kind\(\s*(?=`cannot create)/],
  ["src/cli/{key-file,state-folder}.ts", /new UsageError\(\s*/],
  ["server/{geoip/database,tls}.ts", /new UsageError\(\s*/],
  ["server/**/*.ts", /new Failure\(\s*/],
  ["server/mesh-process.ts", /const what = (?=["`]the mesh )/],
  ["src/cli/failure.ts", /message: (?=`cannot go on )/],
  ["src/cli/target.ts", /new UsageError\(\s*(?="no mesh)/],
  ["src/protocol/public-url.ts", /return err\(/],
  [
    "durable/config-variables.ts",
    /(?:error: |addIssue\(|\b(?:int|min|max|regex|refine)\([^"`\n]*|\n {4,8})(?=["`](?:is|has) )/,
  ],
  ["durable/number-variables.ts", /(?:error: |addIssue\()(?=["`]is )/],
  [
    "durable/selection-variables.ts",
    /(?:error: |\b(?:min|max)\([^"`\n]*|\n {8})(?=["`](?:is|has) )/,
  ],
  ["workers/replica-settings.ts", /(?=["`][A-Z_]+ (?:is|has) )/],
  ["workers/start-replica.ts", /(?=["`](?:UPSTASH_|MESH_)[A-Z_]+: |"the store )/],
  ["bin/replica.js", /(?=["`]PORT )/],
  ["durable/mesh-keys.ts", /return err\(/],
  ["durable/config.ts", /(?:return err\(|misconfigured\(\s*)(?=["`][A-Z])/],
  ["durable/otlp-headers.ts", /return err\(/],
  ["durable/dial-out.ts", /return err\(/],
  ["durable/outbound-fetch.ts", /NOT_PUBLIC = /],
  ["durable/callback-sender.ts", /(?:\? |: |error: |=> )(?=["`](?:no|the|not|HTTP|redirects) ?)/],
  ["src/coordinator/webhooks/callback-attempts.ts", /const error = url\.ok \? /],
  ["src/coordinator/dialing/dial-scheduler.ts", /NO_OUTCOME = /],
  ["src/coordinator/tasks/choice-explanation.ts", /return (?=[`"])/],
  ["src/coordinator/tasks/waiting-reason.ts", /(?:return|none =) (?=[`"]no)/],
  ["src/coordinator/tasks/running-limits.ts", /return (?=[`"](?:its|kind) )/],
  [
    "src/coordinator/tasks/jobs.ts",
    /(?:error[:=]| = |task\.error \?\?|cancelAttempt\(context, task,)\s*(?=["`]the )/,
  ],
  ["src/coordinator/peers/drains.ts", /error: (?=["`])/],
  ["src/protocol/outbound-url.ts", /fault\("\w+", /],
];

/** The literals of a source that come after such a text; `…` in place of what is inserted. */
const literals = (source: string, before: RegExp): string[] =>
  [
    ...source.matchAll(
      new RegExp(`${before.source}("(?:[^"\\\\]|\\\\.)*"|\`(?:[^\`\\\\]|\\\\.)*\`)`, "g"),
    ),
  ].map((found) =>
    (found.at(-1) ?? "").slice(1, -1).replaceAll(/\$\{(?:[^{}]|\{[^{}]*\})*\}/g, "…"),
  );

const withLiterals = (files: string, before: RegExp): string[] =>
  globSync(files, { cwd: root }).flatMap((file) => literals(read(file), before));

/** Whether the title of an entry covers a message: each `…` of the title stands for any text. */
const covers = (title: string, message: string): boolean =>
  new RegExp(
    `^${title
      .split("…")
      .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
      .join(".*")}$`,
  ).test(message);

describe("HT50 docs/troubleshooting.md", () => {
  for (const [what, codes] of Object.entries(CODES))
    test(`has an entry for every ${what}`, () => {
      expect(codes.length).toBeGreaterThan(0);
      expect(codes.filter((code) => !IDS.has(code))).toEqual([]);
    });

  test.each(MESSAGES)("has an entry for every message of %s", (files, before) => {
    const messages = withLiterals(files, before);
    expect(messages.length).toBeGreaterThan(0);
    expect(messages.filter((text) => !ENTRIES.some(({ title }) => covers(title, text)))).toEqual(
      [],
    );
  });

  it("has only entries of codes and messages that exist", () => {
    const codes = new Set(Object.values(CODES).flat());
    const messages = MESSAGES.flatMap(([files, before]) => withLiterals(files, before));
    const unknown = ENTRIES.filter(
      ({ id, title }) => !codes.has(id) && !messages.some((text) => covers(title, text)),
    );
    expect(unknown.map(({ title }) => title)).toEqual([]);
  });

  it("has each entry once, with what one sees, a cause and a remedy", () => {
    expect(IDS.size).toBe(ENTRIES.length);
    const form = /^### .+\n\n.+\n\n- Cause: .+\n- Remedy: .+$/;
    expect(ENTRIES.filter(({ text }) => !form.test(text)).map(({ title }) => title)).toEqual([]);
  });

  it("states title, HTTP status, close code and go-p2p error of every error code", () => {
    for (const code of ERROR_CODES) {
      const error = { code, detail: "" } as MusterError;
      const { title, status } = toProblem(error);
      const seen = `"${title}". HTTP ${status}, close code ${toClose(error).code}, go-p2p error ${toGoP2pError(error, 1).code}.`;
      expect(troubleshootingEntry(code)?.text.split("\n")[2]).toBe(seen);
    }
  });

  it("names only commands that exist", () => {
    const named = [...PAGE.matchAll(/`(?:npx )?muster ([a-z-]+)/g)].map(([, name = ""]) => name);
    expect(named.filter((name) => !Object.hasOwn(COMMANDS, name))).toEqual([]);
  });

  it("is what the gateway, the replica and `muster help` show", async () => {
    const escaped = PAGE.replaceAll(/[\\`]|\$\{/g, String.raw`\$&`);
    const module = `/** Made of docs/troubleshooting.md by test/troubleshooting.test.ts, which says how to renew it. */\n/* oxlint-disable max-lines */\nexport const TROUBLESHOOTING = \`${escaped}\`;\n`;
    await expect(module).toMatchFileSnapshot("../src/protocol/troubleshooting-text.ts");
  });
});

describe("HT51 the type of an error document", () => {
  test.each(ERROR_CODES)("leads to the entry of its code: %s", (code) => {
    const { type } = toProblem({ code, detail: "" } as MusterError);
    const { pathname, origin } = new URL(type, "https://mesh.example/v1/tasks/1?wait=3");
    expect(origin).toBe("https://mesh.example");
    const [, page, id = ""] = pathname.split("/");
    expect(page).toBe("troubleshooting");
    expect(troubleshootingEntry(id)?.title).toBe(code);
    expect(isErrorCode(id)).toBe(true);
  });
});
