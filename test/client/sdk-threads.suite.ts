import { MusterApiError, TaskFailed, webThreads, type Handler } from "../../src/client/index.ts";
import { ThreadPool } from "../../src/client/threads/thread-pool.ts";
import { runToOutcome, type Outcome } from "../../src/client/work/attempt-outcome.ts";
import { assert, assertEqual, withPeer } from "./sdk.subject.ts";
import { handlers as fixture } from "./threads/handlers.fixture.ts";
import { SDK_CASES, type SdkCase } from "./sdk.suite.ts";

const handlersModule = new URL("threads/handlers.fixture.ts", import.meta.url);

/** Handlers in threads, with a real mesh, on every runtime. */
const THREAD_CASES: readonly SdkCase[] = [
  {
    name: "WK9 a handler that blocks the peer's own thread for over 5 s is reported",
    run: async (mesh) => {
      const compute: Handler = (ms, task) => fixture["compute"]?.(ms, task);
      const blocking = withPeer({ handlers: { compute } }, async (subject, control) => {
        const { id: peerId } = subject.peer;
        const { id } = await control.tasks.submit("compute", 7_000, { peerId });
        const [event] = await subject.eventsOf("loop_blocked");
        assert(Number(event?.blockedMs) >= 5_000, `${event?.blockedMs} ms are at least 5 s`);
        assertEqual((await control.tasks.wait(id)).state, "succeeded");
      });
      await blocking(mesh);
    },
  },
  {
    name: "WK4 the handlers of a module run in threads, and get their payloads",
    run: withPeer({ handlersModule, slots: 2 }, async ({ peer }, control) => {
      const payload = { text: "in a thread" };
      const result = await control.run<{ payload: unknown }>("echo", payload, { peerId: peer.id });
      assertEqual(result.payload, payload);
    }),
  },
  {
    name: "WK4 a handler that computes for longer than its lease succeeds at the first attempt",
    run: withPeer({ handlersModule }, async ({ peer }, control) => {
      const options = { peerId: peer.id, leaseSeconds: 5 };
      const { id } = await control.tasks.submit("compute", 12_000, options);
      const task = await control.tasks.wait(id, { timeoutMs: 60_000 });
      assertEqual([task.state, task.attempts.length], ["succeeded", 1]);
    }),
  },
  {
    name: "WK5 an infinite loop ends at its attempt's timeout, and the peer goes on",
    run: withPeer({ handlersModule }, async ({ peer }, control) => {
      const error = await control
        .run("loop", null, { peerId: peer.id, attemptTimeoutSeconds: 2, maxAttempts: 1 })
        .catch((reason: unknown) => reason);
      assert(error instanceof TaskFailed, `${String(error)} is a TaskFailed`);
      // The peer says so, or the mesh, whichever is first.
      const isTimeout = String(error.task.error).endsWith(" took longer than 2 s");
      assert(isTimeout, `${error.task.error} is a timeout`);
      await control.run("echo", null, { peerId: peer.id });
    }),
  },
  {
    name: "WK6 a handler that ends its thread fails its own attempt only",
    run: withPeer({ handlersModule }, async ({ peer }, control) => {
      for (const kind of ["exit", "uncaught", "rejected"]) {
        const { id } = await control.tasks.submit(kind, 3, { peerId: peer.id, maxAttempts: 1 });
        const task = await control.tasks.wait(id);
        const isSaid = task.error?.startsWith("the thread that ran the handler ") === true;
        assert(isSaid, `${task.error} says what became of the thread`);
      }
      await control.run("echo", null, { peerId: peer.id });
    }),
  },
  {
    name: "WK1 handlers that ignore their signal never run at more slots than the peer has",
    run: async (mesh) => {
      const count = { running: 0, most: 0, begun: 0 };
      const stubborn = async () => {
        count.begun++;
        count.most = Math.max(count.most, ++count.running);
        await new Promise((resolve) => setTimeout(resolve, 300));
        count.running--;
      };
      const options = { slots: 2, handlers: { stubborn, echo: () => "ran" } };
      const cancelAll = withPeer(options, async ({ peer }, control) => {
        // Until the first two have ended and others have begun: a fast mesh cancels 30 tasks before that.
        for (let n = 0; n < 30 || count.begun <= 4; n++) {
          const { id } = await control.tasks.submit("stubborn", null, { peerId: peer.id });
          // On a busy machine a handler may end before it is cancelled.
          await control.tasks.cancel(id).catch((error: unknown) => {
            if (!(error instanceof MusterApiError) || error.code !== "task_ended") throw error;
          });
        }
        assertEqual(await control.run("echo", null, { peerId: peer.id }), "ran");
      });
      await cancelAll(mesh);
      assert(count.most <= 2, `${count.most} of ${count.begun} ran at once`);
    },
  },
];

/** Web Workers, on runtimes that have them: Deno stands for the browsers. */
const webWorkerCase: SdkCase = {
  name: "WK5 Web Workers run handlers, and one that loops for ever is ended and replaced",
  run: async () => {
    const pool = new ThreadPool({ module: handlersModule.href, size: 1, spawn: webThreads() });
    const handlers = await pool.load();
    const run = (kind: string, signal = new AbortController().signal) => {
      const context = {
        taskId: "t",
        kind,
        payloadText: '"hello"',
        attempt: 1,
        fence: 1,
        signal,
        progress: () => {},
      };
      return runToOutcome(() => handlers[kind]?.("hello", context));
    };
    const abort = new AbortController();
    setTimeout(() => abort.abort(new DOMException("the case ends it", "AbortError")), 200);
    const error = (outcome: Outcome) => (outcome.ok ? "no error" : outcome.error);
    const ended = "the thread that ran the handler";
    assertEqual(error(await run("loop", abort.signal)), `${ended} was terminated`);
    const crash = error(await run("uncaught"));
    assert(crash.startsWith(`${ended} crashed: `), `${crash} is a crash`);
    assert((await run("echo")).ok, "the next task gets a new worker");
    pool.stop();
  },
};

/** The cases that run on Deno for one protocol. */
export const denoCases = (protocol: string): readonly SdkCase[] =>
  protocol === "muster/2" ? [...sdkCases(protocol), webWorkerCase] : sdkCases(protocol);

/** The cases for one protocol. Threads know nothing of protocols, so one of them will do. */
export const sdkCases = (protocol: string): readonly SdkCase[] =>
  protocol === "muster/2" ? [...SDK_CASES, ...THREAD_CASES] : SDK_CASES;
