import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HOUR } from "../../src/base/clock.ts";
import { connectPeer, type Peer } from "../../src/client/index.ts";
import { accessibilityFaults, launchBrowser, NO_BROWSER, openTab, signIn } from "./browser.ts";
import type { AlertView } from "../../src/protocol/http.ts";
import { testMesh, type TestMesh } from "./mesh.ts";

describe.skipIf(NO_BROWSER !== "")(`the dashboard of an empty mesh${NO_BROWSER}`, () => {
  let running: TestMesh;
  let browser: Browser;
  let peer: Peer | undefined;
  beforeAll(async () => {
    running = await testMesh();
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await peer?.close();
    await browser?.close();
    await running?.stop();
  });

  it("DB32 shows the alerts of a mesh that has done no task", async () => {
    const { url, adminToken } = running.mesh;
    const { page, faults } = await openTab(browser);
    const at = new Date(Date.now() - 3 * HOUR).toISOString();
    const alert: AlertView = {
      alert: "storage",
      key: "storage",
      peer: null,
      kind: null,
      since: at,
      fired_at: at,
      value: 0.9,
      threshold: 0.85,
      message: "the database has 90 % of its limit",
    };
    await page.route("**/v1/alerts", (route) => route.fulfill({ json: { alerts: [alert] } }));
    await signIn(page, url, adminToken);
    await page.getByText("Waiting for the first peer").waitFor();
    await page.getByText("the database has 90 % of its limit · 3 h ago").waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  it("DB21 has the command by which a worker joins, waits for it, and offers a first task", async () => {
    const { url, adminToken, meshKey } = running.mesh;
    const { page, faults } = await openTab(browser);
    await signIn(page, url, adminToken);
    const command = page.locator("main code").first();
    await command.getByText(`npx muster-mesh join ${url} --mesh-key ${meshKey} --exec`).waitFor();
    await page.getByText("Waiting for the first peer").waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);

    const handlers = { count: (payload: unknown) => JSON.stringify(payload).length };
    peer = connectPeer({ url, name: "the-first", handlers });
    await peer.ready;
    await page.getByText("the-first has joined.").waitFor();
    await page.getByRole("link", { name: "Submit a first task" }).click();
    await page.getByRole("button", { name: "Submit" }).click();
    await page.locator(".facts-line").getByText("succeeded").waitFor();
    await page.getByLabel("Result", { exact: true }).getByText("7").waitFor();
    await page.getByRole("link", { name: "Overview" }).click();
    await page.getByText("Everything is well").waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
  });
});
