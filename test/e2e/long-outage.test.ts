import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { startMesh } from "../../server/mesh-process.ts";
import { isOutage } from "../../src/client/http/request-retry.ts";
import { connectPeer, controller, generateIdentity } from "../../src/client/index.ts";

/** A start on a busy machine takes tens of seconds. */
const OUTAGE_MS = 150_000;
/** Several times what a restart takes on an idle machine. */
const DOWN_MS = 8_000;

test("SK41 wait, follow and run outlast a mesh that is down for longer than a restart takes; without it they give up after outageMs, and name the task", async () => {
  const dir = await mkdtemp(join(tmpdir(), "muster-long-outage-"));
  const first = await startMesh({ dir, port: 0 });
  const { url, adminToken: token } = first;
  const port = Number(new URL(url).port);
  const release = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const handlers = {
    slow: async (payload: unknown) => {
      if (payload === "run") begun.resolve();
      await release.promise;
      return payload;
    },
  };
  const { privateKey } = generateIdentity();
  const peer = connectPeer({ url, privateKey, slots: 4, handlers });
  let mesh: typeof first | null = first;
  try {
    const patient = controller({ url, token, outageMs: OUTAGE_MS });
    const waited = await patient.tasks.submit("slow", "wait");
    const followed = await patient.tasks.submit("slow", "follow");
    const calls = [
      patient.tasks.wait(waited.id).then(({ result }) => result),
      lastOf(patient.tasks.follow(followed.id)).then((task) => task?.result),
      patient.run("slow", "run"),
    ];
    await begun.promise;
    await first.stop();
    mesh = null;
    await sleep(DOWN_MS);
    mesh = await startMesh({ dir, port });
    release.resolve();
    expect(await Promise.all(calls)).toEqual(["wait", "follow", "run"]);

    const hasty = controller({ url, token, outageMs: 1_000 });
    const { id } = await hasty.tasks.submit("nobody", null);
    const begin = Promise.withResolvers<void>();
    const ended = [
      hasty.tasks.wait(id).catch((error: unknown) => error),
      lastOf(hasty.tasks.follow(id), () => begin.resolve()).catch((error: unknown) => error),
    ];
    await begin.promise;
    await mesh.stop();
    mesh = null;
    for (const error of await Promise.all(ended)) {
      // While it stops, a mesh may still say that it does not serve any more.
      expect(isOutage(error)).toBe(true);
      expect(error).toMatchObject({ taskId: id });
      expect((error as Error).message).toContain(id);
    }
  } finally {
    await peer.close();
    await mesh?.stop();
    await rm(dir, { recursive: true, force: true });
  }
});

async function lastOf<T>(
  items: AsyncIterable<T>,
  onItem: () => void = () => {},
): Promise<T | null> {
  let last: T | null = null;
  for await (const item of items) {
    last = item;
    onItem();
  }
  return last;
}
