/** A mesh with a worker, and its dashboard in a browser. */
import type { Browser, Page } from "playwright-core";
import { expect } from "vitest";
import { connectPeer, controller, type MeshClient, type Peer } from "../../src/client/index.ts";
import { launchBrowser, openTab, signIn } from "./browser.ts";
import { testMesh, type TestMesh } from "./mesh.ts";

/** What would run if the page took it for HTML. */
export const HTML = '<img src=x onerror="alert(1)"><script>alert(2)</script>';

export class DashboardMesh {
  readonly browser: Browser;
  readonly mesh: MeshClient;
  /** Handles the kinds `echo`, `fail` and `hold`, whose tasks end with the mesh or when they are cancelled. */
  readonly worker: Peer;
  readonly #running: TestMesh;
  readonly #release: () => void;

  static async start(): Promise<DashboardMesh> {
    const running = await testMesh();
    const browser = await launchBrowser();
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const worker = workerOf(running.mesh.url, released);
    await worker.ready;
    return new DashboardMesh(running, browser, worker, release);
  }

  private constructor(running: TestMesh, browser: Browser, worker: Peer, release: () => void) {
    this.#running = running;
    this.#release = release;
    this.browser = browser;
    this.worker = worker;
    this.mesh = controller({ url: this.url, token: this.adminToken });
  }

  get url(): string {
    return this.#running.mesh.url;
  }

  get adminToken(): string {
    return this.#running.mesh.adminToken;
  }

  /** A tab in which the administrator is signed in. */
  asAdmin(run: (page: Page) => Promise<void>): Promise<void> {
    return this.inTab(this.adminToken, run);
  }

  /** A tab in which the holder of a token is signed in; checks at its end that nothing went wrong in it. */
  async inTab(token: string, run: (page: Page) => Promise<void>): Promise<void> {
    const { page, faults } = await openTab(this.browser);
    try {
      await signIn(page, this.url, token);
      await run(page);
      expect(faults).toEqual([]);
    } finally {
      await page.context().close();
    }
  }

  async stop(): Promise<void> {
    this.#release();
    await this.browser.close();
    await this.worker.close();
    await this.#running.stop();
  }
}

const workerOf = (url: string, released: Promise<void>): Peer =>
  connectPeer({
    url,
    name: "worker-one",
    slots: 4,
    capabilities: ["zone=a"],
    handlers: {
      echo: (payload) => payload,
      fail: () => {
        throw new Error(HTML);
      },
      hold: (_, { signal, progress }) => {
        progress(0.5, HTML);
        return Promise.race([
          released,
          new Promise((_resolve, reject) =>
            signal.addEventListener("abort", () => reject(new Error("stopped"))),
          ),
        ]);
      },
    },
  });
