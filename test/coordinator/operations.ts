import * as fc from "fast-check";
import { AUTH_MODES, type AuthMode } from "../../src/protocol/http.ts";
import { ROLES, type Role } from "../../src/protocol/messages.ts";
import { KEYS } from "./mesh.ts";

/** An event at the coordinator. Its indexes choose among the peers, offers or tasks that exist at that time. */
export type Operation =
  | {
      readonly type: "join";
      readonly peer: number;
      readonly role: Role;
      readonly capabilities: string[];
      readonly slots: number;
      readonly prefetch: boolean;
      /** Which held tasks the peer lists when it joins: no list at all, an empty list, or its tasks. */
      readonly heldList: "no_list" | "empty_list" | "its_tasks";
      readonly speaksMuster: boolean;
      readonly kinds: readonly string[];
      readonly rttMs: number;
    }
  | { readonly type: "leave"; readonly peer: number; readonly late: boolean }
  | {
      readonly type: "observe";
      readonly peer: number;
      readonly late: boolean;
      readonly event: "answered" | "missed_answer";
      readonly rttMs: number | null;
    }
  | {
      readonly type: "submit";
      readonly kind: string;
      readonly capabilities: string[];
      readonly requiredPeer: number | null;
      readonly priority: number;
      readonly maxAttempts: number;
      readonly maxInterruptions: number;
      readonly timeoutSeconds: number;
      readonly leaseSeconds: number;
      readonly deadlineSeconds: number;
      readonly delaySeconds: number;
      readonly key: string | null;
    }
  | {
      readonly type: "task_message";
      readonly what:
        | "accept"
        | "queue"
        | "refuse"
        | "progress"
        | "succeed"
        | "fail"
        | "give_up"
        | "hand_back";
      /** Counted from the newest offer, which is 0. */
      readonly offer: number;
      /** 0 for the peer that received the offer; otherwise the index of the peer that sends the message. */
      readonly by: number;
      /** Whether an older session of the peer sends the message. */
      readonly late: boolean;
    }
  | {
      readonly type: "offer_failed";
      readonly offer: number;
      readonly session: "gone" | "silent" | "unknown";
    }
  | { readonly type: "cancel"; readonly task: number }
  | { readonly type: "retry"; readonly task: number }
  | { readonly type: "pass"; readonly ms: number }
  | { readonly type: "tick" }
  /** The coordinator's object is stopped and starts again. */
  | { readonly type: "restart" }
  | { readonly type: "revoke"; readonly peer: number }
  | { readonly type: "forget"; readonly peer: number }
  | { readonly type: "disallow"; readonly peer: number }
  | {
      readonly type: "allow";
      readonly peer: number;
      readonly roles: Role[];
      readonly readmit: boolean;
    }
  | { readonly type: "mode"; readonly mode: AuthMode }
  | { readonly type: "publish"; readonly peer: number; readonly late: boolean }
  /** Commands that arrive together. The object may stop after their commit, before any answer or effect leaves. */
  | {
      readonly type: "group";
      readonly operations: readonly Operation[];
      readonly stopsAfterCommit: boolean;
    };

/** The operations of one type. */
export type Op<T extends Operation["type"]> = Extract<Operation, { type: T }>;

const peer = fc.nat({ max: KEYS.length - 1 });
const capabilities = fc.subarray(["gpu", "tpu"]);
const roles = fc.subarray([...ROLES], { minLength: 1 });
/** True in the given number of ten cases. */
const inTenTimes = (times: number) => fc.nat({ max: 9 }).map((n) => n < times);

/** Generates operations of one type from generators of its fields. */
const operation = <T extends Operation["type"]>(
  type: T,
  fields: { [K in Exclude<keyof Op<T>, "type">]: fc.Arbitrary<Op<T>[K]> },
): fc.Arbitrary<Operation> =>
  fc
    .record(fields as Record<string, fc.Arbitrary<unknown>>)
    .map((values) => ({ ...values, type }) as unknown as Operation);

const join = operation("join", {
  peer,
  role: inTenTimes(8).chain((worker) =>
    worker ? fc.constant<Role>("worker") : fc.constantFrom(...ROLES),
  ),
  capabilities: inTenTimes(6).chain((all) =>
    all ? fc.constant<string[]>(["gpu", "tpu"]) : capabilities,
  ),
  slots: fc.constantFrom(0, 1, 1, 2, 2, 4),
  prefetch: fc.boolean(),
  heldList: fc.constantFrom("no_list", "empty_list", "its_tasks", "its_tasks"),
  speaksMuster: inTenTimes(9),
  kinds: fc.constantFrom(["*"], ["*"], ["*"], ["echo"], ["go-p2p/get_stats"], []),
  rttMs: fc.constantFrom(1, 1, 50, 2_000),
});

const submit = operation("submit", {
  kind: fc.constantFrom("echo", "echo", "go-p2p/get_stats"),
  capabilities: inTenTimes(7).chain((none) => (none ? fc.constant<string[]>([]) : capabilities)),
  requiredPeer: inTenTimes(1).chain((is) => (is ? peer : fc.constant(null))),
  priority: fc.constantFrom(0, 0, 5),
  maxAttempts: fc.integer({ min: 1, max: 4 }),
  maxInterruptions: fc.constantFrom(0, 1, 3, 20),
  timeoutSeconds: fc.constantFrom(3, 30, 3_600),
  leaseSeconds: fc.constantFrom(1, 10, 120),
  deadlineSeconds: fc.constantFrom(5, 60, 7_200),
  delaySeconds: inTenTimes(8).chain((none) => fc.constant(none ? 0 : 30)),
  key: inTenTimes(2).chain((is) => (is ? fc.constantFrom("a", "b") : fc.constant(null))),
});

const taskMessage = operation("task_message", {
  what: fc.constantFrom(
    ...(["accept", "accept", "accept", "succeed", "succeed", "succeed", "fail", "fail"] as const),
    ...(["progress", "refuse", "give_up", "queue", "hand_back"] as const),
  ),
  offer: inTenTimes(8).chain((recent) => fc.nat({ max: recent ? 3 : 20 })),
  by: inTenTimes(9).chain((addressee) => (addressee ? fc.constant(0) : peer)),
  late: inTenTimes(1),
});

const cancel = operation("cancel", { task: fc.nat({ max: 9 }) });
const retry = operation("retry", { task: fc.nat({ max: 9 }) });
const leave = operation("leave", { peer, late: inTenTimes(1) });
const offerFailed = operation("offer_failed", {
  offer: fc.nat({ max: 3 }),
  session: fc.constantFrom("gone", "silent", "unknown"),
});

const anyOperation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 12,
    arbitrary: operation("group", {
      operations: fc.array(
        fc.oneof(
          { weight: 8, arbitrary: taskMessage },
          { weight: 1, arbitrary: cancel },
          { weight: 1, arbitrary: retry },
          { weight: 1, arbitrary: leave },
          { weight: 1, arbitrary: offerFailed },
        ),
        { minLength: 1, maxLength: 6 },
      ),
      stopsAfterCommit: inTenTimes(1),
    }),
  },
  { weight: 36, arbitrary: taskMessage },
  { weight: 14, arbitrary: submit },
  { weight: 10, arbitrary: fc.constant<Operation>({ type: "tick" }) },
  { weight: 2, arbitrary: fc.constant<Operation>({ type: "restart" }) },
  { weight: 6, arbitrary: join },
  {
    weight: 10,
    arbitrary: operation("pass", {
      ms: inTenTimes(7).chain((short) => fc.nat({ max: short ? 6_000 : 90_000 })),
    }),
  },
  {
    weight: 3,
    arbitrary: operation("observe", {
      peer,
      late: inTenTimes(2),
      event: fc.constantFrom("answered", "missed_answer"),
      rttMs: fc.option(fc.constantFrom(1, 500)),
    }),
  },
  { weight: 3, arbitrary: operation("leave", { peer, late: inTenTimes(3) }) },
  {
    weight: 2,
    arbitrary: operation("offer_failed", {
      offer: fc.nat({ max: 3 }),
      session: fc.constantFrom("gone", "silent", "unknown"),
    }),
  },
  { weight: 2, arbitrary: operation("cancel", { task: fc.nat({ max: 20 }) }) },
  { weight: 3, arbitrary: operation("retry", { task: fc.nat({ max: 20 }) }) },
  { weight: 2, arbitrary: operation("publish", { peer, late: inTenTimes(3) }) },
  { weight: 1, arbitrary: operation("mode", { mode: fc.constantFrom(...AUTH_MODES, "open") }) },
  { weight: 2, arbitrary: operation("allow", { peer, roles, readmit: fc.boolean() }) },
  { weight: 1, arbitrary: operation("disallow", { peer }) },
  { weight: 1, arbitrary: operation("revoke", { peer }) },
  { weight: 1, arbitrary: operation("forget", { peer }) },
);

/** A history: some peers join, then any operations follow. */
export const anyHistory = (maxLength: number): fc.Arbitrary<Operation[]> =>
  fc
    .tuple(
      fc.array(join, { maxLength: 5, size: "max" }),
      fc.array(anyOperation, { maxLength, size: "max" }),
    )
    .map(([joins, rest]) => [...joins, ...rest]);
