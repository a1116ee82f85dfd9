import { reset } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import type { ErrorCode } from "../../src/protocol/errors.ts";
import type { DiscoveryKeys } from "../../src/protocol/discovery.ts";
import { readerToken } from "../../src/discovery/epoch-secrets.ts";
import { hexBytes, present } from "../must.ts";
import { call, type Call, type Reply } from "./http.ts";
import { from, isolate } from "./isolate.ts";
import { GITHUB_SOURCE, github, register, standard, without } from "./signed-deliveries.ts";

afterEach(async () => {
  await reset();
});

const EVENT = '{"type":"file.added"}';
const TASK = "00000000-0000-4000-8000-000000000001";
const ID = "ab".repeat(16);
const INVENTED = `mst_${"0".repeat(96)}`;
const codes = (replies: readonly Reply<unknown>[]): ErrorCode[] =>
  replies.map(({ body }) => (body as { code: ErrorCode }).code);

interface Unproved {
  readonly what: string;
  readonly method: string;
  readonly path: string;
  readonly options: () => Promise<Call> | Call;
  /** Without the budget. */
  readonly code: ErrorCode;
  /** The most commands that 20 of these may cause. */
  readonly commands: number;
}

const bad = async (): Promise<Call> => without(await standard(EVENT), "webhook-signature");
const forged = async (): Promise<Call> => ({ ...(await standard(EVENT)), raw: `${EVENT} ` });

const UNPROVED: readonly Unproved[] = [
  {
    what: "no token",
    method: "GET",
    path: "/v1/tasks",
    options: () => ({ token: null }),
    code: "unauthorized",
    commands: 0,
  },
  {
    what: "an invented token",
    method: "GET",
    path: "/v1/peers",
    options: () => ({ token: INVENTED }),
    code: "unauthorized",
    commands: 0,
  },
  {
    what: "a token of no form",
    method: "POST",
    path: "/v1/tasks",
    options: () => ({ token: "x", json: {} }),
    code: "unauthorized",
    commands: 0,
  },
  {
    what: "an upload with a wrong ticket",
    method: "PUT",
    path: `/v1/task-results/${TASK}/1`,
    options: () => ({ token: `${ID}.${ID}`, json: 1 }),
    code: "unauthorized",
    commands: 0,
  },
  {
    what: "a download with a wrong ticket",
    method: "GET",
    path: `/v1/task-results/${TASK}`,
    options: () => ({ token: `${ID}.${ID}` }),
    code: "unauthorized",
    commands: 0,
  },
  {
    what: "a read of a payload with a wrong ticket",
    method: "GET",
    path: `/v1/task-payloads/${TASK}/1`,
    options: () => ({ token: `${ID}.${ID}` }),
    code: "unauthorized",
    commands: 0,
  },
  // The first reads what sources there are; until the budget of reads is used up, each delivery that fails reads it again.
  {
    what: "a delivery to an unknown source",
    method: "POST",
    path: "/v1/webhooks/nobody",
    options: () => standard(EVENT),
    code: "not_found",
    commands: 21,
  },
  {
    what: "an unsigned delivery",
    method: "POST",
    path: "/v1/webhooks/files",
    options: bad,
    code: "signature_missing",
    commands: 22,
  },
  {
    what: "a forged delivery",
    method: "POST",
    path: "/v1/webhooks/files",
    options: forged,
    code: "signature_invalid",
    commands: 22,
  },
  // The coordinator alone knows which reader tokens are right.
  {
    what: "a list of pointers without a token",
    method: "GET",
    path: "/v1/pointers",
    options: () => ({ token: null }),
    code: "unauthorized",
    commands: 5,
  },
  {
    what: "a pointer with a wrong reader token",
    method: "GET",
    path: `/v1/pointers/${ID}`,
    options: () => ({ token: "ab".repeat(32) }),
    code: "not_found",
    commands: 5,
  },
  {
    what: "a blob with an invented token",
    method: "GET",
    path: `/v1/blobs/${ID}`,
    options: () => ({ token: INVENTED }),
    code: "not_found",
    commands: 5,
  },
];

describe("callers that prove nothing", () => {
  it.each(UNPROVED)("RL31 are limited per address: $what", async (each) => {
    await register("files");
    const { send, commands } = isolate();
    const replies: Reply<unknown>[] = [];
    for (let n = 0; n < 20; n++)
      replies.push(await send(each.method, each.path, from("192.0.2.1", await each.options())));
    const limited = Array.from({ length: 15 }, () => "rate_limited");
    expect(codes(replies)).toEqual([...Array.from({ length: 5 }, () => each.code), ...limited]);
    expect(Number(replies.at(-1)?.headers.get("Retry-After"))).toBeGreaterThan(0);
    expect(commands.length).toBeLessThanOrEqual(each.commands);
    const other = await send(each.method, each.path, from("192.0.2.2", await each.options()));
    expect(codes([other])).toEqual([each.code]);
  });

  it("RL31 get no further budget by any header", async () => {
    const { send } = isolate({ TRUSTED_PROXIES: "10.0.0.0/8" });
    const replies: Reply<unknown>[] = [];
    for (let n = 0; n < 10; n++) {
      const address = `203.0.113.${n}`;
      const claims = {
        "X-Forwarded-For": `${address}, 10.0.0.1`,
        "X-Real-IP": address,
        Forwarded: `for=${address}`,
        "CF-Connecting-IP": address,
      };
      const request = { token: null, headers: claims, cf: { clientIp: "192.0.2.1:5000" } };
      replies.push(await send("GET", "/v1/tasks", request));
    }
    expect(codes(replies).slice(5)).toEqual(Array.from({ length: 5 }, () => "rate_limited"));
  });

  it("RL34 cause few commands however many addresses and names they have", async () => {
    await register("files");
    const { send, commands, reports } = isolate();
    const began = Date.now();
    for (let n = 0; n < 200; n++) {
      const address = `198.51.${n >> 8}.${n & 255}`;
      const name = n % 2 === 0 ? "files" : `name-${n}`;
      expect(
        (await send("POST", `/v1/webhooks/${name}`, from(address, await forged()))).status,
      ).toBeGreaterThanOrEqual(401);
    }
    const seconds = (Date.now() - began) / 1_000;
    // The first read, opening the source, and what the budget of reads has earned.
    expect(commands.length).toBeLessThanOrEqual(2 + 20 + 2 * (seconds + 1));
    expect(reports.length).toBeLessThanOrEqual(1 + seconds / 2);
    commands.length = 0;
    const honest = await send(
      "POST",
      "/v1/webhooks/files",
      from("198.51.0.1", await standard(EVENT)),
    );
    expect([honest.status, commands]).toEqual([202, ["receive_delivery"]]);
  });

  it("RL34 a revoked token is asked about once", async () => {
    const { body } = await call<{ token: string; id: string }>("POST", "/v1/tokens", {
      json: { scope: "viewer" },
    });
    const { send, commands } = isolate();
    expect((await send("GET", "/v1/tasks", from("192.0.2.1", { token: body.token }))).status).toBe(
      200,
    );
    await call("DELETE", `/v1/tokens/${body.id}`);
    commands.length = 0;
    for (let n = 0; n < 20; n++) {
      const reply = await send("GET", "/v1/tasks", from(`192.0.2.${n}`, { token: body.token }));
      expect(codes([reply])).toEqual(["unauthorized"]);
    }
    expect(commands).toEqual(["authenticate"]);
  });
});

describe("callers that prove something", () => {
  /** Uses up every budget of an address. */
  async function exhaust({ send }: ReturnType<typeof isolate>, address: string): Promise<void> {
    for (const each of UNPROVED)
      for (let n = 0; n < 8; n++)
        await send(each.method, each.path, from(address, await each.options()));
  }

  it("RL32 are not refused because of others at their address", async () => {
    await register("files");
    const { body: token } = await call<{ token: string }>("POST", "/v1/tokens", {
      json: { scope: "controller" },
    });
    const gateway = isolate();
    await exhaust(gateway, "192.0.2.1");
    const { send } = gateway;
    const statuses: number[] = [];
    for (let n = 0; n < 10; n++) {
      const signed = await standard(EVENT, { id: `msg_${n}` });
      for (const reply of [
        await send("GET", "/v1/tasks", from("192.0.2.1")),
        await send("GET", "/v1/tasks", from("192.0.2.1", { token: token.token })),
        await send("GET", "/v1/pointers", from("192.0.2.1")),
        await send("POST", "/v1/webhooks/files", from("192.0.2.1", signed)),
      ])
        statuses.push(reply.status);
    }
    expect(statuses).toEqual(Array.from({ length: 10 }, () => [200, 200, 200, 202]).flat());
  });

  it("RL32 a sender may deliver any number of signed events at once, filtered, unmapped and repeated ones too", async () => {
    await register("files", { filters: [{ path: "$.wanted", equals: "yes" }] });
    await register("hub", GITHUB_SOURCE);
    const { send } = isolate();
    const burst = await Promise.all(
      Array.from({ length: 100 }, async (_, n) => {
        const wanted = n % 2 === 0 ? "yes" : "no";
        const event = JSON.stringify({ type: "a", wanted });
        const [name, delivery] =
          n % 3 === 0
            ? (["hub", await github("{}")] as const)
            : (["files", await standard(event, { id: `msg_${n % 50}` })] as const);
        return (await send("POST", `/v1/webhooks/${name}`, from("192.0.2.1", delivery))).status;
      }),
    );
    expect(burst.filter((status) => ![202, 422].includes(status))).toEqual([]);
  });

  it("RL32 a reader whose token was accepted before reads on", async () => {
    const keys = await call<DiscoveryKeys>("GET", "/v1/discovery/keys");
    const reader = readerToken(hexBytes(present(keys.body.epochs[0]).pointer_secret));
    const gateway = isolate();
    const read = () => gateway.send("GET", "/v1/pointers", from("192.0.2.1", { token: reader }));
    expect((await read()).status).toBe(200);
    await exhaust(gateway, "192.0.2.1");
    for (let n = 0; n < 10; n++) expect((await read()).status).toBe(200);
  });

  it("RL31 the reads of a mesh whose discovery is public are limited per address", async () => {
    const { send, commands } = isolate({ DISCOVERY_PUBLIC: "true" });
    const statuses: number[] = [];
    for (let n = 0; n < 8; n++)
      statuses.push((await send("GET", "/v1/pointers", from("192.0.2.1", { token: null }))).status);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429, 429, 429]);
    expect(commands.filter((name) => name === "read_discovery")).toHaveLength(5);
  });
});
