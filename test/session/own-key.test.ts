import { expect, test } from "vitest";
import { toBase64 } from "../../src/base/bytes.ts";
import { toRfc3339 } from "../../src/base/clock.ts";
import { newKeyPair } from "../../src/crypto/key-pairs.ts";
import { readIdentity } from "../../src/session/handshake-identity.ts";
import type { SessionContext } from "../../src/session/context.ts";
import { mustFail } from "../must.ts";
import { seededRandom } from "../random.ts";

const random = seededRandom(30);
const [mesh, next] = [newKeyPair(random), newKeyPair(random)];

test.each([
  ["own", mesh],
  ["next", next],
])("HS30 a handshake that names the mesh's %s key is refused before it is answered", (_, keys) => {
  const { id, publicKey } = keys;
  const context = {
    mesh: { keys: mesh, name: "mesh" },
    nextMeshKey: next.publicKey,
  } as SessionContext;
  const identity = {
    id,
    name: "",
    publicKey: toBase64(publicKey),
    createdAt: toRfc3339(0),
    role: "worker" as const,
  };
  const envelope = { id: "", type: "handshake", from: id, to: "", ts: toRfc3339(0), payload: {} };
  expect(mustFail(readIdentity(identity, envelope, context)).code).toBe("identity_mismatch");
});
