import { reset } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { ORIGIN_HEADERS } from "../../durable/origin-headers.ts";
import { newKeyPair } from "../../src/crypto/key-pairs.ts";
import { platformRandom } from "../../src/crypto/primitives.ts";
import { peerView } from "../durable/api.ts";
import { GoPeer } from "../durable/go-peer.ts";
import { connectUrl } from "../durable/noise-peer.ts";
import { call, callWith, ORIGIN, problemOf, type ProblemBody } from "./http.ts";

afterEach(async () => {
  await reset();
});

const PATHS = ["/v1/connect", "/ws"];

/** Calls the gateway directly: the runtime turns every upgrade request into a GET. */
const direct = (method: string, path: string, headers: Record<string, string>) =>
  callWith({}, method, path, { headers: { Upgrade: "websocket", ...headers } });

describe.each(PATHS)("%s", (path) => {
  it("HT1 opens a WebSocket without a token", async () => {
    for (const upgrade of ["websocket", "WebSocket"]) {
      const headers = { Upgrade: upgrade };
      const response = await exports.default.fetch(`${ORIGIN}${path}`, { headers });
      expect(response.status).toBe(101);
      expect(response.webSocket).not.toBeNull();
      response.webSocket?.accept();
      response.webSocket?.close();
    }
  });

  it.each([
    ["no Upgrade header", {}],
    ["another upgrade", { Upgrade: "h2c" }],
    ["an upgrade to several protocols", { Upgrade: "websocket, h2c" }],
  ])("HT2 answers 426 to a request with %s", async (_, headers) => {
    const reply = await call("GET", path, { token: null, headers });
    problemOf(reply, "upgrade_required");
    expect(reply.headers.get("Upgrade")).toBe("websocket");
  });

  it("HT2 does not upgrade a HEAD request (RFC 6455 \u00a74.1)", async () => {
    expect((await direct("HEAD", path, {})).status).toBe(426);
  });

  it.each(["muster.9", "chat", "chat, superchat", ""])(
    "HT3 refuses the subprotocol %j",
    async (protocol) => {
      const reply = await direct("GET", path, { "Sec-WebSocket-Protocol": protocol });
      expect(problemOf(reply, "invalid_request").detail).toContain("subprotocol");
    },
  );

  it("HT2 supports only GET", async () => {
    for (const method of ["POST", "PUT", "DELETE"]) {
      const reply = await direct(method, path, {});
      problemOf(reply, "method_not_allowed");
      expect(reply.headers.get("Allow")).toBe("GET, HEAD, OPTIONS");
    }
  });
});

describe("a muster.2 connection request that is refused", () => {
  const keys = newKeyPair(platformRandom);
  const problemFor = async (url: string): Promise<ProblemBody> => {
    const { pathname, search } = new URL(url);
    return (await call<ProblemBody>("GET", `${pathname}${search}`, { token: null })).body;
  };

  it.each([
    [400, "invalid_request", { proof: "short" }],
    [400, "invalid_request", { t: "now" }],
    [400, "identity_mismatch", { peer: "0".repeat(32) }],
    [409, "mesh_key_unknown", { mesh: "0".repeat(32) }],
    [401, "clock_skew", { t: "1000000000" }],
    [401, "proof_failed", { proof: "0".repeat(64) }],
  ])("NX1 is answered without an upgrade: %s %s for %j", async (status, code, forged) => {
    expect(await problemFor(await connectUrl(keys, forged))).toMatchObject({ status, code });
  });

  it("NX1 is answered with 426 if its proof is valid but it is not a WebSocket", async () => {
    expect(await problemFor(await connectUrl(keys))).toMatchObject({ code: "upgrade_required" });
  });
});

interface Forwarded {
  readonly address: string | null;
  readonly latitude: string | null;
}

/** The origin headers that the session's object receives. */
async function originTold({ headers, cf, ...variables }: Sent): Promise<Forwarded> {
  let told: Headers = new Headers();
  const stub = {
    fetch: async (request: Request) => {
      told = request.headers;
      return new Response("seen");
    },
  };
  const PEER_SESSION = { newUniqueId: () => "id", get: () => stub };
  await callWith({ PEER_SESSION, ...variables }, "GET", "/ws", {
    token: null,
    headers: { Upgrade: "websocket", ...headers },
    ...(cf !== undefined && { cf }),
  }).catch(() => undefined); // the stub's answer is not one of a mesh
  return {
    address: told.get(ORIGIN_HEADERS.address),
    latitude: told.get(ORIGIN_HEADERS.latitude),
  };
}

interface Sent {
  readonly headers: Record<string, string>;
  readonly cf?: { readonly clientIp?: string };
  readonly TRUSTED_PROXIES?: string;
}

describe("the origin of a socket", () => {
  const FORGED = {
    [ORIGIN_HEADERS.address]: "198.51.100.1",
    [ORIGIN_HEADERS.latitude]: "0",
    "X-Forwarded-For": "198.51.100.2, 10.0.0.1",
    "X-Real-IP": "198.51.100.3",
    Forwarded: "for=198.51.100.4",
    "True-Client-IP": "198.51.100.5",
  };
  const CLAIMED = { ...FORGED, "CF-Connecting-IP": "192.0.2.7" };

  it("RL30 is taken from the platform, never from the client's headers", async () => {
    expect(await originTold({ headers: FORGED, cf: {} })).toEqual({ address: "", latitude: "" });
    const platform = await originTold({ headers: CLAIMED, cf: {} });
    expect(platform).toEqual({ address: "192.0.2.7", latitude: "" });
  });

  it("RL30 is the socket's outside of Cloudflare, where CF-Connecting-IP is the client's claim", async () => {
    for (const [clientIp, address] of [
      ["203.0.113.5:40022", "203.0.113.5"],
      ["[2001:db8::5]:40022", "2001:db8::5"],
      ["unix:/run/muster.sock", ""],
    ] as const)
      expect((await originTold({ headers: CLAIMED, cf: { clientIp } })).address).toBe(address);
    expect((await originTold({ headers: CLAIMED })).address).toBe("");
  });

  it("RL30 is what a proxy says only if the operator trusts the proxy", async () => {
    const headers = { ...FORGED, "X-Forwarded-For": "198.51.100.2, 203.0.113.9, 10.0.0.7" };
    const from = async (clientIp: string, proxies: string) =>
      (await originTold({ headers, cf: { clientIp }, TRUSTED_PROXIES: proxies })).address;
    expect(await from("10.0.0.1:9", "10.0.0.0/8")).toBe("203.0.113.9");
    expect(await from("10.0.0.1:9", "10.0.0.1")).toBe("10.0.0.7");
    expect(await from("10.0.0.1:9", "::1")).toBe("10.0.0.1");
    expect(await from("192.0.2.9:9", "10.0.0.0/8")).toBe("192.0.2.9");
  });

  it("HT3 is shown with the peer, also if the client forges headers", async () => {
    const peer = await GoPeer.join();
    expect((await peerView(peer.keys.id)).address).toBe("");
  });
});
