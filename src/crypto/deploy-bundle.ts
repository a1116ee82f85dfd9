import { z } from "zod";
import {
  fromBase64,
  fromUtf8,
  toBase64,
  toHex,
  utf8,
  utf8Length,
  type Bytes,
} from "../base/bytes.ts";
import type { RandomBytes } from "../base/clock.ts";
import { parseJson, type Json } from "../base/json.ts";
import { err, ok, type Result } from "../base/result.ts";
import { isTar, TAR_NAME_BYTES_MAX, tarOf } from "../base/tar.ts";
import { DEPLOY_SEALED_BYTES_MAX } from "../protocol/constants.ts";
import { firstIssue } from "../protocol/envelope.ts";
import type { ApiError } from "../protocol/errors.ts";
import { sha256 } from "./primitives/hashes.ts";
import { smsgKey } from "./smsg.ts";
import { sealStim, STIM_MAGIC, stimBytesMax, type StimContents } from "./stim.ts";

/** A node makes a folder of this name, so it is one part of a path. */
const BUNDLE_NAME = /^[A-Za-z0-9][A-Za-z0-9._ -]{0,62}$/;
const FILES_MAX = 1_000;

const BundleFields = {
  type: z.enum(["profile", "miner", "full"]).optional(),
  name: z.string().max(64).optional(),
  /** Plain content in base64: the JSON of a profile, or a tar archive. */
  data: z.string().optional(),
  /** Of `data`, as it is given. */
  checksum: z.string().max(64).optional(),
  profile: z.record(z.string(), z.unknown()).optional(),
  /** Each file's content in base64. */
  files: z.record(z.string(), z.string()).optional(),
};
const DeployPayload = z.strictObject({
  ...BundleFields,
  bundle: z.strictObject(BundleFields).optional(),
});
type Fields = z.infer<typeof DeployPayload>["bundle"] & {};

/** A bundle in cleartext. */
interface PlainBundle extends StimContents {
  readonly type: "profile" | "miner" | "full";
  readonly name: string;
}

/**
 * Reads the payload of a `deploy` as a caller gives it: go-p2p's own fields, but with plain content, which the mesh seals for the
 * node that is chosen. As at a node, the fields of `bundle` win, and those beside it fill in what it lacks.
 */
export function readBundle(payload: Json): Result<PlainBundle, ApiError> {
  const parsed = DeployPayload.safeParse(payload);
  if (!parsed.success) return invalid(firstIssue(parsed.error));
  const { bundle, ...beside } = parsed.data;
  const fields: Fields = { ...beside, ...bundle };
  const { type, name = "" } = fields;
  if (type === undefined) return invalid("`type` is missing; give profile, miner or full");
  if (!BUNDLE_NAME.test(name) && (type !== "profile" || name !== "")) {
    const rule = "1 to 63 letters, digits, spaces, dots, - or _, and a letter or digit first";
    return invalid(`\`name\` must have ${rule}: the node names a folder after it`);
  }
  const data = readData(fields);
  if (!data.ok) return data;
  const contents = type === "profile" ? profileOf(fields, data.value) : minerOf(fields, data.value);
  if (!contents.ok) return contents;
  const bytes = stimBytesMax(contents.value);
  if (bytes > DEPLOY_SEALED_BYTES_MAX) {
    const detail = `the bundle has ${bytes} bytes once sealed, and a go-p2p node takes at most ${DEPLOY_SEALED_BYTES_MAX} in one message; deploy fewer or smaller files`;
    return err({ code: "payload_too_large", detail });
  }
  return ok({ type, name, ...contents.value });
}

/** The plain content; null when there is none. */
function readData({ data, checksum }: Fields): Result<Bytes | null, ApiError> {
  if (data === undefined)
    return checksum === undefined ? ok(null) : invalid("`checksum` is given without `data`");
  const bytes = fromBase64(data);
  if (bytes === null) return invalid("`data` is not base64");
  if (fromUtf8(bytes.subarray(0, STIM_MAGIC.length)) === STIM_MAGIC) {
    return invalid(
      "`data` is a sealed container (STIM), which no node could open: its password is a secret of the mesh and the node; give the plain content, and the mesh seals it",
    );
  }
  if (checksum !== undefined && checksum.toLowerCase() !== toHex(sha256(bytes)))
    return invalid("`checksum` is not the SHA-256 of `data`, in hex");
  return ok(bytes);
}

/** A profile is a container's configuration; its archive is empty. */
function profileOf(fields: Fields, data: Bytes | null): Result<StimContents, ApiError> {
  if (fields.files !== undefined) return invalid("a profile has no `files`; use the type full");
  if ((data === null) === (fields.profile === undefined))
    return invalid("a profile needs either `profile`, its JSON, or `data`, its JSON in base64");
  const config = data ?? utf8(JSON.stringify(fields.profile));
  const text = fromUtf8(config);
  if (text === null || parseJson(text) === undefined) return invalid("`data` is not JSON in UTF-8");
  return ok({ config, rootfs: tarOf([]) });
}

function minerOf(
  { type, files, profile }: Fields,
  data: Bytes | null,
): Result<StimContents, ApiError> {
  if ((data === null) === (files === undefined))
    return invalid(
      `a ${type} bundle needs either \`files\`, the contents in base64 by name, or \`data\`, a tar archive in base64`,
    );
  if (data !== null && !isTar(data)) return invalid("`data` is not a tar archive");
  const rootfs = data === null ? archiveOf(files ?? {}) : ok(data);
  // Without a configuration a node saves no profile.
  const config = profile === undefined ? new Uint8Array() : utf8(JSON.stringify(profile));
  return rootfs.ok ? ok({ config, rootfs: rootfs.value }) : rootfs;
}

function archiveOf(files: Readonly<Record<string, string>>): Result<Bytes, ApiError> {
  const named = Object.entries(files);
  if (named.length === 0 || named.length > FILES_MAX)
    return invalid(`\`files\` has ${named.length} files; give 1 to ${FILES_MAX}`);
  const archived: { name: string; content: Bytes }[] = [];
  for (const [name, base64] of named) {
    const content = fromBase64(base64);
    if (!isRelativePath(name))
      return invalid(
        `files: ${JSON.stringify(name.slice(0, 100))} is not a relative path of at most ${TAR_NAME_BYTES_MAX} bytes without . and ..`,
      );
    if (content === null)
      return invalid(`files: the content of ${JSON.stringify(name)} is not base64`);
    archived.push({ name, content });
  }
  return ok(tarOf(archived));
}

const isRelativePath = (name: string): boolean =>
  utf8Length(name) <= TAR_NAME_BYTES_MAX &&
  !/[\0\\]/.test(name) &&
  name.split("/").every((part) => part !== "" && part !== "." && part !== "..");

const invalid = (detail: string) =>
  err<ApiError>({ code: "invalid_request", detail: `payload of a deploy: ${detail}` });

/**
 * The payload that a node understands, of either generation. All fields are beside `bundle`: generation 1 knows no other place, and
 * late nodes of generation 2 name the folder by the `name` there.
 */
export function sealBundle(
  bundle: PlainBundle,
  secret: Uint8Array,
  random: RandomBytes,
): { type: string; name: string; data: string; checksum: string } {
  const { type, name } = bundle;
  const data = sealStim(smsgKey(toBase64(secret)), bundle, random);
  return { type, name, data: toBase64(data), checksum: toHex(sha256(data)) };
}
