// What a user's program does with the installed package, on every platform. Returns what it has seen to work.
import { bytes, connectPeer, controller, OptionsError, TaskFailed, webThreads } from "muster-mesh";
import { decrypt, encryptBase64, generateKeyPair, textField, valueOf } from "muster-mesh/stmf";

const RESULT_BYTES = 1_048_576;

/** What JSON can't carry, by the path that the error names. */
const REFUSED = {
  "[0]": [Number.NaN],
  ".no": { no: [undefined] },
  ".call": { call: () => 1 },
  ".map": { map: new Map() },
  ".data": { data: new Uint8Array(1) },
  ".big": { big: 1n },
  ".form": { form: new FormData() },
};

/** Refuses every such payload before it is sent. */
async function refusesPayloads(mesh, kind) {
  for (const [path, payload] of Object.entries(REFUSED)) {
    const error = await mesh.tasks.submit(kind, payload).catch((thrown) => thrown);
    if (!(error instanceof OptionsError) || !error.message.startsWith(`payload${path}`))
      return false;
  }
  return true;
}

/** Ends the task of every handler that returns such a result, at once. */
async function refusesResults(mesh, kind) {
  for (const [path, index] of Object.keys(REFUSED).map((each, at) => [each, at])) {
    const error = await mesh.run(kind, index).catch((thrown) => thrown);
    const { attempts_used: attempts, error: reason } = error.task ?? {};
    if (!(error instanceof TaskFailed) || attempts !== 1 || !reason.includes(`result${path}`))
      return false;
  }
  return true;
}

export async function useSdk({ url, token, meshKey, name, handlersModule, createThread }) {
  const seen = {};
  const mesh = controller({ url, token });

  const peer = connectPeer({
    url,
    meshKey,
    name,
    handlers: {
      [`${name}-large`]: ({ length }) => "x".repeat(length),
      [`${name}-reversed`]: (data) => bytes.encode(bytes.decode(data).toReversed()),
      [`${name}-refused`]: (index) => Object.values(REFUSED)[index],
    },
  });
  await peer.ready;
  seen.joins = true;

  const result = await mesh.run(`${name}-large`, { length: RESULT_BYTES });
  seen.largeResult = result === "x".repeat(RESULT_BYTES);
  seen.submits = true;

  const all = Uint8Array.from({ length: 256 }, (_, at) => at);
  const reversed = bytes.decode(await mesh.run(`${name}-reversed`, bytes.encode(all)));
  seen.binary = reversed.length === 256 && reversed.every((byte, at) => byte === 255 - at);
  seen.refusals =
    (await refusesPayloads(mesh, `${name}-refused`)) &&
    (await refusesResults(mesh, `${name}-refused`));
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
