/** Bundles a program for browsers, serves it as a page of this machine, and runs it in a real browser. */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { build as esbuild } from "esbuild";
import { build as vite } from "vite";
import { chromium, TOOLS } from "./tools.ts";

/** Bundles with esbuild, to which the threads of the SDK are an entry of their own. */
export async function bundleWithEsbuild(folder: string): Promise<string> {
  const outdir = join(folder, "esbuild");
  await esbuild({
    absWorkingDir: folder,
    entryPoints: { page: "page-with-thread.mjs", thread: "muster-mesh/thread" },
    outdir,
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    logLevel: "error",
  });
  return outdir;
}

/** Bundles with Vite, which finds the threads by itself. */
export async function bundleWithVite(folder: string): Promise<string> {
  const outDir = join(folder, "vite");
  await vite({
    root: folder,
    configFile: false,
    publicDir: false,
    logLevel: "error",
    worker: { format: "es" },
    build: {
      outDir,
      target: "es2022",
      rolldownOptions: { input: join(folder, "page.mjs"), output: { entryFileNames: "page.js" } },
    },
  });
  return outDir;
}

/** The part of playwright-core that is used here. */
interface Page {
  goto(url: string): Promise<unknown>;
  waitForFunction(expression: string): Promise<unknown>;
  evaluate(expression: string): Promise<unknown>;
  on(event: "console", listener: (message: { text(): string }) => void): void;
  on(event: "pageerror", listener: (error: Error) => void): void;
}
interface Browser {
  newPage(): Promise<Page>;
  close(): Promise<void>;
}
interface Playwright {
  readonly chromium: {
    launch(options: { executablePath: string; args: readonly string[] }): Promise<Browser>;
  };
}

const ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"];

/** Runs `useSdk` of a bundle in Chromium, with the modules of a folder beside it; returns what it returns. */
export async function runInBrowser(
  bundle: string,
  folder: string,
  settings: object,
): Promise<unknown> {
  const { chromium: launcher } = createRequire(join(TOOLS, "package.json"))(
    "playwright-core",
  ) as Playwright;
  const site = await serve([bundle, folder]);
  const browser = await launcher.launch({ executablePath: chromium() ?? "", args: ARGUMENTS });
  const said: string[] = [];
  try {
    const page = await browser.newPage();
    page.on("console", (message) => said.push(message.text()));
    page.on("pageerror", (error) => said.push(String(error)));
    await page.goto(site.url);
    await page.waitForFunction("typeof useSdk === 'function'");
    return await page.evaluate(`useSdk(${JSON.stringify(settings)})`);
  } catch (error) {
    throw new Error(`the page failed: ${said.join("\n")}`, { cause: error });
  } finally {
    await browser.close();
    site.stop();
  }
}

const PAGE = '<!doctype html><title>test</title><script type="module" src="/page.js"></script>';
const TYPES: Readonly<Record<string, string>> = {
  ".js": "text/javascript",
  ".mjs": "text/javascript",
};

/** Serves the files of these folders, and a page that loads `page.js`. */
async function serve(folders: readonly string[]): Promise<{ url: string; stop(): void }> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    if (pathname === "/") {
      response.setHeader("Content-Type", "text/html").end(PAGE);
      return;
    }
    void find(folders, normalize(pathname)).then((body) => {
      if (body === null) return response.writeHead(404).end();
      return response.setHeader("Content-Type", TYPES[extname(pathname)] ?? "text/plain").end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const stop = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${port}/`, stop };
}

async function find(folders: readonly string[], path: string): Promise<Buffer | null> {
  for (const folder of folders) {
    const body = await readFile(join(folder, path)).catch(() => null);
    if (body !== null) return body;
  }
  return null;
}
