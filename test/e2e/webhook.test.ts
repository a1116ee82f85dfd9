import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { controller, deliver, newWebhookSecret, type MeshClient } from "../../src/client/index.ts";
import { testMesh, type TestMesh } from "./mesh.ts";
import { muster, type ExitResult } from "./processes.ts";

const secret = newWebhookSecret();
let started: TestMesh;
let control: MeshClient;

beforeAll(async () => {
  started = await testMesh();
  control = controller({ url: started.mesh.url, token: started.mesh.adminToken });
  await control.webhooks.put("files", {
    scheme: "standard-webhooks",
    secret,
    task: { kind: "digest", payload: { file: "$.file" } },
    filters: [{ path: "$.type", equals: "added" }],
  });
});
// Undefined when the start failed.
afterAll(() => (started as TestMesh | undefined)?.stop());

const webhook = (...args: string[]): Promise<ExitResult> =>
  muster(["webhook", ...args], { cwd: started.dir });

describe("muster webhook", () => {
  test("WH13 `test` shows which task an event from a file or an option would create", async () => {
    await writeFile(join(started.dir, "event.json"), '{"type":"added","file":"a.txt"}');
    const { code, stdout } = await webhook("test", "files", "event.json");
    expect(code).toBe(0);
    expect(stdout).toContain("outcome    task");
    expect(stdout).toContain('payload    {"file":"a.txt"}');
    const left = await webhook("test", "files", "--event", '{"type":"gone"}');
    expect(left.code).toBe(1);
    expect(left.stdout).toMatch(/outcome {4}filtered: filters\.0/);
    expect(left.stdout).toContain('$.type is "gone": does not match');
    const unfit = await webhook("test", "files", "--event", '{"type":"added"}', "--json");
    expect(JSON.parse(unfit.stdout)).toMatchObject({ outcome: "unmapped", task: null });
  });

  test("WH15 `deliveries` lists deliveries and `replay` processes one again", async () => {
    const options = { url: started.mesh.url, source: "files", secret };
    const taken = await deliver({ type: "added", file: "b.txt" }, options);
    const left = await deliver({ type: "gone", file: "c.txt" }, options);
    expect([taken.filtered, left.task_id]).toEqual([null, null]);
    const { stdout } = await webhook("deliveries", "files");
    expect(stdout).toMatch(/filtered .*\n.*task +/);
    const listed = await webhook("deliveries", "files", "--outcome", "task", "--json");
    const [delivery] = JSON.parse(listed.stdout) as { id: string }[];
    const again = await webhook("replay", "files", String(delivery?.id));
    expect(again.stdout).toBe(`already created task ${taken.task_id}\n`);
    const other = await webhook("replay", "files", String(delivery?.id), "--new-task");
    expect(other.stdout).toMatch(/^created task [0-9a-f-]{36}\n$/);
    expect((await webhook("list")).stdout).toMatch(/files +standard-webhooks +digest +1 +2/);
  });

  test("refuses missing or invalid arguments with the reason", async () => {
    for (const [args, fault] of [
      [["test", "files"], "pass exactly one sample"],
      [["test", "files", "--event", "{"], "the sample is not JSON"],
      [["test", "files", "none.json"], "none.json does not exist"],
      [["test", "files", "--event", "1", "--header", "x"], "--header must have"],
      [["deliveries", "nobody"], "there is no webhook source"],
      [["replay", "files"], "DELIVERY is missing"],
    ] as const) {
      const { code, stderr } = await webhook(...args);
      expect(code).not.toBe(0);
      expect(stderr).toContain(fault);
    }
  });
});
