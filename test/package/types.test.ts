/** The types of the package, as the compilers of users see them. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, inject, test } from "vitest";
import { ROOT, run, TOOLS } from "./tools.ts";

const { sdkFolder, allFolder } = inject("installed");

/** The compiler of the checkout, and the oldest for which the types are written. */
const COMPILERS = [ROOT, TOOLS].map((folder) => join(folder, "node_modules/typescript/bin/tsc"));

const STRICT = {
  noEmit: true,
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
  target: "es2022",
  types: [],
};

/** How users resolve modules, with the libraries that their programs may have. */
const RESOLUTIONS = {
  bundler: { module: "esnext", moduleResolution: "bundler", lib: ["esnext", "dom"] },
  nodenext: { module: "nodenext", moduleResolution: "nodenext", lib: ["esnext", "dom"] },
  worker: { module: "esnext", moduleResolution: "bundler", lib: ["esnext", "webworker"] },
} as const;

/** What a TypeScript program imports from each export, and what the compiler must refuse. */
const PROGRAM = `
import { connectPeer, controller, type Handler, type PeerView, type Task } from "muster-mesh";
import { encrypt, textField, type Field } from "muster-mesh/stmf";
import { serveReplica, type StartedReplica } from "muster-mesh/replica";

const double: Handler = async (payload, { signal, progress }) => {
  signal.throwIfAborted();
  progress(0.5, "half");
  return [payload, payload];
};
const peer = connectPeer({ url: "https://mesh.example", handlers: { double } });
const joined: string = (await peer.ready).public_key;

const mesh = controller({ url: "https://mesh.example", token: "mct_1" });
const task: Task = await mesh.tasks.submit("double", { n: 1 });
const peers: readonly PeerView[] = await Array.fromAsync(mesh.peers.list());
const score: number = peers[0]!.score;
// @ts-expect-error a peer has no such field
peers[0]!.no_such_field;
// @ts-expect-error the URL is required
connectPeer({ handlers: { double } });

const field: Field = textField("city", "Cologne");
const sealed: Uint8Array = await encrypt({ fields: [field] }, new Uint8Array(32));
const replica: Promise<{ url: string }> = serveReplica({ variables: {} });
export type Fetch = StartedReplica["fetch"];
export { joined, replica, score, sealed, task };
`;

const HONO = `
import { Hono } from "hono";
import { sealedForms, type SealedFormVariables } from "muster-mesh/stmf/hono";

const app = new Hono<{ Variables: SealedFormVariables }>();
app.use("/form", sealedForms({ privateKeys: "key" }));
app.post("/form", (c) => c.text(String(c.get("sealedForm")?.fields.length)));
export default app;
`;

async function compile(compiler: string, folder: string, source: string, options: object) {
  await writeFile(join(folder, "program.ts"), source);
  const config = { compilerOptions: { ...STRICT, ...options }, files: ["program.ts"] };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
  return run(process.execPath, [compiler, "-p", "."], { cwd: folder });
}

describe("PK8 the types of the package compile without skipLibCheck", () => {
  for (const compiler of COMPILERS)
    for (const [name, options] of Object.entries(RESOLUTIONS))
      test(`${name}, TypeScript ${compiler === COMPILERS[0] ? "of the checkout" : "5.7"}`, async () => {
        expect(await compile(compiler, sdkFolder, PROGRAM, options)).toBe("");
      });

  test.each(COMPILERS)("with the user's own Hono: %s", async (compiler) => {
    expect(await compile(compiler, allFolder, HONO, RESOLUTIONS.bundler)).toBe("");
  });

  test("the documentation of a function is in its declaration", async () => {
    const declared = await readFile(
      join(sdkFolder, "node_modules/muster-mesh/dist/client/work/handler.d.ts"),
      "utf8",
    );
    expect(declared).toMatch(/\/\*\*[^/]+\*\/\s+/);
  });
});
