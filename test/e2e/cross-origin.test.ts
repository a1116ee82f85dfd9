import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectPeer, controller } from "../../src/client/index.ts";
import { testMesh, type TestMesh } from "./mesh.ts";

const PAGE = "http://localhost:5173";
const LARGE_BYTES = 1_048_576;

let running: TestMesh;
beforeAll(async () => {
  running = await testMesh();
});
afterAll(() => running?.stop());

/** Every answer that the SDK reads, as a page of this origin would get it. */
function asPage(origin: string) {
  const answers: Response[] = [];
  const fetchAsPage = async (url: string | URL | Request, init: RequestInit = {}) => {
    const headers = new Headers(init.headers);
    headers.set("Origin", origin);
    const answer = await fetch(url, { ...init, headers });
    answers.push(answer);
    return answer;
  };
  return { answers, fetch: fetchAsPage };
}

describe("a mesh of muster start", () => {
  test("HT60 lets a page of this machine submit a task, follow it and read a large result", async () => {
    const { url, adminToken } = running.mesh;
    const peer = connectPeer({ url, handlers: { fill: () => "x".repeat(LARGE_BYTES) } });
    try {
      await peer.ready;
      const { answers, fetch: fetchAsPage } = asPage(PAGE);
      const mesh = controller({ url, token: adminToken, fetch: fetchAsPage });
      expect(await mesh.run("fill", null)).toHaveLength(LARGE_BYTES);
      expect(answers.length).toBeGreaterThan(1);
      expect(answers.some(({ url: read }) => read.endsWith("/result"))).toBe(true);
      for (const { headers } of answers)
        expect([headers.get("Access-Control-Allow-Origin"), headers.get("Vary")]).toEqual([
          PAGE,
          "Origin",
        ]);
    } finally {
      await peer.close();
    }
  });

  test.each([PAGE, "https://evil.example"])(
    "HT62 answers the preflight of a page: %s",
    async (origin) => {
      const headers = {
        Origin: origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
      };
      const answer = await fetch(`${running.mesh.url}/v1/tasks`, { method: "OPTIONS", headers });
      expect([answer.status, answer.headers.get("Access-Control-Allow-Origin")]).toEqual([
        204,
        origin === PAGE ? PAGE : null,
      ]);
    },
  );

  test("HT60 does not start with an origin that is not valid, and names the setting", async () => {
    await expect(testMesh({ CORS_ORIGINS: "https://app.example/" })).rejects.toThrow(
      /^CORS_ORIGINS entry 1 /,
    );
  });
});
