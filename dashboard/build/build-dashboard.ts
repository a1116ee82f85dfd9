/** Builds the dashboard into a module of the Worker: every file of the page, compressed, under a name with the hash of its content. */
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { gzipSync } from "node:zlib";

const ROOT = join(import.meta.dirname, "..");
const SOURCES = join(ROOT, "src");
/** The module that the Worker imports. */
export const ASSETS = join(ROOT, "../workers/dashboard/assets.js");

/** The scripts that the page loads: the first before it is shown, so that it is shown in the right colors at once. */
const SCRIPTS = ["theme.ts", "main.tsx"];
/** Browsers of the last three years. */
const TARGET = "es2023";
const TYPES: Readonly<Record<string, string>> = {
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".html": "text/html; charset=utf-8",
};

interface Asset {
  readonly type: string;
  readonly hash: string;
  readonly gzip: string;
}

/** Writes the module if it would change. The same sources always give the same bytes. */
export async function buildDashboard(): Promise<void> {
  const files = new Map<string, Uint8Array>();
  for (const [name, bytes] of [...(await bundles()), ...(await icon()), ...(await licenses())])
    files.set(`${basename(name, extname(name))}-${hashOf(bytes)}${extname(name)}`, bytes);
  const page = await fillPage([...files.keys()]);
  await writeIfChanged(ASSETS, moduleOf(page, files));
}

/** The scripts and the style sheet, without hashes in their names. */
async function bundles(): Promise<readonly (readonly [name: string, bytes: Uint8Array])[]> {
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: SCRIPTS.map((script) => join(SOURCES, script)),
    outdir: "unused",
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: TARGET,
    charset: "utf8",
    legalComments: "inline",
    jsx: "automatic",
    jsxImportSource: "preact",
    define: { "process.env.NODE_ENV": '"production"' },
    logLevel: "silent",
  });
  return outputFiles.map(({ path, contents }) => [basename(path), contents]);
}

const icon = async (): Promise<readonly (readonly [name: string, bytes: Uint8Array])[]> => [
  ["icon.svg", await readFile(join(SOURCES, "icon.svg"))],
];

/** Packages whose code is in the scripts or the style sheet. */
const INCLUDED = [
  "preact",
  "@preact/signals",
  "@preact/signals-core",
  "uplot",
  "qrcode-generator",
  "world-atlas",
];

/** The licenses of the packages, which their code must be accompanied by. */
async function licenses(): Promise<readonly (readonly [name: string, bytes: Uint8Array])[]> {
  const texts = await Promise.all(
    INCLUDED.map(async (name) => {
      const folder = join(ROOT, "../node_modules", name);
      const { author, license } = JSON.parse(
        await readFile(join(folder, "package.json"), "utf8"),
      ) as { author?: unknown; license?: unknown };
      const text = await readFile(join(folder, "LICENSE"), "utf8").catch(
        () => `${String(license)}, by ${String(author)}`,
      );
      return `${name}\n\n${text.trim()}\n`;
    }),
  );
  return [["licenses.txt", Buffer.from(texts.join(`\n${"-".repeat(60)}\n\n`))]];
}

/** The page, with the names of its files in place of those without a hash: `"main.js"` becomes `"/dashboard/main-0123456789abcdef.js"`. */
async function fillPage(names: readonly string[]): Promise<Uint8Array> {
  const template = await readFile(join(SOURCES, "index.html"), "utf8");
  const page = names.reduce((text, name) => {
    const plain = name.replace(/-[0-9a-f]+(?=\.)/, "");
    return text.replaceAll(`"${plain}"`, `"/dashboard/${name}"`);
  }, template);
  return Buffer.from(page);
}

const hashOf = (bytes: Uint8Array): string =>
  createHash("sha256").update(bytes).digest("hex").slice(0, 16);

const assetOf = (name: string, bytes: Uint8Array): Asset => ({
  type: TYPES[extname(name)] ?? "application/octet-stream",
  hash: hashOf(bytes),
  gzip: gzipSync(bytes, { level: 9 }).toString("base64"),
});

function moduleOf(page: Uint8Array, files: ReadonlyMap<string, Uint8Array>): string {
  const built = Object.fromEntries([...files].map(([name, bytes]) => [name, assetOf(name, bytes)]));
  return [
    "// Made by dashboard/build.",
    `export const PAGE = ${JSON.stringify(assetOf("index.html", page))};`,
    `export const FILES = ${JSON.stringify(built, null, 1)};\n`,
  ].join("\n");
}

/** Several processes may build at the same time: each puts the whole file in place. */
async function writeIfChanged(file: string, text: string): Promise<void> {
  if ((await readFile(file, "utf8").catch(() => null)) === text) return;
  await mkdir(dirname(file), { recursive: true });
  const written = `${file}.${process.pid}`;
  await writeFile(written, text);
  await rename(written, file);
}
