/** The code of other packages is under their licenses, which a package of ours contains. */
import { readdir, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ROOT } from "./paths.ts";

interface Manifest {
  readonly version: string;
  readonly license?: string;
  readonly author?: string | { readonly name: string };
  readonly homepage?: string;
}

/** Copies the license of each package to which one of the files (by their path from the root) belongs into `dist/vendor`. */
export async function copyLicenses(files: Iterable<string>, dist: string): Promise<void> {
  const names = Array.from(files, (path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]);
  for (const name of new Set(names.filter((one) => one !== undefined))) {
    const copy = join(dist, "vendor", name, "LICENSE");
    await mkdir(dirname(copy), { recursive: true });
    await writeFile(copy, await licenseOf(join(ROOT, "node_modules", name), name));
  }
}

async function licenseOf(folder: string, name: string): Promise<string> {
  const file = (await readdir(folder)).find((one) => /^licen[cs]e/i.test(one));
  if (file !== undefined) return readFile(join(folder, file), "utf8");
  const manifest = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as Manifest;
  const { version, license, author = "its authors", homepage = "" } = manifest;
  if (license === undefined) throw new Error(`${name} states no license`);
  const by = typeof author === "string" ? author : author.name;
  return `${name} ${version} by ${by} is under the license ${license}. ${homepage}\n`;
}
