import { toHex } from "../../src/base/bytes.ts";
import {
  deliver,
  generateIdentity,
  newWebhookSecret,
  TaskError,
  TaskFailed,
  type Handler,
} from "../../src/client/index.ts";
import {
  assert,
  errorCodeOf,
  pollUntil,
  withTimeout,
  assertEqual,
  Subject,
  controllerOf,
  withPeer,
  type MeshUnderTest,
} from "./sdk.subject.ts";

/**
 * The SDK's behavior with a real mesh, on every runtime. The cases use Web-standard APIs only and throw if they fail.
 * vitest runs them on Node and `test/e2e/sdk.deno.ts` on Deno, one after the other.
 */
export interface SdkCase {
  readonly name: string;
  readonly run: (mesh: MeshUnderTest) => Promise<void>;
}

/** A handler that throws `failures` times, then returns "done". */
function failingHandler(failures: number, options?: { retry: boolean }): Handler {
  let attempts = 0;
  return () => {
    if (attempts++ < failures) throw new TaskError("failed on purpose", options);
    return "done";
  };
}

/** A handler that runs until the case calls `release`. */
function releasableHandler() {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const signals: AbortSignal[] = [];
  const handler: Handler = (_payload, { signal, progress }) => {
    signals.push(signal);
    progress(0.25, "a quarter");
    return promise;
  };
  return { handler, release: resolve, signals };
}

const tasks: readonly SdkCase[] = [
  {
    name: "a task reaches its handler, and its result is returned",
    run: withPeer(
      { handlers: { sum: (payload) => (payload as number[]).reduce((a, b) => a + b, 0) } },
      async ({ peer }, control) => {
        assertEqual(await control.run("sum", [1, 2, 39], { peerId: peer.id }), 42);
      },
    ),
  },
  {
    name: "payload and result arrive unchanged, with every character",
    run: withPeer({ handlers: { "*": (payload) => payload } }, async ({ peer }, control) => {
      const payload = { text: 'é 漢 🦊 \u0000 " \\ \n', numbers: [0.1, 1e21], none: null };
      assertEqual(await control.run("echo", payload, { peerId: peer.id }), payload);
    }),
  },
  {
    name: "a payload of 250 KiB and a result of that size arrive unchanged",
    run: withPeer({ handlers: { "*": (payload) => payload } }, async ({ peer }, control) => {
      const payload = '"x\\é'.repeat(32 * 1_024);
      assert(
        (await control.run("echo", payload, { peerId: peer.id })) === payload,
        "it is the same",
      );
    }),
  },
  {
    name: "a result of 2 MiB is returned whole, unsealed and sealed",
    run: withPeer(
      { handlers: { "*": (size) => "x".repeat(Number(size)) } },
      async (met, control) => {
        const peerId = met.peer.id;
        const size = 2 * 1_024 * 1_024;
        const { privateKey } = generateIdentity();
        for (const options of [{ peerId }, { peerId, privateKey }]) {
          const result = await control.run("fill", size, options);
          assert(result === "x".repeat(size), "it is all there");
        }
        assertEqual(await control.run("fill", 3, { peerId, privateKey }), "xxx");
      },
    ),
  },
  {
    name: "a controller submits tasks over its own session, also across a reconnect, and reads large results",
    run: async (mesh) => {
      const keys = generateIdentity();
      const control = controllerOf(mesh);
      await control.allowlist.put(toHex(keys.publicKey), { roles: ["controller"] });
      const submitter = new Subject(mesh, { role: "controller", privateKey: keys.privateKey });
      try {
        await withTimeout(submitter.peer.ready, "the controller's welcome");
        const { tasks: mine } = submitter.peer;
        if (mesh.protocol !== "muster/2")
          return assertEqual(await errorCodeOf(mine.run("x")), "not_permitted");
        await withPeer(
          { handlers: { fill: (size) => "x".repeat(Number(size)) } },
          async ({ peer }) => {
            const { privateKey } = keys;
            assertEqual(await mine.run("fill", 3, { peerId: peer.id }), "xxx");
            assertEqual(await mine.run("fill", 3, { peerId: peer.id, privateKey }), "xxx");
            for (const options of [{ peerId: peer.id }, { peerId: peer.id, privateKey }])
              assert(
                (await mine.run("fill", 400_000, options)) === "x".repeat(400_000),
                "all of it",
              );
            const later = mine.submit("fill", 1, { peerId: peer.id });
            submitter.dropSocket();
            assertEqual((await mine.wait((await later).id)).result, "x");
            assertEqual(await errorCodeOf(peer.tasks.submit("fill")), "forbidden");
          },
        )(mesh);
        const { id } = await mine.submit("fill", 1, { capabilities: ["no-such-label"] });
        assertEqual((await mine.cancel(id)).state, "cancelled");
        assertEqual((await mine.retry(id, { maxAttempts: 2 })).state, "queued");
        assertEqual((await mine.cancel(id)).retries, 1);
        assertEqual(await errorCodeOf(mine.wait(crypto.randomUUID())), "not_found");
      } finally {
        await submitter.peer.close();
      }
      assertEqual(await errorCodeOf(submitter.peer.tasks.submit("fill")), "closed");
    },
  },
  {
    name: "a peer answers go-p2p requests of the mesh",
    run: withPeer(
      { name: "answering", handlers: { "go-p2p/get_logs": (payload) => ({ lines: payload }) } },
      async ({ peer }, control) => {
        const logs = await control.peers.request(peer.id, "get_logs", ["a"]);
        const lines = { payload: { lines: ["a"] }, payload_text: '{"lines":["a"]}' };
        assertEqual(logs, { type: "logs", ...lines });
        assertEqual((await control.peers.request(peer.id, "get_stats")).type, "stats");
        assertEqual((await control.peers.request(peer.id, "deploy")).type, "error");
      },
    ),
  },
  {
    name: "a failed attempt is followed by another one",
    run: (mesh) =>
      withPeer({ handlers: { trip: failingHandler(1) } }, async ({ peer }, control) => {
        const { id } = await control.tasks.submit("trip", null, { peerId: peer.id });
        const task = await control.tasks.wait(id);
        assertEqual([task.state, task.result], ["succeeded", "done"]);
        const attempts = task.attempts.map(({ state, error }) => `${state} ${error}`);
        assertEqual(attempts, ["failed failed on purpose", "succeeded null"]);
      })(mesh),
  },
  {
    name: "an attempt that fails without a retry is not followed by another one",
    run: (mesh) => {
      const handlers = { trip: failingHandler(1, { retry: false }) };
      return withPeer({ handlers }, async ({ peer }, control) => {
        const failure: unknown = await control
          .run("trip", null, { peerId: peer.id })
          .catch((error: unknown) => error);
        assert(failure instanceof TaskFailed, "run throws TaskFailed");
        assertEqual(failure.task.error, "failed on purpose");
        assertEqual((await control.tasks.get(failure.task.id)).attempts.length, 1);
      })(mesh);
    },
  },
  {
    name: "a task that a peer has no handler for goes to a peer that has one",
    run: withPeer({ capabilities: ["suite-kinds"] }, async ({ peer }, control, mesh) => {
      const other = new Subject(mesh, {
        capabilities: ["suite-kinds"],
        handlers: { rare: () => "found" },
      });
      await withTimeout(other.peer.ready, "the second welcome");
      const { id } = await control.tasks.submit("rare", null, { capabilities: ["suite-kinds"] });
      const task = await control.tasks.wait(id);
      await other.peer.close();
      assertEqual([task.result, task.peer_id], ["found", other.peer.id]);
      assert(task.peer_id !== peer.id, "the other did it");
    }),
  },
  {
    name: "progress is visible while the task runs",
    run: async (mesh) => {
      const { handler, release } = releasableHandler();
      const run = withPeer({ handlers: { long: handler } }, async ({ peer }, control) => {
        const { id } = await control.tasks.submit("long", null, { peerId: peer.id });
        await pollUntil("the task is a quarter done", async () => {
          const { state, progress } = await control.tasks.get(id);
          return state === "running" && progress === 0.25 ? true : null;
        });
        release("whole");
        assertEqual((await control.tasks.wait(id)).result, "whole");
      });
      await run(mesh);
    },
  },
  {
    name: "a cancelled task aborts its handler",
    run: async (mesh) => {
      const { handler, signals } = releasableHandler();
      const run = withPeer({ handlers: { long: handler } }, async (subject, control) => {
        const { id } = await control.tasks.submit("long", null, { peerId: subject.peer.id });
        await subject.eventsOf("task_started");
        assertEqual((await control.tasks.cancel(id)).state, "cancelled");
        await subject.eventsOf("task_cancelled");
        assertEqual(signals[0]?.aborted, true);
      });
      await run(mesh);
    },
  },
  {
    name: "two submissions under the same idempotency key make one task",
    run: async (mesh) => {
      const control = controllerOf(mesh);
      const options = {
        idempotencyKey: generateIdentity().id,
        capabilities: ["suite-no-such-label"],
      };
      const first = await control.tasks.submit("sum", [1], options);
      const second = await control.tasks.submit("sum", [1], options);
      assertEqual(second.id, first.id);
      assertEqual((await control.tasks.cancel(first.id)).state, "cancelled");
    },
  },
  {
    name: "a signed webhook delivery becomes one task, however often it is delivered",
    run: withPeer({ handlers: { "*": (payload) => payload } }, async ({ peer }, control, mesh) => {
      const secret = newWebhookSecret();
      const source = "sdk-suite";
      const requirements = { peer_id: peer.id };
      const task = { kind: "$.type", payload: { of: "$.data.name" }, requirements };
      await control.webhooks.put(source, { scheme: "standard-webhooks", secret, task });
      const event = { type: "hook", data: { name: "é" } };
      const options = { url: mesh.url, source, secret, id: generateIdentity().id };
      const first = await deliver(event, options);
      const second = await deliver(event, options);
      assertEqual([first.duplicate, second.duplicate], [false, true]);
      assertEqual(second.task_id, first.task_id);
      assertEqual((await control.tasks.wait(String(first.task_id))).result, { of: "é" });
      const forged = deliver(event, { ...options, secret: newWebhookSecret() });
      assertEqual(await errorCodeOf(forged), "signature_invalid");
      await control.webhooks.remove(source);
      assertEqual(await errorCodeOf(control.webhooks.get(source)), "not_found");
    }),
  },
];

const sessions: readonly SdkCase[] = [
  {
    name: "a peer joins under its key's ID, with its name, capabilities and slots",
    run: withPeer(
      { name: "suite 1", capabilities: ["a", "b"], slots: 2 },
      async ({ peer }, control) => {
        const view = await control.peers.get(peer.id);
        assertEqual(view.public_key, peer.publicKey);
        assertEqual([view.name, view.state, view.connected], ["suite 1", "active", true]);
        assertEqual([view.capabilities, view.slots], [["a", "b"], 2]);
      },
    ),
  },
  {
    name: "a peer that closes becomes stale and is no longer connected",
    run: async (mesh) => {
      const { peer } = new Subject(mesh);
      await withTimeout(peer.ready, "the welcome");
      await peer.close();
      await peer.closed;
      await pollUntil("the mesh knows", async () => {
        const { state, connected } = await controllerOf(mesh).peers.get(peer.id);
        return state === "stale" && !connected ? true : null;
      });
    },
  },
  {
    name: "a peer whose socket drops reconnects with a newer session and runs tasks again",
    run: withPeer({ handlers: { ping: () => "pong" } }, async (subject, control) => {
      subject.dropSocket();
      const [before, after] = await subject.eventsOf("ready", 2);
      assert((after?.epoch ?? 0) > (before?.epoch ?? 0), "the epoch grows");
      assertEqual(await control.run("ping", null, { peerId: subject.peer.id }), "pong");
    }),
  },
  {
    name: "a task that runs while the socket drops still succeeds",
    run: async (mesh) => {
      const { handler, release } = releasableHandler();
      const run = withPeer({ handlers: { long: handler } }, async (subject, control) => {
        const { id } = await control.tasks.submit("long", null, { peerId: subject.peer.id });
        await subject.eventsOf("task_started");
        subject.dropSocket();
        await subject.eventsOf("ready", 2);
        release("survived");
        assertEqual((await control.tasks.wait(id)).result, "survived");
      });
      await run(mesh);
    },
  },
  {
    name: "a newer session of the same key supersedes the older one, which is told and waits",
    run: async (mesh) => {
      const privateKey = generateIdentity();
      const handlers = { who: () => "newer" };
      const run = withPeer({ privateKey }, async (older, control) => {
        const newer = new Subject(mesh, { privateKey, handlers });
        await withTimeout(newer.peer.ready, "the second welcome");
        await older.eventsOf("key_in_use");
        assertEqual(older.peer.state, "waiting");
        assertEqual(await control.run("who", null, { peerId: newer.peer.id }), "newer");
        await newer.peer.close();
      });
      await run(mesh);
    },
  },
  {
    name: "a revoked peer ends for good, and its key can't join again",
    run: async (mesh) => {
      const privateKey = generateIdentity();
      const run = withPeer({ privateKey }, async ({ peer }, control) => {
        assertEqual((await control.peers.revoke(peer.id)).state, "revoked");
        assertEqual(await errorCodeOf(peer.closed), "revoked");
        assertEqual(peer.state, "closed");
        const again = new Subject(mesh, { privateKey });
        assertEqual(await errorCodeOf(again.peer.ready), "revoked");
      });
      await run(mesh);
    },
  },
  {
    name: "in auth mode allowlist only a listed key can join, until it is removed",
    run: async (mesh) => {
      const control = controllerOf(mesh);
      const privateKey = generateIdentity();
      const publicKey = toHex(privateKey.publicKey);
      assertEqual(await control.settings.setAuthMode("allowlist"), "allowlist");
      try {
        assertEqual(await errorCodeOf(new Subject(mesh, { privateKey }).peer.ready), "not_allowed");
        await control.allowlist.put(publicKey, { label: "suite" });
        const { peer } = new Subject(mesh, { privateKey });
        await withTimeout(peer.ready, "the welcome");
        const entries = await control.allowlist.list().toArray();
        assert(
          entries.some((entry) => entry.public_key === publicKey && entry.label === "suite"),
          "the list shows it",
        );
        await control.allowlist.remove(publicKey);
        assertEqual(await errorCodeOf(peer.closed), "not_allowed");
      } finally {
        await control.settings.setAuthMode("open");
      }
    },
  },
  {
    name: "a mesh with another key than the pinned one is refused",
    run: async (mesh) => {
      const meshKey = toHex(generateIdentity().publicKey);
      const { peer } = new Subject({ ...mesh, meshKey });
      assertEqual(await errorCodeOf(peer.ready), "mesh_key_mismatch");
    },
  },
  {
    name: "a controller with a wrong token gets unauthorized",
    run: async (mesh) => {
      const stranger = controllerOf({ ...mesh, token: "wrong" });
      assertEqual(await errorCodeOf(stranger.settings.authMode()), "unauthorized");
      assertEqual((await stranger.settings.mesh()).public_key, mesh.meshKey);
    },
  },
  {
    name: "requests for unknown IDs throw not_found",
    run: async (mesh) => {
      const control = controllerOf(mesh);
      assertEqual(
        await errorCodeOf(control.tasks.get("00000000-0000-4000-8000-000000000000")),
        "not_found",
      );
      assertEqual(await errorCodeOf(control.peers.get("0".repeat(32))), "not_found");
    },
  },
];

export const SDK_CASES: readonly SdkCase[] = [...sessions, ...tasks];
