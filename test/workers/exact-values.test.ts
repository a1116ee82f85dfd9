import { reset } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readMember } from "../../src/base/json-text/read-json.ts";
import { toHex } from "../../src/base/bytes.ts";
import { textOfJson } from "../../src/base/json-text/json-text.ts";
import {
  connectPeer,
  controller,
  generateIdentity,
  JsonText,
  type MeshClient,
  type Peer,
} from "../../src/client/index.ts";
import { present } from "../must.ts";
import { jsonText } from "../base/json-text/texts.ts";
import { api, TOKEN } from "../durable/api.ts";
import { sdkPlatform } from "../durable/sdk-socket.ts";
import { ORIGIN } from "./http.ts";

/** Texts of which another reader or writer of JSON would make something else. */
const TEXTS = [
  "9007199254740993",
  '{"id": 12345678901234567890, "price": 0.1234567890123456789}',
  "-0",
  "-0.0",
  "1E+2",
  "1e-400",
  "100000000000000000000000",
  ' { "a" : [ 1 ,2 ] }'.trim(),
  '{"b":1,"a":2,"2":3,"1":4}',
  '{"__proto__":{"x":1},"constructor":{"prototype":0},"toString":null}',
  '"\\u0041\\/\\u0000\\ud834\\udd1e"',
  '{"\\u0061":1,"\\n":2,"\\\\":3}',
  '{\n  "pretty": true,\n\t"crlf":\r\n[]\n}',
  '"\u2028\u007f\u{1f309}"',
  "null",
  '""',
];

/** A number that is refused. */
const NOT_HELD = "-1E+999";
const LIMITS = { maxDepth: 64 };
const fetch = (url: string, init?: RequestInit): Promise<Response> =>
  exports.default.fetch(new Request(url, init));

/** A request whose body is exactly this text; the text of its answer. */
async function post(path: string, body: string, headers: Record<string, string> = {}) {
  const response = await exports.default.fetch(`${ORIGIN}${path}`, {
    method: "POST",
    headers: {
      Authorization: `Bearer ${TOKEN}`,
      "Content-Type": "application/json",
      ...headers,
    },
    body,
  });
  return { status: response.status, text: await response.text() };
}

const get = async (path: string): Promise<string> =>
  (
    await exports.default.fetch(`${ORIGIN}${path}`, {
      headers: { Authorization: `Bearer ${TOKEN}` },
    })
  ).text();

const member = (text: string, ...path: string[]): string =>
  textOfJson(present(readMember(text, path, LIMITS)));

let seen: string[] = [];
let peer: Peer;
let mesh: MeshClient;
beforeEach(async () => {
  seen = [];
  const keys = generateIdentity();
  mesh = controller({ url: ORIGIN, token: TOKEN, fetch });
  await api("PUT", `/v1/allowlist/${toHex(keys.publicKey)}`, { roles: ["dual"] });
  peer = connectPeer({
    url: ORIGIN,
    privateKey: keys.privateKey,
    role: "dual",
    slots: 4,
    handlers: {
      echo: (_payload, { payloadText }) => {
        seen.push(payloadText);
        return new JsonText(payloadText);
      },
      nan: () => ({ ratio: [Number.NaN] }),
      "go-p2p/get_logs": (_payload, { payloadText }) => new JsonText(payloadText),
    },
    platform: sdkPlatform(fetch),
  });
  await peer.ready;
});
afterEach(async () => {
  await peer.close();
  await reset();
});

describe("a payload", () => {
  it.each(TEXTS)("AS130 comes to the peer and back as a result byte for byte: %s", async (text) => {
    const body = `{"kind":"echo", "payload": ${text} ,"priority":1}`;
    const answer = await post("/v1/tasks?wait=10", body);
    expect([answer.status, seen]).toEqual([200, [text]]);
    expect(member(answer.text, "payload")).toBe(text);
    expect(member(answer.text, "result")).toBe(text);
    const { id } = JSON.parse(answer.text) as { id: string };
    expect(member(await get(`/v1/tasks/${id}`), "payload")).toBe(text);
    expect(await get(`/v1/tasks/${id}/result`)).toBe(text);
    const task = await mesh.tasks.get(id);
    expect([task.payload_text, task.result_text, await mesh.tasks.resultText(id)]).toEqual([
      text,
      text,
      text,
    ]);
    expect(task.result).toEqual(JSON.parse(text));
  });

  it("AS130 of any writing goes over HTTP, in a batch, over a session and by the SDK without a change", async () => {
    const text = jsonText({ unique: true }).map((padded) => padded.trim());
    const fits = text.filter((one) => {
      const flat = JSON.stringify(JSON.parse(one));
      return !/\\ud[89a-f]/.test(flat);
    });
    await fc.assert(
      fc.asyncProperty(fits, async (one) => {
        seen = [];
        const single = await post("/v1/tasks?wait=10", `{"payload":${one},"kind":"echo"}`);
        expect(member(single.text, "result")).toBe(one);
        const batch = await post(
          "/v1/task-batches",
          `{"tasks":[{"kind":"echo","payload":${one}},{"kind":"echo","payload":\t${one}}]}`,
        );
        const { results } = JSON.parse(batch.text) as { results: { task: { id: string } }[] };
        for (const { task } of results)
          expect((await mesh.tasks.wait(task.id)).result_text).toBe(one);
        const bySdk = await mesh.tasks.submit("echo", new JsonText(one), { waitMs: 60_000 });
        const { id } = await peer.tasks.submit("echo", { deep: [new JsonText(one)] });
        const overSession = await peer.tasks.wait(id);
        expect([bySdk.payload_text, overSession.payload_text, overSession.result_text]).toEqual([
          one,
          `{"deep":[${one}]}`,
          `{"deep":[${one}]}`,
        ]);
        expect(seen).toEqual([one, one, one, one, `{"deep":[${one}]}`]);
      }),
      { numRuns: 25 },
    );
  });

  it("AS131 under an idempotency key is compared as it was written, and the repetition shows the first text", async () => {
    const key = { "Idempotency-Key": "once" };
    const first = await post("/v1/tasks", '{"kind":"other","payload":[1.0]}', key);
    const again = await post("/v1/tasks", '{"kind":"other","payload":[1.0]}', key);
    expect([first.status, member(again.text, "payload")]).toEqual([202, "[1.0]"]);
    expect((await post("/v1/tasks", '{"kind":"other","payload":[1]}', key)).status).toBe(422);
  });

  it.each([
    ['{"a":[0,1e400]}', "payload.a[1]", "as a string"],
    ['{"a":{"id":1,"\\u0069d":2}}', "payload.a.id", "twice"],
    ['["\\ud834"]', "payload[0]", "surrogate"],
  ])("AS132 that a reader would change is refused by its path: %s", async (text, path, message) => {
    const refused = await post("/v1/tasks", `{"kind":"echo","payload":${text}}`);
    expect(refused.status).toBe(400);
    expect(refused.text).toContain(message);
    expect(refused.text).toContain(JSON.stringify(path).slice(1, -1));
    const batch = await post(
      "/v1/task-batches",
      `{"tasks":[{"kind":"echo","payload":1},{"kind":"echo","payload":[${NOT_HELD}]}]}`,
    );
    expect(batch.text).toContain("payload[0]");
    await expect(mesh.tasks.submit("echo", new JsonText(text))).rejects.toThrow(path);
    await expect(peer.tasks.submit("echo", new JsonText(text))).rejects.toThrow(path);
    expect(seen.filter((one) => one === text)).toEqual([]);
  });

  it("AS133 that JSON would change in silence is refused by the SDK, with its path, before it is sent", async () => {
    await expect(mesh.tasks.submit("echo", { a: [Number.NaN] })).rejects.toThrow("payload.a[0]");
    await expect(peer.tasks.submit("echo", { n: 1n })).rejects.toThrow("payload.n");
    const tasks = [{ kind: "echo" }, { kind: "echo", payload: new Map() }];
    await expect(mesh.tasks.submitBatch(tasks)).rejects.toThrow("tasks[1].payload");
    expect(seen).toEqual([]);
  });
});

describe("a body with a payload", () => {
  it("HT40 is checked as any other, whatever its payload holds", async () => {
    const bad = '{"kind":7,"payload":{"kind":"echo","payload":1.0}}';
    const refused = await post("/v1/tasks", bad);
    expect([refused.status, refused.text.includes("kind")]).toEqual([400, true]);
    for (const broken of ['{"kind":"echo","payload":01}', '{"kind":"echo","payload":[1,]}', "{"])
      expect((await post("/v1/tasks", broken)).status).toBe(400);
    const absent = await post("/v1/tasks?wait=10", '{"kind":"echo"}');
    expect([absent.status, member(absent.text, "payload")]).toEqual([200, "null"]);
    const large = `"${"é".repeat(131_071)}"`;
    const fits = await post("/v1/tasks?wait=10", `{"kind":"echo","payload":${large}}`);
    expect(member(fits.text, "result")).toBe(large);
    const over = await post("/v1/tasks", `{"kind":"echo","payload":${large} }`.replace("é", "éé"));
    expect(over.status).toBe(413);
  });
});

describe("a result", () => {
  it("AS134 with a value that JSON would change fails the attempt for good, with the place", async () => {
    const task = await mesh.tasks.submit("nan", null, { waitMs: 60_000 });
    expect(task).toMatchObject({ state: "failed", attempts_used: 1 });
    expect(task.error).toContain("result.ratio[0]: JSON has no NaN");
  });

  it("AS135 of a go-p2p request comes back as the peer wrote it, and so does the request's payload", async () => {
    const text = '{"lines": 12345678901234567890,"at":1.50}';
    const answer = await post(
      `/v1/peers/${peer.id}/requests`,
      `{"type":"get_logs","payload":${text}}`,
    );
    expect([answer.status, member(answer.text, "payload")]).toEqual([200, text]);
    const { payload_text } = await mesh.peers.request(peer.id, "get_logs", new JsonText(text));
    expect(payload_text).toBe(text);
    const refused = await post(
      `/v1/peers/${peer.id}/requests`,
      '{"type":"get_logs","payload":[1e999]}',
    );
    expect([refused.status, refused.text.includes("payload[0]")]).toEqual([400, true]);
  });
});
