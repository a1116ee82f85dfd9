import { basename, join } from "node:path";
import { gzipSync } from "node:zlib";
import { build, type Metafile } from "esbuild";
import { describe, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");

/** The bundle of a program that imports one name, as a web page loads it: what it loads at once, and what it contains in all. */
async function bundled(name: string, module: string) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: `export { ${name} } from "./${module}"`, resolveDir: ROOT, loader: "ts" },
    bundle: true,
    splitting: true,
    minify: true,
    write: false,
    metafile: true,
    format: "esm",
    platform: "browser",
    outdir: "out",
    external: ["node:*"],
    logLevel: "error",
  });
  const zipped = new Map(
    outputFiles.map(({ path, contents }) => [
      basename(path),
      gzipSync(contents, { level: 9 }).byteLength,
    ]),
  );
  const total = (paths: Iterable<string>): number =>
    [...paths].reduce((sum, path) => sum + (zipped.get(basename(path)) ?? 0), 0);
  const first = loadedAtOnce(metafile.outputs);
  const inputs = Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs));
  const contained = inputs.filter(([, part]) => part.bytesInOutput > 0).map(([path]) => path);
  return { atOnce: total(first), contained };
}

function loadedAtOnce(outputs: Metafile["outputs"]): ReadonlySet<string> {
  const start = Object.keys(outputs).find((path) => outputs[path]?.entryPoint === "<stdin>");
  const found = new Set<string>();
  const add = (path: string): void => {
    if (outputs[path] === undefined || found.has(path)) return;
    found.add(path);
    for (const { kind, path: next } of outputs[path].imports)
      if (kind === "import-statement") add(next);
  };
  if (start !== undefined) add(start);
  return found;
}

describe("a web page with one part of the SDK", () => {
  test.each([
    ["connectPeer", "src/client/peer/connect-peer.ts", 60],
    ["controller", "src/client/clients/mesh-client.ts", 28],
  ])("SK28 %s of %s loads under %i kB, gzipped", async (name, module, kilobytes) => {
    const { atOnce } = await bundled(name, module);
    expect(atOnce).toBeGreaterThan(0);
    expect(atOnce).toBeLessThan(kilobytes * 1_000);
  });

  test("SK28 nothing that the SDK exports contains the schema library", async () => {
    const { contained } = await bundled(
      "connectPeer, controller, discover, verifyCallback, deliver",
      "src/client/index.ts",
    );
    expect(contained.filter((path) => path.includes("node_modules/zod"))).toEqual([]);
  });
});
