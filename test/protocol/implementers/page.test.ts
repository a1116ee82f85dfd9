/** docs/protocol.md says what the code does: its numbers, fields, codes and examples are those of the code. */
import { globSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { JSON_DEPTH_MAX } from "../../../src/base/json.ts";
import { CLOSE } from "../../../src/protocol/close-codes.ts";
import { DRAIN_TIMEOUT_MAX } from "../../../src/protocol/drain-limits.ts";
import * as c from "../../../src/protocol/constants.ts";
import {
  GO_P2P_ERROR,
  isErrorCode,
  statusOf,
  toClose,
  type MusterError,
} from "../../../src/protocol/errors.ts";
import {
  GO_P2P_REPLIES,
  GO_P2P_REQUESTS,
  isMessageType,
  PAYLOADS,
} from "../../../src/protocol/messages.ts";
import { readEnvelope } from "../../../src/protocol/read-envelope.ts";
import { TEXT_CHARS_MAX } from "../../../src/protocol/cut-texts.ts";
import { MAX_FRAME_LEAST, MAX_FRAME_MOST } from "../../../src/protocol/max-frame.ts";
import { MESSAGE_LIMITS } from "../../../src/protocol/message-limits.ts";
import { RETRY_AFTER_SECONDS_MAX } from "../../../src/protocol/retry-after.ts";
import * as sdk from "../../../src/client/timings.ts";
import { must } from "../../must.ts";
import { jsonSchemaOf, MESSAGE_TYPES, SCHEMAS } from "./message-schemas.ts";

const DOCS = new URL("../../../docs/", import.meta.url).pathname;
const PAGE = readFileSync(`${DOCS}protocol.md`, "utf8");
/** The page without its line breaks, so that sentences may be broken anywhere. */
const TEXT = PAGE.replaceAll(/\s+/g, " ");

const slug = (title: string) =>
  title
    .toLowerCase()
    .replaceAll(/[^\w\s-]/g, "")
    .replaceAll(" ", "-");

/** The text below each heading, up to the next heading of any level. */
const SECTIONS = new Map(
  PAGE.split(/^#{1,3} /m)
    .slice(1)
    .map((part) => [slug(part.split("\n")[0] ?? ""), part]),
);
const section = (id: string): string => SECTIONS.get(id) ?? "";

/** The items of the lists in a section: what is before the first colon outside of code, and the rest. */
const itemsOf = (id: string): readonly (readonly [head: string, rest: string])[] =>
  section(id)
    .split(/^- /m)
    .slice(1)
    .map((item) => {
      const [, head = "", rest = ""] = /^((?:`[^`]*`|[^`:])*):\s([\s\S]*)/.exec(item) ?? [];
      return [head, rest];
    });
const codesIn = (text: string): readonly string[] =>
  [...text.matchAll(/`([a-z_0-9]+)`/g)].map(([, code = ""]) => code);
/** The items that begin with a number and name codes. */
const numbered = (id: string): readonly (readonly [number: number, code: string])[] =>
  itemsOf(id).flatMap(([head]) =>
    /^\d/.test(head) ? codesIn(head).map((code) => [Number.parseInt(head, 10), code] as const) : [],
  );

const n = (value: number): string => value.toLocaleString("en-US");
const s = (millis: number): string => n(millis / 1_000);
const MINUTE = 60_000;
const { rotate, announce, advert, rtts, drain } = MESSAGE_LIMITS;

const SENTENCES: readonly string[] = [
  `by at most ${s(c.CONNECT_CLOCK_SKEW_MAX)} s`,
  `may begin ${c.HANDSHAKES_PER_MINUTE} handshakes a minute, and one peer may have ${c.UNAUTHENTICATED_SOCKETS_MAX} sockets`,
  `by ${sdk.CLOCK_CORRECTION_MAX / (60 * MINUTE)} h at most, and for one dial`,
  `a frame over ${n(c.HELLO_BYTES_MAX)} bytes`,
  `one frame only, of ${n(c.HELLO_BYTES_MAX)} bytes at most`,
  `within ${s(c.HANDSHAKE_TIMEOUT)} s of the upgrade`,
  `Message 3 has at most ${n(c.HELLO_BYTES_MAX)} bytes, so the hello's JSON has at most ${n(c.HELLO_BYTES_MAX - 64)}.`,
  `labels, at most ${c.CAPABILITIES_MAX}.`,
  `the kinds that the peer handles, at most ${c.KINDS_PER_PEER_MAX}.`,
  `how many tasks run at once, 0 to ${c.SLOTS_MAX}.`,
  `a list of \`{"task_id", "fence"}\`, at most ${c.HELD_TASKS_MAX}.`,
  `a frame has at most ${n(c.FRAME_BYTES_MAX)} bytes (1 MiB), tag included`,
  `if the peer has set a \`max_frame\`: ${n(MAX_FRAME_LEAST)} to ${n(MAX_FRAME_MOST)} bytes`,
  `in bytes: ${n(MAX_FRAME_LEAST)} to ${n(MAX_FRAME_MOST)}. Absent: ${n(c.FRAME_BYTES_MAX)}.`,
  `is cut to ${TEXT_CHARS_MAX} characters and \`…\`. The limit is only`,
  `\`error\` is cut to ${TEXT_CHARS_MAX} characters and \`…\``,
  `A message has at most ${JSON_DEPTH_MAX + 1} levels`,
  `a peer gives up ${s(sdk.DIAL_ATTEMPT_TIMEOUT)} s after it began to dial`,
  `gets no close within ${s(sdk.DISCONNECT_GRACE)} s`,
  `at most ${c.ADVERT_PEERS_MAX} of \`{"public_key"`,
  `visible ASCII, at most ${c.ADDRESS_CHARS_MAX} characters`,
  `at most ${c.SAMPLE_POINTERS_MAX} IDs for`,
  `\`rtts\`, 1 to ${c.RTTS_PER_MESSAGE_MAX} of`,
  `(0 to ${n(c.RTT_MAX_MS)})`,
  `at most ${n(c.TASK_PAYLOAD_BYTES_MAX)} bytes of JSON text, and at most ${c.VALUE_DEPTH_MAX} levels`,
  `up to ${n(c.DEPLOY_PAYLOAD_BYTES_MAX)} bytes`,
  `1 s to ${s(c.LEASE_MAX)} s`,
  `The peer answers within ${s(c.ACCEPT_TIMEOUT)} s.`,
  `held back for ${s(c.ACCEPT_TIMEOUT)} s or more`,
  `At most ${c.OFFERS_OUTSTANDING_MAX} offers of one peer are unanswered`,
  `\`message\` (at most ${c.PROGRESS_MESSAGE_CHARS_MAX} characters)`,
  `at most ${c.PROGRESS_PER_SECOND} a second for each attempt`,
  `\`error\` (text, at most ${n(c.TASK_ERROR_CHARS_MAX)} characters)`,
  `At most ${c.HELD_TASKS_MAX}; if there are more`,
  `Up to ${n(c.TASK_RESULT_BYTES_MAX)} bytes of JSON text (UTF-8)`,
  `More, up to ${n(c.TASK_LARGE_RESULT_BYTES_MAX)} bytes (25 MiB)`,
  `at least ${sdk.UNCONFIRMED_RESULTS_MIN} of them, or ${sdk.UNCONFIRMED_RESULTS_PER_SLOT} for each slot`,
  `grows from ${s(sdk.ANSWER_RETRY_BASE)} s to ${s(sdk.ANSWER_RETRY_CAP)} s`,
  `an attempt reads its payload ${c.PAYLOAD_READS_PER_MINUTE} times a minute at most`,
  `(${c.RESULT_UPLOADS_PER_ATTEMPT_MAX} uploads of an attempt have begun)`,
  `not committed within ${c.RESULT_UPLOAD_TIMEOUT / (60 * MINUTE) === 1 ? "an hour" : "another time"}`,
  `\`max_attempts\` (1 to ${c.TASK_ATTEMPTS_MAX}, default ${c.TASK_ATTEMPTS_DEFAULT})`,
  `\`max_interruptions\` (0 to ${c.TASK_INTERRUPTIONS_MAX}, default ${c.TASK_INTERRUPTIONS_DEFAULT})`,
  `\`deadline_seconds\` (default ${s(c.TASK_DEADLINE_DEFAULT)}, at most ${s(c.TASK_DEADLINE_MAX)})`,
  `\`attempt_timeout_seconds\` (default ${s(c.ATTEMPT_TIMEOUT_DEFAULT)})`,
  `\`lease_seconds\` (1 to ${s(c.LEASE_MAX)}, default ${s(c.LEASE_DEFAULT)})`,
  `\`priority\` (−${c.PRIORITY_MAX} to ${c.PRIORITY_MAX}, default 0)`,
  `these peers, at most ${c.AVOIDED_PEERS_MAX})`,
  `ask again every ${s(sdk.TASK_WAIT_ROUND)} s`,
  `every 20 to ${s(c.HEARTBEAT_INTERVAL)} s (${s(c.HEARTBEAT_INTERVAL)} s, less a random fifth)`,
  `heard nothing for ${s(c.HEARTBEAT_TIMEOUT)} s`,
  `answered within ${s(c.PONG_TIMEOUT)} s`,
  `checked every ${s(c.LEASED_CHECK_INTERVAL)} s, otherwise every ${c.IDLE_CHECK_INTERVAL / MINUTE} minutes`,
  `pinged by a message every ${s(c.PING_INTERVAL)} s instead`,
  `no frame of any sort has come for ${s(sdk.MESH_SILENCE_MAX)} s`,
  `\`timeout_seconds\` (0 to ${s(DRAIN_TIMEOUT_MAX)})`,
  `frame: ${n(c.FRAME_BYTES_MAX)} bytes; in the handshake ${n(c.HELLO_BYTES_MAX)}.`,
  `message: ${JSON_DEPTH_MAX + 1} levels of nested JSON.`,
  `payload of a task, result in a message: ${n(c.TASK_RESULT_BYTES_MAX)} bytes of JSON text, ${c.VALUE_DEPTH_MAX} levels.`,
  `uploaded result: ${n(c.TASK_LARGE_RESULT_BYTES_MAX)} bytes.`,
  `messages of a peer: ${c.MESSAGES_BURST} at once and ${c.MESSAGES_PER_SECOND} a second, without what answers offers.`,
  `answers to offers: ${c.ANSWERS_PER_ATTEMPT} for each attempt that was offered or that continues, and ${c.PROGRESS_PER_SECOND} progress messages`,
  `processed: ${n(c.FRAME_QUEUE_MAX)}, and ${n(c.FRAME_QUEUE_BYTES_MAX)} bytes.`,
  `offers without an answer: ${c.OFFERS_OUTSTANDING_MAX}.`,
  `slots: ${c.SLOTS_MAX}.`,
  `labels, kinds, held attempts: ${c.CAPABILITIES_MAX}, ${c.KINDS_PER_PEER_MAX}, ${c.HELD_TASKS_MAX}.`,
  `\`rotate\`: 1 a minute, ${rotate.max} at once; ${c.ROTATIONS_MAX} in ${c.ROTATION_WINDOW / (24 * 60 * MINUTE)} days.`,
  `1 a second (${announce.max} at once), 1 a minute, 1 in ${rtts.per / 1_000} s (${rtts.max} at once), 1 in ${drain.per / 1_000} s (${drain.max} at once)`,
  `At most 1 in ${rtts.per / 1_000} s, and ${rtts.max} at once.`,
  `At most 1 in ${drain.per / 1_000} s, and ${drain.max} at once.`,
  `At most ${announce.tokens} a second, and ${announce.max} at once.`,
  `At most ${advert.max} advert a minute.`,
  `a bucket of ${c.MESSAGES_BURST} that refills by ${c.MESSAGES_PER_SECOND} a second`,
  `seconds, 0 to ${n(RETRY_AFTER_SECONDS_MAX)})`,
  `Never wait longer than ${sdk.ANSWER_RETRY_AFTER_MAX / MINUTE} minutes`,
  `Within ${s(sdk.STABLE_SESSION_MIN)} s of the welcome`,
  `waits ${s(sdk.KEY_IN_USE_BASE)} s, twice as long each further time until a session has lasted 60 s, up to ${sdk.KEY_IN_USE_CAP / MINUTE} min`,
  `\`min(${s(sdk.RECONNECT_CAP)} s, ${s(sdk.RECONNECT_BASE)} s × 2^(f − 1))\``,
  `at least ${s(sdk.RECONNECT_BASE)} s, and at most ${s(sdk.RECONNECT_CAP / 2)} s or`,
  `No wait is longer than ${c.RECONNECT_DELAY_MAX / MINUTE} min.`,
  `no welcome has come after ${s(sdk.DIAL_ATTEMPT_TIMEOUT)} s`,
  `accepts both for up to ${c.ROTATION_WINDOW / (24 * 60 * MINUTE)} days`,
];

test.each(SENTENCES)("PR5 the page has the number of the code: %s", (sentence) => {
  // Not `toContain`, whose failure prints the whole page.
  expect(TEXT.includes(sentence)).toBe(true);
});

test("PR5 the limits of types that the page gives by the minute and the second are such", () => {
  expect([rotate.per, advert.per, announce.per, rtts.per, drain.per]).toEqual([
    MINUTE,
    MINUTE,
    1_000,
    10_000,
    10_000,
  ]);
});

describe("PR6 the page has everything of the code", () => {
  const anchors = new Map(
    itemsOf("messages").flatMap(([head]) => {
      const anchor = /\(#([^)]+)\)/.exec(head)?.[1] ?? "";
      return codesIn(head).map((type) => [type, anchor] as const);
    }),
  );
  const replies = GO_P2P_REQUESTS.map((type) => GO_P2P_REPLIES[type]);

  test("every message type is in the list of messages", () => {
    const named = [...anchors.keys(), ...replies];
    expect(MESSAGE_TYPES.filter((type) => !named.includes(type))).toEqual([]);
  });

  test.each(Object.keys(SCHEMAS))("every field of %s is described", (name) => {
    const anchor = anchors.get(name) ?? name;
    const text = section(anchor);
    expect(text).not.toBe("");
    const missing = fieldsOf(name).filter(
      (field) => !text.includes(`\`${field}`) && !text.includes(`"${field}"`),
    );
    expect(missing).toEqual([]);
  });

  test("every close code is in the list of close codes", () => {
    const known = itemsOf("close-codes").map(([head]) => Number.parseInt(head, 10));
    expect(Object.values(CLOSE).filter((code) => !known.includes(code))).toEqual([]);
  });

  test("the numbers of errors", () => {
    const { unknown, invalidMessage, unauthorized, notFound, operationFailed, timeout } =
      GO_P2P_ERROR;
    expect(section("errors").replaceAll(/\s+/g, " ")).toContain(
      `${unknown} unknown, ${invalidMessage} invalid message, ${unauthorized} unauthorized, ${notFound} not found, ${operationFailed} operation failed, ${timeout} timeout`,
    );
  });
});

describe("PR7 the page has nothing that the code has not", () => {
  test("codes of refused upgrades have their status", () => {
    const codes = numbered("refused-upgrades");
    expect(codes.length).toBeGreaterThan(8);
    for (const [status, code] of codes)
      expect([code, isErrorCode(code) && statusOf(code)]).toEqual([code, status]);
  });

  test("codes of closed sessions have their close code", () => {
    const codes = numbered("close-codes");
    expect(codes.length).toBeGreaterThan(15);
    for (const [close, code] of codes) {
      const found = isErrorCode(code) ? toClose({ code, detail: "" } as MusterError).code : null;
      expect([code, found]).toEqual([code, close]);
    }
  });

  test("codes of error messages exist", () => {
    const heads = itemsOf("errors").map(([head]) => head.split("as the answer to")[0] ?? "");
    const codes = heads.flatMap(codesIn);
    expect(codes.length).toBeGreaterThan(15);
    expect(codes.filter((code) => !isErrorCode(code))).toEqual([]);
  });

  test("its example session consists of messages that the code reads", () => {
    const lines = /```json\n([\s\S]*?)```/.exec(section("an-example-session"))?.[1] ?? "";
    const messages = lines
      .trim()
      .split("\n")
      .map((line) => must(readEnvelope(line)));
    expect(messages.length).toBeGreaterThan(6);
    for (const { type, payload } of messages)
      expect([type, isMessageType(type) && PAYLOADS[type].safeParse(payload).success]).toEqual([
        type,
        true,
      ]);
  });

  test("its examples are those of the vectors", () => {
    const vectors = globSync("vectors/*.json", { cwd: DOCS })
      .map((file) => readFileSync(`${DOCS}${file}`, "utf8"))
      .join("")
      .replaceAll(String.raw`\"`, '"');
    const examples =
      PAGE.match(/(?<![0-9a-f])[0-9a-f]{32,}|^text +\{.*\}$|wss:\S+proof=[0-9a-f]+/gm) ?? [];
    expect(examples.length).toBeGreaterThan(25);
    const made = examples.map((example) => example.replace(/^text +/, ""));
    expect(made.filter((example) => !vectors.includes(example))).toEqual([]);
  });
});

/** The names of the fields of a schema's object, or of those that it chooses from. */
function fieldsOf(name: string): readonly string[] {
  const schema = jsonSchemaOf(name, SCHEMAS[name] as never);
  const objects = [schema, ...(schema.oneOf ?? []), ...(schema.anyOf ?? [])] as {
    readonly properties?: object;
  }[];
  return objects.flatMap(({ properties = {} }) => Object.keys(properties));
}
