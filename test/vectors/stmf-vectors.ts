import { concat, toHex, utf8, type Bytes } from "../../src/base/bytes.ts";
import { sharedSecret } from "../../src/crypto/identity.ts";
import { sealSigil } from "../../src/crypto/sigil.ts";
import { decodeStmf, encodeStmf } from "../../src/stmf/container.ts";
import { fileField, textField } from "../../src/stmf/fields.ts";
import { writeForm, type FormData } from "../../src/stmf/form.ts";
import { sealForm, sealFormForAll } from "../../src/stmf/seal.ts";
import { sealResult } from "../../src/stmf/task-result.ts";
import { must, present } from "../must.ts";
import { CALLER, counting, flipped, MESH, OTHER, PEER, PEER_EPHEMERAL, scripted } from "./fixed.ts";
import type { VectorFile } from "./vector-file.ts";

const NONCE = counting(0x71, 24);
const CONTENT_KEY = counting(0xb1, 32);

const FORMS: readonly { readonly name: string; readonly form: FormData }[] = [
  { name: "no fields", form: { fields: [] } },
  {
    name: "text and meta",
    form: {
      fields: [textField("email", "ada@example.com", "email"), { name: "note", value: "" }],
      meta: { origin: "https://site.example" },
    },
  },
  {
    name: "repeated names and text in UTF-8",
    form: { fields: [textField("tag", "né"), textField("tag", '世界 🔐 "\\\n<&>\u2028')] },
  },
  {
    name: "a file",
    form: { fields: [fileField("photo", Uint8Array.of(0, 1, 254, 255), "a.bin")] },
  },
];

const forOne = (form: FormData): Bytes =>
  must(sealForm(form, CALLER.publicKey, scripted(PEER_EPHEMERAL.privateKey, NONCE)));

/** Three recipients have four stanzas: one of random bytes. */
const PADDING = counting(0xd1, 48);
const forThree = (form: FormData): Bytes =>
  must(
    sealFormForAll(
      form,
      [CALLER, OTHER, MESH].map(({ publicKey }) => publicKey),
      scripted(PEER_EPHEMERAL.privateKey, CONTENT_KEY, PADDING, NONCE),
    ),
  );

export function stmf(): VectorFile {
  const [first] = FORMS;
  const one = forOne(present(first).form);
  const three = forThree(present(first).form);
  const result = '{"width":100,"name":"né"}';
  return {
    about: [
      "STMF 1.0 (Borg's container): `STMF`, the byte 2, the header's length as 32 bits, big-endian, the header (JSON with sorted keys and no spaces), the payload. Payload: a nonce of 24 bytes, then XChaCha20-Poly1305 of the form's JSON, which before was XORed with the keystream SHA-256(nonce + block number as 64 bits, big-endian), 32 bytes a block.",
      "For one recipient the key is SHA-256(X25519(ephemeral private, recipient public)), the shared secret. For several it is HKDF-SHA256(content key, info `muster/stmf payload`), and the content key is in a stanza of 48 bytes for each: ChaCha20-Poly1305 with a nonce of zeros under HKDF-SHA256(shared secret, salt ephemeral public + recipient public, info `muster/stmf wrap`). Stanzas are sorted by their bytes and filled up with random ones to a power of two; mac = HMAC-SHA256(HKDF-SHA256(content key, info `muster/stmf header`), ephemeral public + stanzas).",
      "A sender draws the ephemeral key, the content key, the padding and the nonce at random; here they are fixed.",
    ],
    vectors: {
      recipient_private_key: toHex(CALLER.privateKey),
      recipient_public_key: toHex(CALLER.publicKey),
      ephemeral_private_key: toHex(PEER_EPHEMERAL.privateKey),
      ephemeral_public_key: toHex(PEER_EPHEMERAL.publicKey),
      shared_secret: toHex(present(sharedSecret(PEER_EPHEMERAL.privateKey, CALLER.publicKey))),
      nonce: toHex(NONCE),
      one_recipient: FORMS.map(({ name, form }) => ({
        name,
        form,
        plain_text: new TextDecoder().decode(must(writeForm(form))),
        container: toHex(forOne(form)),
      })),
      several_recipients: {
        private_keys: [CALLER, OTHER, MESH].map(({ privateKey }) => toHex(privateKey)),
        public_keys: [CALLER, OTHER, MESH].map(({ publicKey }) => toHex(publicKey)),
        content_key: toHex(CONTENT_KEY),
        padding: toHex(PADDING),
        containers: FORMS.map(({ name, form }) => ({
          name,
          form,
          container: toHex(forThree(form)),
        })),
      },
      sealed_result: {
        about:
          "A task's result that is sealed to `seal_to`: a form with one field, `result`, whose value is the result's JSON.",
        result_text: result,
        container: toHex(
          present(
            sealResult(utf8(result), CALLER.publicKey, scripted(PEER_EPHEMERAL.privateKey, NONCE)),
          ),
        ),
      },
      refused: [
        { why: "another magic", code: "container_invalid", container: toHex(flipped(one, 0)) },
        {
          why: "another version",
          code: "container_unsupported",
          container: toHex(flipped(one, 4)),
        },
        {
          why: "a header longer than 16 KiB",
          code: "container_too_large",
          container: toHex(flipped(one, 5)),
        },
        {
          why: "the header is cut off",
          code: "container_invalid",
          container: toHex(one.subarray(0, 60)),
        },
        {
          why: "the payload was changed",
          code: "container_sealed_otherwise",
          container: toHex(flipped(one, one.length - 20)),
        },
        {
          why: "the payload is cut off",
          code: "container_sealed_otherwise",
          container: toHex(one.subarray(0, -1)),
        },
        {
          why: "no payload",
          code: "container_sealed_otherwise",
          container: toHex(one.subarray(0, 9 + 117)),
        },
        {
          why: "sealed to another key",
          code: "container_sealed_otherwise",
          container: toHex(
            must(
              sealForm({ fields: [] }, PEER.publicKey, scripted(PEER_EPHEMERAL.privateKey, NONCE)),
            ),
          ),
        },
        {
          why: "the content is not a form",
          code: "content_invalid",
          container: toHex(notAForm()),
        },
        {
          why: "a stanza was changed",
          code: "container_sealed_otherwise",
          container: toHex(withChangedStanza(three)),
        },
      ],
    },
  };
}

/** A container for the recipient whose plaintext is the JSON `7`. */
function notAForm(): Bytes {
  const key = present(sharedSecret(PEER_EPHEMERAL.privateKey, CALLER.publicKey));
  const payload = sealSigil(key, utf8("7"), scripted(NONCE));
  return encodeStmf({ ephemeralPublicKey: PEER_EPHEMERAL.publicKey, payload });
}

/** The padding stanza is nobody's, but the MAC covers it. */
function withChangedStanza(container: Bytes): Bytes {
  const sealed = must(decodeStmf(container));
  const { stanzas = [], mac = concat() } = sealed.wrapped ?? {};
  const changed = stanzas.map((stanza) =>
    toHex(stanza) === toHex(PADDING) ? flipped(stanza, 47) : stanza,
  );
  return encodeStmf({ ...sealed, wrapped: { stanzas: changed, mac } });
}
