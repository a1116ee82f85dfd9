// What a user's program does with the installed package, on every platform. Returns what it has seen to work.
import { connectPeer, controller, webThreads } from "muster-mesh";
import { decrypt, encryptBase64, generateKeyPair, textField, valueOf } from "muster-mesh/stmf";

const RESULT_BYTES = 1_048_576;

export async function useSdk({ url, token, meshKey, name, handlersModule, createThread }) {
  const seen = {};
  const mesh = controller({ url, token });

  const peer = connectPeer({
    url,
    meshKey,
    name,
    handlers: { [`${name}-large`]: ({ bytes }) => "x".repeat(bytes) },
  });
  await peer.ready;
  seen.joins = true;

  const result = await mesh.run(`${name}-large`, { bytes: RESULT_BYTES });
  seen.largeResult = result === "x".repeat(RESULT_BYTES);
  seen.submits = true;
  await peer.close();

  const threaded = connectPeer({
    url,
    meshKey,
    name: `${name}-threads`,
    handlersModule,
    ...(createThread === undefined ? {} : { platform: { spawnThread: webThreads(createThread) } }),
  });
  await threaded.ready;
  seen.threads = (await mesh.run(`${name}-thread`, { n: 20 })) === 6_765;
  await threaded.close();

  const keys = generateKeyPair();
  const form = await encryptBase64({ fields: [textField("city", "Köln")] }, keys.publicKey);
  seen.sealedForms = valueOf(await decrypt(form, keys.privateKey), "city") === "Köln";
  return seen;
}
