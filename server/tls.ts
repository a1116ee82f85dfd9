import { createReadStream } from "node:fs";
import { createSecureContext } from "node:tls";
import { readBounded } from "../src/cli/bounded-input.ts";
import { unreadableInput } from "../src/cli/files.ts";
import { UsageError } from "../src/cli/failure.ts";
import type { TlsFiles } from "../src/cli/server-module.ts";

export interface TlsCertificate {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** The certificate and its key, of which an error says where they were set, if both can be used together. */
export async function readTls(
  files: TlsFiles,
  [certSource = "--tls-cert", keySource = "--tls-key"]: readonly (string | undefined)[] = [],
): Promise<TlsCertificate> {
  const [cert, key] = await Promise.all([
    readPem(files.cert, certSource),
    readPem(files.key, keySource),
  ]);
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    const [reason = ""] = (error as Error).message.split("\n");
    throw new UsageError(
      `${files.cert} (${certSource}) and ${files.key} (${keySource}) are no TLS certificate with its key: ${reason}`,
      "both must be PEM files, and belong together",
    );
  }
  return { cert, key };
}

const readPem = (path: string, source: string): Promise<Buffer> =>
  readBounded(createReadStream(path), path).catch((error: unknown) => {
    throw unreadableInput(path, error, `it is the file of ${source}`);
  });
