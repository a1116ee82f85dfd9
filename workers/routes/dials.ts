import { createRoute, z, type OpenAPIHono } from "@hono/zod-openapi";
import { fromHex } from "../../src/base/bytes.ts";
import { err } from "../../src/base/result.ts";
import { peerIdOf } from "../../src/crypto/identity.ts";
import type { MusterError } from "../../src/protocol/errors.ts";
import { DialBody, DialList, DialView } from "../../src/protocol/http.ts";
import type { AppContext, AppEnv } from "../context.ts";
import { takesJson } from "../middleware.ts";
import { respond } from "../problem.ts";
import {
  bodyOf,
  conflict,
  failures,
  failuresOfBody,
  failuresOfOne,
  jsonOf,
  security,
  unconfirmed,
} from "../responses.ts";
import { lowOrderKeyError } from "../low-order-key.ts";

const tags = ["peers"];
const params = z.object({ id: DialView.shape.id });

const dial = createRoute({
  method: "post",
  path: "/v1/peers",
  summary:
    "Dial a peer that listens, now and whenever it is away; by its address, and the key that it must prove",
  tags,
  security,
  middleware: takesJson,
  request: { body: bodyOf(DialBody) },
  responses: {
    200: jsonOf(DialView, "The address was registered before; it is dialled now"),
    201: jsonOf(DialView, "The address is registered, and dialled now"),
    ...failuresOfBody,
    ...conflict,
  },
});
const list = createRoute({
  method: "get",
  path: "/v1/dials",
  summary: "List the addresses that are dialled, and what came of it",
  tags,
  security,
  responses: { 200: jsonOf(DialList, "The addresses"), ...failures },
});
const remove = createRoute({
  method: "delete",
  path: "/v1/dials/{id}",
  summary: "Dial an address no more, and end the session that it led to; the peer's record stays",
  tags,
  security,
  request: { params },
  responses: { 204: { description: "It is gone" }, ...failuresOfOne, ...unconfirmed },
});

export function dialRoutes(app: OpenAPIHono<AppEnv>): void {
  app.openapi(dial, async (c) =>
    respond(c, await dialPeer(c, c.req.valid("json")), ({ dial: registered, created }) =>
      created ? c.json(registered, 201) : c.json(registered, 200),
    ),
  );
  app.openapi(list, async (c) =>
    respond(c, await c.get("coordinator").call("list_dials", {}), (dials) => c.json(dials, 200)),
  );
  app.openapi(remove, async (c) =>
    respond(c, await c.get("coordinator").call("remove_dial", c.req.valid("param")), () =>
      c.body(null, 204),
    ),
  );
}

async function dialPeer(c: AppContext, { url, name, public_key: publicKey }: DialBody) {
  const { coordinator, config } = c.var;
  if (!config.goP2p) {
    const detail = "peers that listen speak go-p2p 1.0, which GO_P2P=false keeps out";
    return err<MusterError>({ code: "conflict", detail });
  }
  if (publicKey === undefined) return coordinator.call("dial_peer", { url, name, key: null });
  const fault = lowOrderKeyError(config, publicKey);
  if (fault !== null) return err(fault);
  const key = { publicKey, peerId: peerIdOf(fromHex(publicKey) as Uint8Array) };
  return coordinator.call("dial_peer", { url, name, key });
}
