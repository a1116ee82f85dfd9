import { fromHex, type Bytes } from "../base/bytes.ts";
import type { Json } from "../base/json.ts";
import {
  textOfJson,
  toJsonText,
  type ExactJson,
  type JsonText,
} from "../base/json-text/json-text.ts";
import { readBundle, sealBundle } from "../crypto/deploy-bundle.ts";
import { sharedSecret } from "../crypto/identity.ts";
import type { GoP2pRequest } from "../protocol/messages.ts";
import type { SessionContext } from "./context.ts";
import type { Claim } from "./state.ts";

/**
 * The payload of a go-p2p request as a plain node takes it: the bundle of a `deploy` is sealed with the secret that only the mesh and
 * this node share. What is no bundle goes as it is, and the node says what is wrong with it.
 */
export function sealedPayload(
  { speaksMuster, publicKey }: Claim,
  type: GoP2pRequest,
  payload: ExactJson,
  { mesh, randomBytes }: SessionContext,
): Json | JsonText {
  if (type !== "deploy" || speaksMuster) return toJsonText(payload);
  const bundle = readBundle(JSON.parse(textOfJson(payload)) as Json);
  if (!bundle.ok) return toJsonText(payload);
  // The key of a peer that has proved it has no low order.
  const secret = sharedSecret(mesh.keys.privateKey, fromHex(publicKey) as Bytes) as Bytes;
  return sealBundle(bundle.value, secret, randomBytes);
}
