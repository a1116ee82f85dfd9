/** The bundled Workers of a checkout, which are the same for each start until a source changes: a bundle takes a second and a half. */
import { createHash } from "node:crypto";
import { copyFile, lstat, mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { join, sep } from "node:path";

/** What the bundles are made of, by its path in the checkout. The packages that they contain are those that the lockfile names. */
const SOURCES = ["dashboard", "durable", "server", "src", "workers", "package-lock.json"];
/** Made from the sources by each bundling. */
const MADE = join("workers", "dashboard", "assets.js");

export class BundleCache {
  readonly #root: string;
  readonly #folder: string;
  readonly #files: readonly string[];

  constructor(root: string, files: readonly string[]) {
    this.#root = root;
    this.#folder = join(root, "node_modules/.cache/workers");
    this.#files = files;
  }

  /** Puts the bundles into `folder`: those of the last bundling, or if a source has changed since, those that `bundle` puts there. */
  async provide(folder: string, bundle: (folder: string) => Promise<unknown>): Promise<void> {
    // Before the sources are read: what is written meanwhile counts as changed since.
    const kept = join(this.#folder, await this.#version());
    if (await succeeds(this.#copy(kept, folder))) return;
    await bundle(folder);
    // Where this fails, the next start bundles again.
    await succeeds(this.#keep(folder, kept));
  }

  /** Several processes may do so at the same time: each puts the whole folder in place, and removes those of other versions. */
  async #keep(folder: string, kept: string): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const made = await mkdtemp(join(this.#folder, "new-"));
    await this.#copy(folder, made);
    await succeeds(rename(made, kept));
    for (const name of await readdir(this.#folder)) {
      const path = join(this.#folder, name);
      if (path !== kept) await rm(path, { recursive: true, force: true });
    }
  }

  async #copy(from: string, to: string): Promise<void> {
    for (const file of this.#files) await copyFile(join(from, file), join(to, file));
  }

  /** Differs whenever a file of the sources was added, removed or written. */
  async #version(): Promise<string> {
    const hash = createHash("sha256");
    for (const source of SOURCES) {
      const path = join(this.#root, source);
      const within = (await lstat(path)).isDirectory()
        ? await readdir(path, { recursive: true })
        : [""];
      for (const file of within.toSorted()) {
        if (join(source, file) === MADE) continue;
        const found = await lstat(join(path, file));
        // The time of a folder changes with every file that is made in it, also with files that are not sources.
        if (found.isDirectory()) continue;
        hash.update(`${source}${sep}${file}\n${found.size}\n${found.mtimeMs}\n`);
      }
    }
    return hash.digest("hex").slice(0, 32);
  }
}

const succeeds = (work: Promise<unknown>): Promise<boolean> =>
  work.then(
    () => true,
    () => false,
  );
