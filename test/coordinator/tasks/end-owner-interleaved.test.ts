import * as fc from "fast-check";
import { expect, test } from "vitest";
import { exactJsonOf } from "../../../src/base/json-text/json-text.ts";
import { HOUR } from "../../../src/base/clock.ts";
import type { CallbackRequest } from "../../../src/contract/webhooks.ts";
import { must, present } from "../../must.ts";
import { KEYS, submission, TestMesh } from "../mesh.ts";

const [A, B] = KEYS;
const CALLBACK = { url: "https://one.example/hook" };

test("AD21 with any interleaving of ends, submissions, results, retries, answers, ticks and restarts no ended owner's task is offered or called back", () => {
  const names = ["a", "b"] as const;
  const step = fc.oneof(
    fc.record({ do: fc.constant("submit" as const), by: fc.constantFrom(...names) }),
    fc.record({
      do: fc.constantFrom("end" as const, "retry" as const),
      by: fc.constantFrom(...names),
    }),
    fc.record({ do: fc.constantFrom("finish" as const, "fail" as const) }),
    fc.record({ do: fc.constantFrom("tick" as const, "restart" as const) }),
    fc.record({ do: fc.constantFrom("claim" as const, "answer" as const, "hour" as const) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.boolean(), (steps, busy) => {
      const mesh = new TestMesh();
      const tokens = names.map((label) => mesh.run("create_token", { label, scope: "controller" }));
      const ownerOf = (by: (typeof names)[number]) => present(tokens[names.indexOf(by)]).id;
      const ended = new Set<string>();
      const byTask = new Map<string, string>();
      const worker = mesh.join(A, { kinds: ["x"], slots: 1 });
      const other = mesh.join(B, { kinds: [busy ? "none" : "x"], slots: 2 });
      const claimed: CallbackRequest[] = [];
      let seen = 0;
      const check = () => {
        const offers = [...worker.offers, ...other.offers];
        for (const { task_id: id } of offers.slice(seen))
          expect(ended.has(present(byTask.get(id)))).toBe(false);
        seen = offers.length;
      };
      for (const one of steps) {
        if (one.do === "submit" && !ended.has(ownerOf(one.by))) {
          const owner = ownerOf(one.by);
          const { result, effects: _ } = mesh.execute(
            "enqueue_task",
            submission({ kind: busy ? "idle" : "x", callback: CALLBACK }, { owner }),
          );
          byTask.set(must(result).id, owner);
        }
        if (one.do === "end") {
          mesh.run("revoke_token", { id: ownerOf(one.by) });
          ended.add(ownerOf(one.by));
        }
        // By the owner itself, as a command of it that the gateway had accepted before.
        if (one.do === "retry") {
          const id = ownerOf(one.by);
          for (const [task, owner] of byTask)
            if (owner === id) {
              const input = { id: task, visibleTo: id };
              mesh.executeGroup([{ name: "retry_task", input, actor: `token:${id}` }]);
            }
        }
        if ((one.do === "finish" || one.do === "fail") && worker.offers.length > 0) {
          const { task_id, fence } = worker.offer;
          const at = { peerId: worker.id, epoch: worker.epoch };
          mesh.execute("accept_task", { ...at, taskId: task_id, fence, queued: false });
          mesh.execute("finish_task", {
            ...at,
            outcome:
              one.do === "finish"
                ? { task_id, fence, ok: true, result: exactJsonOf(1) }
                : { task_id, fence, ok: false, error: "no", retry: false },
          });
        }
        if (one.do === "answer")
          for (const { taskId, retries, attempt } of claimed.splice(0)) {
            const answer = { status: 500, error: "HTTP 500", retryAfter: null };
            mesh.run("callback_answered", { taskId, retries, attempt, answer });
          }
        if (one.do === "hour") mesh.advanceClock(HOUR);
        if (one.do === "tick") mesh.tick();
        if (one.do === "restart") mesh.restart();
        if (one.do === "claim") {
          const { request } = mesh.run("claim_callback", { inProgress: [], afterOwners: {} });
          if (request === null) continue;
          claimed.push(request);
          expect(ended.has(present(byTask.get(request.taskId)))).toBe(false);
        }
        check();
      }
    }),
    { numRuns: 150 },
  );
});
