import { expect, test } from "vitest";
import { KEYS, TestMesh } from "../mesh.ts";

const [A, OWN, NEXT] = KEYS;
const meshIds = [OWN.id, NEXT.id];

test.each([
  ["its own key", OWN],
  ["its next key", NEXT],
])("HS30 the mesh takes %s in no place where a peer's key belongs", (_, key) => {
  const mesh = new TestMesh({ config: { meshIds } });
  const peer = mesh.join(A);
  const { id: peerId, publicKey } = key;
  const claim = { ...peer.admitInput(), peerId, publicKey };
  for (const protocol of ["go-p2p/1.0", "muster/2"] as const)
    expect(mesh.errorOf("admit", { ...claim, protocol }).code).toBe("identity_mismatch");
  const entry = { label: "", roles: ["worker" as const], readmit: false, go_p2p: false };
  expect(mesh.errorOf("allow", { publicKey, peerId, ...entry }).code).toBe("identity_mismatch");
  const { epoch } = peer;
  const rotation = { peerId: A.id, epoch, newPeerId: peerId, newPublicKey: publicKey };
  expect(mesh.errorOf("rotate_peer", rotation).code).toBe("identity_mismatch");
  const dial = { url: "wss://peer.example.com/", name: "", key: { publicKey, peerId } };
  expect(mesh.errorOf("dial_peer", dial).code).toBe("identity_mismatch");
});
