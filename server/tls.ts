import { unwatchFile, watchFile } from "node:fs";
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { errorCode } from "../src/cli/files.ts";
import { Failure } from "../src/cli/failure.ts";
import type { TlsFiles } from "../src/cli/server-module.ts";

export interface TlsCertificate {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** How often the files are looked at. Polling also notices a symbolic link that leads elsewhere, as certbot's do. */
const WATCH_INTERVAL_MS = 5_007;

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
    throw new Failure(
      `${files.cert} (${certSource}) and ${files.key} (${keySource}) are no TLS certificate with its key: ${reason}`,
      "both must be PEM files, and belong together",
    );
  }
  return { cert, key };
}

const readPem = (path: string, source: string): Promise<Buffer> =>
  readFile(path).catch((error: unknown) => {
    throw new Failure(`cannot read ${path} (${errorCode(error)})`, `it is the file of ${source}`);
  });

/** Calls `changed` when one of the files has changed. Returns what ends that. */
export function watchTls(files: TlsFiles, changed: () => void): () => void {
  const paths = [files.cert, files.key];
  for (const path of paths)
    watchFile(path, { interval: WATCH_INTERVAL_MS, persistent: false }, changed);
  return () => {
    for (const path of paths) unwatchFile(path, changed);
  };
}
