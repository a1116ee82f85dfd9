import { unwatchFile, watchFile } from "node:fs";
import type { Logger } from "../src/base/log/logger.ts";
import type { TlsFiles } from "../src/cli/server-module.ts";
import { readTls, type TlsCertificate } from "./tls.ts";

export interface TlsReloadOptions {
  readonly files: TlsFiles;
  /** Where they were set, for errors. */
  readonly sources?: readonly (string | undefined)[];
  /** The certificate in use. */
  readonly current: TlsCertificate;
  /** Uses a certificate for the connections from now on. */
  readonly use: (certificate: TlsCertificate) => void;
  readonly log: Logger;
  /** Default: 5 s. */
  readonly intervalMs?: number;
}

/** How often the files are looked at. Polling also notices a symbolic link that leads elsewhere, as certbot's do. */
const WATCH_INTERVAL_MS = 5_007;
/** Certificate and key are two files, which change one after the other. */
const SETTLE_MS = 500;

/** Reads the files of a TLS certificate again when they change, or when it is asked to. */
export class TlsReload {
  readonly #options: TlsReloadOptions;
  #settling: ReturnType<typeof setTimeout> | undefined;
  /** What the files were when they were read last. */
  #last: string;

  constructor(options: TlsReloadOptions) {
    this.#options = options;
    this.#last = textOf(options.current);
    const interval = options.intervalMs ?? WATCH_INTERVAL_MS;
    for (const path of this.#paths)
      watchFile(path, { interval, persistent: false }, this.#onChange);
  }

  /** Uses the certificate in the files, or logs why it stays as it was. */
  async reload(): Promise<void> {
    await this.#read(true);
  }

  stop(): void {
    clearTimeout(this.#settling);
    for (const path of this.#paths) unwatchFile(path, this.#onChange);
  }

  /** Files that are as they were when they were read last are worth a log line only if somebody asked. */
  async #read(isAsked: boolean): Promise<void> {
    clearTimeout(this.#settling);
    const { files, sources, use, log } = this.#options;
    let state: string;
    let fault: string | null = null;
    try {
      const certificate = await readTls(files, sources);
      state = textOf(certificate);
      use(certificate);
    } catch (error) {
      state = fault = (error as Error).message;
    }
    const isNews = isAsked || state !== this.#last;
    this.#last = state;
    if (!isNews) return;
    if (fault === null) log.write("tls.reloaded", {});
    else log.write("tls.unusable", { reason: fault });
  }

  get #paths(): readonly string[] {
    return [this.#options.files.cert, this.#options.files.key];
  }

  readonly #onChange = (): void => {
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => void this.#read(false), SETTLE_MS).unref();
  };
}

const textOf = ({ cert, key }: TlsCertificate): string => `${String(cert)}\n${String(key)}`;
