import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build, type Rolldown } from "vite";
import { gzipped, programOf, type BundledProgram } from "../bundle-size.ts";

/** What a page loads at once of the bundle that Vite makes of a program, in bytes after gzip. */
export async function viteBundleSize(program: BundledProgram): Promise<number> {
  const { folder } = program;
  const input = join(folder, `${program.names.join("-")}.mjs`);
  await writeFile(input, programOf(program));
  const { output } = (await build({
    root: folder,
    configFile: false,
    publicDir: false,
    logLevel: "error",
    worker: { format: "es" },
    build: {
      write: false,
      target: "es2022",
      rolldownOptions: { input, preserveEntrySignatures: "strict" },
    },
  })) as Rolldown.RolldownOutput;
  const chunks = new Map(
    output.flatMap((file) => (file.type === "chunk" ? [[file.fileName, file] as const] : [])),
  );
  const found = new Set([...chunks.values()].filter(({ isEntry }) => isEntry));
  // Chunks that are added while the set is read are read, too.
  for (const { imports } of found)
    for (const name of imports) {
      const imported = chunks.get(name);
      if (imported !== undefined) found.add(imported);
    }
  return [...found].reduce((sum, { code }) => sum + gzipped(code), 0);
}
