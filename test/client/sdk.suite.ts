import { toHex } from "../../src/base/bytes.ts";
import {
  controller,
  deliver,
  generateIdentity,
  newWebhookSecret,
  TaskError,
  TaskFailed,
  type Handler,
} from "../../src/client/index.ts";
import {
  check,
  codeOf,
  eventually,
  inTime,
  same,
  Subject,
  withPeer,
  type MeshUnderTest,
} from "./sdk.subject.ts";

/**
 * What the SDK must do against a real mesh, on every runtime: functions over Web-standard APIs that throw when
 * something is not so. vitest runs them on Node, `test/e2e/sdk.deno.ts` on Deno; one after the other.
 */
export interface SdkCase {
  readonly name: string;
  readonly run: (mesh: MeshUnderTest) => Promise<void>;
}

/** A handler that goes wrong as often as `failures` says, then returns "done". */
function stumbling(failures: number, options?: { retry: boolean }): Handler {
  let attempts = 0;
  return () => {
    if (attempts++ < failures) throw new TaskError("stumbled", options);
    return "done";
  };
}

/** A handler that runs until the case lets it end, or it is aborted. */
function held() {
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
    name: "a task reaches its handler, and its result comes back",
    run: withPeer(
      { handlers: { sum: (payload) => (payload as number[]).reduce((a, b) => a + b, 0) } },
      async ({ peer }, control) => {
        same(await control.run("sum", [1, 2, 39], { peerId: peer.id }), 42);
      },
    ),
  },
  {
    name: "payload and result keep every character",
    run: withPeer({ handlers: { "*": (payload) => payload } }, async ({ peer }, control) => {
      const payload = { text: 'é 漢 🦊 \u0000 " \\ \n', numbers: [0.1, 1e21], none: null };
      same(await control.run("echo", payload, { peerId: peer.id }), payload);
    }),
  },
  {
    name: "a payload of 250 KiB comes through and back",
    run: withPeer({ handlers: { "*": (payload) => payload } }, async ({ peer }, control) => {
      const payload = '"x\\é'.repeat(32 * 1_024);
      check(
        (await control.run("echo", payload, { peerId: peer.id })) === payload,
        "it is the same",
      );
    }),
  },
  {
    name: "a result of 2 MiB comes back whole, and sealed to who asked for that",
    run: withPeer(
      { handlers: { "*": (size) => "x".repeat(Number(size)) } },
      async (met, control) => {
        const peerId = met.peer.id;
        const size = 2 * 1_024 * 1_024;
        const { privateKey } = generateIdentity();
        for (const options of [{ peerId }, { peerId, privateKey }]) {
          const result = await control.run("fill", size, options);
          check(result === "x".repeat(size), "it is all there");
        }
        same(await control.run("fill", 3, { peerId, privateKey }), "xxx");
      },
    ),
  },
  {
    name: "a controller gives tasks over its own session, also across a break, and reads large results",
    run: async (mesh) => {
      const keys = generateIdentity();
      const control = controller(mesh);
      await control.allowlist.put(toHex(keys.publicKey), { roles: ["controller"] });
      const giver = new Subject(mesh, { role: "controller", privateKey: keys.privateKey });
      try {
        await inTime(giver.peer.ready, "the controller's welcome");
        const { tasks: mine } = giver.peer;
        if (mesh.protocol !== "muster/2") return same(await codeOf(mine.run("x")), "not_permitted");
        await withPeer(
          { handlers: { fill: (size) => "x".repeat(Number(size)) } },
          async ({ peer }) => {
            const { privateKey } = keys;
            same(await mine.run("fill", 3, { peerId: peer.id }), "xxx");
            same(await mine.run("fill", 3, { peerId: peer.id, privateKey }), "xxx");
            for (const options of [{ peerId: peer.id }, { peerId: peer.id, privateKey }])
              check(
                (await mine.run("fill", 400_000, options)) === "x".repeat(400_000),
                "all of it",
              );
            const later = mine.submit("fill", 1, { peerId: peer.id });
            giver.dropSocket();
            same((await mine.wait((await later).id)).result, "x");
            same(await codeOf(peer.tasks.submit("fill")), "forbidden");
          },
        )(mesh);
        const { id } = await mine.submit("fill", 1, { capabilities: ["nobody"] });
        same((await mine.cancel(id)).state, "cancelled");
        same(await codeOf(mine.wait(crypto.randomUUID())), "not_found");
      } finally {
        await giver.peer.close();
      }
      same(await codeOf(giver.peer.tasks.submit("fill")), "closed");
    },
  },
  {
    name: "a peer answers what the mesh asks it",
    run: withPeer(
      { name: "asked", handlers: { "go-p2p/get_logs": (payload) => ({ lines: payload }) } },
      async ({ peer }, control) => {
        const logs = await control.peers.request(peer.id, "get_logs", ["a"]);
        same(logs, { type: "logs", payload: { lines: ["a"] } });
        same((await control.peers.request(peer.id, "get_stats")).type, "stats");
        same((await control.peers.request(peer.id, "deploy")).type, "error");
      },
    ),
  },
  {
    name: "an attempt that fails is followed by another",
    run: (mesh) =>
      withPeer({ handlers: { trip: stumbling(1) } }, async ({ peer }, control) => {
        const { id } = await control.tasks.submit("trip", null, { peerId: peer.id });
        const task = await control.tasks.wait(id);
        same([task.state, task.result], ["succeeded", "done"]);
        const told = task.attempts.map(({ state, error }) => `${state} ${error}`);
        same(told, ["failed stumbled", "succeeded null"]);
      })(mesh),
  },
  {
    name: "an attempt that fails for good is not followed by another",
    run: (mesh) => {
      const handlers = { trip: stumbling(1, { retry: false }) };
      return withPeer({ handlers }, async ({ peer }, control) => {
        const failure: unknown = await control
          .run("trip", null, { peerId: peer.id })
          .catch((error: unknown) => error);
        check(failure instanceof TaskFailed, "run throws TaskFailed");
        same(failure.task.error, "stumbled");
        same((await control.tasks.get(failure.task.id)).attempts.length, 1);
      })(mesh);
    },
  },
  {
    name: "a task that its peer has no handler for goes to one that has",
    run: withPeer({ capabilities: ["suite-kinds"] }, async ({ peer }, control, mesh) => {
      const other = new Subject(mesh, {
        capabilities: ["suite-kinds"],
        handlers: { rare: () => "found" },
      });
      await inTime(other.peer.ready, "the second welcome");
      const { id } = await control.tasks.submit("rare", null, { capabilities: ["suite-kinds"] });
      const task = await control.tasks.wait(id);
      await other.peer.close();
      same([task.result, task.peer_id], ["found", other.peer.id]);
      check(task.peer_id !== peer.id, "the other did it");
    }),
  },
  {
    name: "progress is seen while the task runs",
    run: async (mesh) => {
      const { handler, release } = held();
      const run = withPeer({ handlers: { long: handler } }, async ({ peer }, control) => {
        const { id } = await control.tasks.submit("long", null, { peerId: peer.id });
        await eventually("the task is a quarter done", async () => {
          const { state, progress } = await control.tasks.get(id);
          return state === "running" && progress === 0.25 ? true : null;
        });
        release("whole");
        same((await control.tasks.wait(id)).result, "whole");
      });
      await run(mesh);
    },
  },
  {
    name: "a cancelled task aborts its handler",
    run: async (mesh) => {
      const { handler, signals } = held();
      const run = withPeer({ handlers: { long: handler } }, async (subject, control) => {
        const { id } = await control.tasks.submit("long", null, { peerId: subject.peer.id });
        await subject.seen("task_started");
        same((await control.tasks.cancel(id)).state, "cancelled");
        await subject.seen("task_cancelled");
        same(signals[0]?.aborted, true);
      });
      await run(mesh);
    },
  },
  {
    name: "the same idempotency key makes one task",
    run: async (mesh) => {
      const control = controller(mesh);
      const options = { idempotencyKey: generateIdentity().id, capabilities: ["suite-nobody"] };
      const first = await control.tasks.submit("sum", [1], options);
      const second = await control.tasks.submit("sum", [1], options);
      same(second.id, first.id);
      same((await control.tasks.cancel(first.id)).state, "cancelled");
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
      same([first.duplicate, second.duplicate], [false, true]);
      same(second.task_id, first.task_id);
      same((await control.tasks.wait(String(first.task_id))).result, { of: "é" });
      const forged = deliver(event, { ...options, secret: newWebhookSecret() });
      same(await codeOf(forged), "signature_invalid");
      await control.webhooks.remove(source);
      same(await codeOf(control.webhooks.get(source)), "not_found");
    }),
  },
];

const sessions: readonly SdkCase[] = [
  {
    name: "a peer joins under its key's ID, with its name and what it can do",
    run: withPeer(
      { name: "suite 1", capabilities: ["a", "b"], slots: 2 },
      async ({ peer }, control) => {
        const view = await control.peers.get(peer.id);
        same(view.public_key, peer.publicKey);
        same([view.name, view.state, view.connected], ["suite 1", "active", true]);
        same([view.capabilities, view.slots], [["a", "b"], 2]);
      },
    ),
  },
  {
    name: "a peer that leaves is stale, and no longer connected",
    run: async (mesh) => {
      const { peer } = new Subject(mesh);
      await inTime(peer.ready, "the welcome");
      await peer.close();
      await peer.closed;
      await eventually("the mesh knows", async () => {
        const { state, connected } = await controller(mesh).peers.get(peer.id);
        return state === "stale" && !connected ? true : null;
      });
    },
  },
  {
    name: "a peer whose socket drops comes back with a newer session and does tasks again",
    run: withPeer({ handlers: { ping: () => "pong" } }, async (subject, control) => {
      subject.dropSocket();
      const [before, after] = await subject.seen("ready", 2);
      check((after?.epoch ?? 0) > (before?.epoch ?? 0), "the epoch grows");
      same(await control.run("ping", null, { peerId: subject.peer.id }), "pong");
    }),
  },
  {
    name: "a task that runs while the socket drops still ends in success",
    run: async (mesh) => {
      const { handler, release } = held();
      const run = withPeer({ handlers: { long: handler } }, async (subject, control) => {
        const { id } = await control.tasks.submit("long", null, { peerId: subject.peer.id });
        await subject.seen("task_started");
        subject.dropSocket();
        await subject.seen("ready", 2);
        release("survived");
        same((await control.tasks.wait(id)).result, "survived");
      });
      await run(mesh);
    },
  },
  {
    name: "a newer session of the same key supersedes the older, which stays away",
    run: async (mesh) => {
      const privateKey = generateIdentity();
      const handlers = { who: () => "newer" };
      const run = withPeer({ privateKey }, async (older, control) => {
        const newer = new Subject(mesh, { privateKey, handlers });
        await inTime(newer.peer.ready, "the second welcome");
        same(await codeOf(older.peer.closed), "superseded");
        same(await control.run("who", null, { peerId: newer.peer.id }), "newer");
        await newer.peer.close();
      });
      await run(mesh);
    },
  },
  {
    name: "a revoked peer ends for good, and its key can't come back",
    run: async (mesh) => {
      const privateKey = generateIdentity();
      const run = withPeer({ privateKey }, async ({ peer }, control) => {
        same((await control.peers.revoke(peer.id)).state, "revoked");
        same(await codeOf(peer.closed), "revoked");
        same(peer.state, "closed");
        const again = new Subject(mesh, { privateKey });
        same(await codeOf(again.peer.ready), "revoked");
      });
      await run(mesh);
    },
  },
  {
    name: "in allowlist mode only a listed key may join, until it is taken off",
    run: async (mesh) => {
      const control = controller(mesh);
      const privateKey = generateIdentity();
      const publicKey = toHex(privateKey.publicKey);
      same(await control.settings.setAuthMode("allowlist"), "allowlist");
      try {
        same(await codeOf(new Subject(mesh, { privateKey }).peer.ready), "not_allowed");
        await control.allowlist.put(publicKey, { label: "suite" });
        const { peer } = new Subject(mesh, { privateKey });
        await inTime(peer.ready, "the welcome");
        const entries = await control.allowlist.list().toArray();
        check(
          entries.some((entry) => entry.public_key === publicKey && entry.label === "suite"),
          "the list shows it",
        );
        await control.allowlist.remove(publicKey);
        same(await codeOf(peer.closed), "not_allowed");
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
      same(await codeOf(peer.ready), "mesh_key_mismatch");
    },
  },
  {
    name: "a controller with a wrong token is told so",
    run: async (mesh) => {
      const stranger = controller({ ...mesh, token: "wrong" });
      same(await codeOf(stranger.settings.authMode()), "unauthorized");
      same((await stranger.settings.mesh()).public_key, mesh.meshKey);
    },
  },
  {
    name: "what is not there is not found, by its stable code",
    run: async (mesh) => {
      const control = controller(mesh);
      same(await codeOf(control.tasks.get("00000000-0000-4000-8000-000000000000")), "not_found");
      same(await codeOf(control.peers.get("0".repeat(32))), "not_found");
    },
  },
];

export const SDK_CASES: readonly SdkCase[] = [...sessions, ...tasks];
