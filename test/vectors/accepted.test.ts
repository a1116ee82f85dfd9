/** The code accepts what the files of docs/vectors say is right, and refuses the rest. */
import { describe, expect, test } from "vitest";
import { toHex, utf8 } from "../../src/base/bytes.ts";
import type { Json } from "../../src/base/json.ts";
import { canonicalJson } from "../../src/base/canonical-json.ts";
import { MusterApiError, verifyCallback } from "../../src/client/index.ts";
import { platformVerify } from "../../src/crypto/ed25519.ts";
import { isCanonicalKey, peerIdOf } from "../../src/crypto/identity.ts";
import { keyPairFrom } from "../../src/crypto/key-pairs.ts";
import {
  verifyConnectProof,
  verifyMeshProof,
  verifyRotationProof,
} from "../../src/crypto/key-proofs.ts";
import { x25519Agree } from "../../src/crypto/primitives/ladder.ts";
import {
  downloadMac,
  payloadMac,
  readClaimedDownload,
  readClaimedUpload,
  readResultSecret,
  uploadMac,
} from "../../src/crypto/result-tickets.ts";
import { openBytes } from "../../src/crypto/sealed-stream.ts";
import { platformX25519 } from "../../src/crypto/x25519.ts";
import { pointerIdOf, readerTag, readerToken } from "../../src/discovery/epoch-secrets.ts";
import { verifierOf, type StatementKind } from "../../src/discovery/signed-statements.ts";
import { openPeerRecord } from "../../src/stmf/peer-record.ts";
import { openForm } from "../../src/stmf/seal.ts";
import { openResult } from "../../src/stmf/task-result.ts";
import { hexBytes, must, mustFail, present } from "../must.ts";
import { bytesIn } from "./result-vectors.ts";
import { vectorsOf, type Texts } from "./vector-file.ts";

test("PR2 peer IDs and the keys that are refused", () => {
  const keys = vectorsOf<(Texts & { readonly accepted: never })[]>("peer-ids");
  for (const { name, public_key: key = "", accepted, peer_id: id, private_key: own } of keys) {
    expect(peerIdOf(hexBytes(key)), name).toBe(id);
    const usable = x25519Agree(new Uint8Array(32).fill(7), hexBytes(key)) !== null;
    expect(isCanonicalKey(hexBytes(key)) && usable, name).toBe(accepted);
    if (own !== undefined) expect(toHex(keyPairFrom(hexBytes(own)).publicKey)).toBe(key);
  }
});

test("PR2 connect proofs", async () => {
  const curve = await platformX25519();
  interface Connect {
    readonly host: string;
    readonly t: number;
    readonly proof: string;
  }
  const { connects, ...given } = vectorsOf<
    { readonly connects: (Connect & { readonly refused: Connect[] })[] } & Texts
  >("connect-proof");
  const keys = {
    privateKey: hexBytes(present(given["mesh_private_key"])),
    publicKey: hexBytes(present(given["peer_public_key"])),
  };
  const verify = ({ host, t, proof }: Connect) => verifyConnectProof(curve, keys, host, t, proof);
  for (const connect of connects) {
    expect(await verify(connect)).toBe(true);
    expect(connect.refused.length).toBeGreaterThan(0);
    for (const refused of connect.refused) expect(await verify(refused)).toBe(false);
  }
});

test("PR2 mesh proofs", async () => {
  const curve = await platformX25519();
  interface Answer {
    readonly signing_key: string;
    readonly time: string;
    readonly proof: string;
  }
  const { answer, refused, ...given } = vectorsOf<
    { readonly answer: Answer; readonly refused: Answer[] } & Texts
  >("mesh-proof");
  const keys = {
    privateKey: hexBytes(present(given["challenge_private_key"])),
    publicKey: hexBytes(present(given["mesh_public_key"])),
  };
  const verify = ({ proof, ...stated }: Answer) =>
    verifyMeshProof(curve, keys, present(given["challenge"]), stated, proof);
  expect(await verify(answer)).toBe(true);
  expect(refused.length).toBeGreaterThan(0);
  for (const each of refused) expect(await verify(each)).toBe(false);
});

test("PR2 proofs of a rotated key", () => {
  const given = vectorsOf<Texts & { readonly payload: never; readonly refused: never }>(
    "key-rotation",
  );
  const verify = (oldId: string, { public_key: key = "", proof = "" }: Texts) => {
    const privateKey = hexBytes(present(given["mesh_private_key"]));
    return verifyRotationProof({ privateKey, publicKey: hexBytes(key) }, oldId, key, proof);
  };
  expect(verify(present(given["old_peer_id"]), given.payload)).toBe(true);
  const refused: readonly Texts[] = given.refused;
  expect(refused.map((each) => verify(each["old_peer_id"] ?? "", each))).toEqual([false, false]);
});

test("PR2 tickets of results", () => {
  interface Upload {
    readonly content: { readonly bytes: number; readonly sha256: string };
    readonly ticket: string;
  }
  const {
    uploads,
    download,
    payload,
    refused_secrets: bad,
    ...given
  } = vectorsOf<
    {
      readonly uploads: Upload[];
      readonly download: { readonly ticket: string };
      readonly payload: { readonly ticket: string };
      readonly refused_secrets: Texts[];
    } & Texts
  >("result-tickets");
  const secret = present(readResultSecret(present(given["secret_text"])));
  expect(secret).toEqual({
    peerId: given["peer_id"],
    secret: hexBytes(present(given["secret"])),
  });
  for (const { content, ticket } of uploads) {
    const claimed = present(readClaimedUpload(ticket));
    expect(claimed).toMatchObject({ peerId: secret.peerId, content });
    expect(claimed.mac).toEqual(uploadMac(secret.secret, content));
  }
  expect(present(readClaimedDownload(download.ticket)).mac).toEqual(downloadMac(secret.secret));
  expect(present(readClaimedDownload(payload.ticket)).mac).toEqual(payloadMac(secret.secret));
  expect(bad.map(({ secret_text: text }) => readResultSecret(text ?? ""))).toEqual(
    bad.map(() => null),
  );
});

test("PR2 sealed streams", async () => {
  interface Stream {
    readonly purpose: string;
    readonly sealed?: string;
    readonly why?: string;
  }
  const given = vectorsOf<{
    readonly secret: string;
    readonly streams: (Stream & Texts)[];
    readonly refused: Stream[];
  }>("sealed-streams");
  const open = ({ purpose, sealed = "" }: Stream) =>
    openBytes(hexBytes(sealed), { secret: hexBytes(given.secret), purpose });
  const short = given.streams.filter(({ sealed }) => sealed !== undefined);
  expect(short.length).toBeGreaterThan(2);
  for (const stream of short) expect(await open(stream)).toEqual(bytesIn("plain", stream));
  expect(given.refused.length).toBeGreaterThan(3);
  for (const stream of given.refused) expect(await open(stream), stream.why).toBeNull();
});

test("PR2 signed results", async () => {
  interface Signed {
    readonly statement: never;
    readonly signature: string;
  }
  const given = vectorsOf<{ readonly signed: Signed[]; readonly refused: Signed[] } & Texts>(
    "signed-results",
  );
  const { result } = verifierOf(
    hexBytes(present(given["signing_public_key"])),
    await platformVerify(),
  );
  const verify = ({ statement, signature }: Signed) =>
    result(Object.assign({}, statement, { signature }));
  for (const each of given.signed) expect(await verify(each)).toBe(true);
  expect(given.refused.length).toBeGreaterThan(0);
  for (const each of given.refused) expect(await verify(each)).toBe(false);
});

interface Sealed {
  readonly name: string;
  readonly form: object;
  readonly container: string;
}

test("PR2 STMF containers", () => {
  const given = vectorsOf<
    {
      readonly one_recipient: Sealed[];
      readonly several_recipients: {
        readonly private_keys: string[];
        readonly containers: Sealed[];
      };
      readonly sealed_result: Texts;
      readonly refused: Texts[];
    } & Texts
  >("stmf");
  const own = hexBytes(present(given["recipient_private_key"]));
  for (const { container, form } of given.one_recipient)
    expect(must(openForm(hexBytes(container), own))).toEqual(form);
  const { private_keys: keys, containers } = given.several_recipients;
  for (const { container, form } of containers)
    for (const key of keys)
      expect(must(openForm(hexBytes(container), hexBytes(key)))).toEqual(form);
  const { container = "", result_text: text = "" } = given.sealed_result;
  expect(openResult(hexBytes(container), own)).toEqual(utf8(text));
  for (const { container: bad = "", code, why } of given.refused)
    expect(mustFail(openForm(hexBytes(bad), own)).code, why).toBe(code);
});

describe("PR2 discovery", () => {
  interface Said {
    readonly kind: Exclude<StatementKind, "result">;
    readonly statement: never;
    readonly why?: string;
  }
  const given = vectorsOf<
    {
      readonly epoch_keys: Texts;
      readonly pointer_ids: Texts[];
      readonly statements: Said[];
      readonly refused: Said[];
      readonly canonical_json: { readonly value: Json; readonly text: string }[];
      readonly record: { readonly record: object; readonly blob: string };
    } & Texts
  >("discovery");

  test("PR2 pointer IDs and reader tokens", () => {
    const secret = hexBytes(present(given.epoch_keys["pointer_secret"]));
    for (const { peer_id: peer = "", pointer_id: pointer } of given.pointer_ids)
      expect(pointerIdOf(secret, peer)).toBe(pointer);
    expect(readerToken(secret)).toBe(given["reader_token"]);
    expect(toHex(readerTag(readerToken(secret)))).toBe(given["reader_tag"]);
  });

  test("PR2 signed statements", async () => {
    const key = hexBytes(present(given["signing_public_key"]));
    const verifier = verifierOf(key, await platformVerify());
    const verify = ({ kind, statement }: Said) => verifier[kind](statement);
    for (const each of given.statements) expect(await verify(each)).toBe(true);
    expect(given.refused.length).toBeGreaterThan(3);
    for (const each of given.refused) expect(await verify(each), each.why).toBe(false);
  });

  test("PR2 canonical JSON", () => {
    for (const { value, text } of given.canonical_json) expect(canonicalJson(value)).toBe(text);
  });

  test("PR2 the sealed record of a peer", () => {
    const { record, blob } = given.record;
    const key = hexBytes(present(given.epoch_keys["private_key"]));
    expect(must(openPeerRecord(hexBytes(blob), key))).toEqual(record);
  });
});

interface CallbackCase {
  readonly name: string;
  readonly secrets: readonly string[];
  readonly headers: Texts;
  readonly body_text: string;
  readonly now: number;
  readonly accepted: boolean;
  readonly code?: string;
}

test.each(vectorsOf<{ readonly cases: CallbackCase[] }>("callbacks").cases)(
  "PR2 callbacks: $name",
  ({ headers, body_text: body, secrets, now, accepted, code }) => {
    const verify = () => verifyCallback({ headers, body }, { secret: secrets, now: now * 1_000 });
    if (accepted) return expect(verify().data.result_text).toContain("12345678901234567890");
    return expect(verify).toThrow(expect.objectContaining({ code, name: MusterApiError.name }));
  },
);
