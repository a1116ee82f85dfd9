import { fromHex } from "../../src/base/bytes.ts";
import { err } from "../../src/base/result.ts";
import { peerIdOf } from "../../src/crypto/identity.ts";
import type { MusterError } from "../../src/protocol/errors.ts";
import { DialBody, DialList, DialView } from "../../src/protocol/http.ts";
import type { AppContext } from "../context.ts";
import { forward, forwardEmpty } from "../forward.ts";
import { lowOrderKeyError } from "../low-order-key.ts";
import { respond } from "../problem.ts";
import { bodyOf, jsonOf, noContent } from "../responses.ts";
import { routesTagged, type Router } from "../route.ts";

const { define } = routesTagged("peers", { id: DialView.shape.id });

const dial = define("administer", "post", "/v1/peers", {
  operationId: "dialPeer",
  summary:
    "Register the address of a peer that listens: the mesh dials it now and whenever it is disconnected",
  request: { body: bodyOf(DialBody, { url: "wss://peer.example/ws" }) },
  responses: {
    200: jsonOf(DialView, "The address was registered before; the mesh dials it now"),
    201: jsonOf(DialView, "The address is registered; the mesh dials it now"),
  },
  failures: ["unusable_key", "conflict", "storage_full"],
});
const list = define("read", "get", "/v1/dials", {
  operationId: "listDials",
  summary: "List the registered addresses, with the outcome of the last dial",
  responses: { 200: jsonOf(DialList, "The addresses") },
});
const remove = define("administer", "delete", "/v1/dials/{id}", {
  operationId: "removeDial",
  summary: "Remove a registered address and end its session; the peer's record stays",
  responses: noContent("The address is removed"),
  failures: ["unconfirmed"],
});

export function dialRoutes(router: Router): void {
  router.route(dial, async (c) =>
    respond(c, await dialPeer(c, c.req.valid("json")), ({ dial: registered, created }) =>
      created ? c.json(registered, 201) : c.json(registered, 200),
    ),
  );
  router.route(list, (c) => forward(c, "list_dials", {}));
  router.route(remove, (c) => forwardEmpty(c, "remove_dial", c.req.valid("param")));
}

async function dialPeer(c: AppContext, { url, name, public_key: publicKey }: DialBody) {
  const { coordinator, config } = c.var;
  if (!config.goP2p) {
    const detail =
      "peers that listen speak go-p2p, which this mesh refuses; remove the setting GO_P2P=false to dial them";
    return err<MusterError>({ code: "conflict", detail });
  }
  if (publicKey === undefined) return coordinator.call("dial_peer", { url, name, key: null });
  const fault = lowOrderKeyError(config, publicKey);
  if (fault !== null) return err(fault);
  const key = { publicKey, peerId: peerIdOf(fromHex(publicKey) as Uint8Array) };
  return coordinator.call("dial_peer", { url, name, key });
}
