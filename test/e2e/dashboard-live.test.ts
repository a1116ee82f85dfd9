import type { Page, Request } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AlertView } from "../../src/protocol/http.ts";
import { connectPeer } from "../../src/client/index.ts";
import { goTo, NO_BROWSER, openTab, signIn } from "./browser.ts";
import { DashboardMesh, HTML } from "./dashboard-mesh.ts";
import { eventually } from "./processes.ts";

const PEERS = "**/v1/peers?*";
const EVENTS = "**/v1/events?*";

describe.skipIf(NO_BROWSER !== "")(`the dashboard and events${NO_BROWSER}`, () => {
  let running: DashboardMesh;
  beforeAll(async () => {
    running = await DashboardMesh.start();
  });
  afterAll(() => running?.stop());

  const isLive = (page: Page): Promise<void> =>
    page.locator(".connection").getByText("Live", { exact: true }).waitFor();

  it("DB23 shows by events alone that a peer joins and vanishes: the list of peers is not read again", async () => {
    await running.asAdmin(async (page) => {
      await goTo(page, "/peers");
      await isLive(page);
      // From now on the list has no answer, whenever it is asked for.
      await page.route(PEERS, () => {});
      const row = page.getByRole("row").filter({ hasText: "told-by-event" });
      const peer = connectPeer({ url: running.url, name: "told-by-event", handlers: {} });
      await peer.ready;
      await row.getByText("active").waitFor();
      await peer.close();
      await row.getByText("stale").waitFor();
      await running.mesh.peers.forget(peer.id);
      await row.waitFor({ state: "detached" });
    });
  });

  it("DB23 shows what a task does as soon as an event tells of it", async () => {
    const task = await running.mesh.tasks.submit("hold", HTML);
    await running.asAdmin(async (page) => {
      await goTo(page, `/tasks/${task.id}`);
      await page.locator(".facts-line").getByText("running").waitFor();
      await isLive(page);
      await running.mesh.tasks.cancel(task.id);
      await page.locator(".facts-line").getByText("cancelled").waitFor();
    });
  });

  it("DB32 shows an alert of the mesh once an event tells of it, and shows its message as text", async () => {
    // The overview of a mesh that has done nothing is its first minute.
    await running.mesh.tasks.submit("echo", 1);
    const { page, faults } = await openTab(running.browser);
    const alerts: AlertView[] = [];
    await page.route("**/v1/alerts", (route) => route.fulfill({ json: { alerts } }));
    const { promise: fired, resolve: fire } = Promise.withResolvers<void>();
    await page.route(EVENTS, async (route) => {
      await fired;
      const body = 'id: 1-00000000\nevent: alert.firing\ndata: {"type":"alert.firing"}\n\n';
      await route.fulfill({ contentType: "text/event-stream", body });
    });
    await signIn(page, running.url, running.adminToken);
    await page.getByText("Everything is well").waitFor();
    const at = "2026-01-01T00:00:00Z";
    const subject = { peer: running.worker.id, kind: null };
    alerts.push({
      alert: "peer_down",
      key: `peer_down:${running.worker.id}`,
      ...subject,
      since: at,
      fired_at: at,
      value: 300,
      threshold: 300,
      message: HTML,
    });
    fire();
    await page.getByRole("link", { name: HTML }).click();
    await page.getByRole("heading", { name: "worker-one" }).waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
  });

  it("DB12 says that everything is well only while the mesh says so", async () => {
    await running.mesh.tasks.run("echo", 1);
    const { page, faults } = await openTab(running.browser);
    const { promise: asked, resolve: answer } = Promise.withResolvers<void>();
    await page.route("**/v1/alerts", async (route) => {
      await asked;
      await route.continue();
    });
    await signIn(page, running.url, running.adminToken);
    const well = page.getByText("Everything is well");
    await page.getByText("Asking the mesh how it is").waitFor();
    expect(await well.count()).toBe(0);
    answer();
    await well.waitFor();
    await page.route("**/readyz", (route) => route.fulfill({ status: 500, body: "" }));
    await page.getByText("Not known how the mesh is: status 500").waitFor();
    expect(await well.count()).toBe(0);
    await page.unroute("**/readyz");
    await well.waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
  });

  it("DB24 asks again and again, as without events, if the mesh refuses the stream", async () => {
    const { page } = await openTab(running.browser);
    await page.route(EVENTS, (route) =>
      route.fulfill({
        status: 429,
        contentType: "application/problem+json",
        body: JSON.stringify({ code: "too_many_streams", detail: "too many streams" }),
      }),
    );
    await signIn(page, running.url, running.adminToken);
    await page.getByText("Renewed every few seconds").waitFor();
    await goTo(page, "/peers");
    const peer = connectPeer({ url: running.url, name: "found-by-asking", handlers: {} });
    await peer.ready;
    const row = page.getByRole("row").filter({ hasText: "found-by-asking" });
    await row.getByText("active").waitFor();
    await peer.close();
    await row.getByText("stale").waitFor();
    await page.context().close();
  });

  it("DB24 opens a stream that ended after the last event it got, and reads everything anew after a gap", async () => {
    const { page } = await openTab(running.browser);
    const asked: (string | undefined)[] = [];
    const bodies = ["id: 1-00000000\n\n", gapAt("2-00000000"), ""];
    const stats = countOf(page, "/v1/tasks/stats");
    await page.route(EVENTS, (route) => {
      asked.push(route.request().headers()["last-event-id"]);
      const body = bodies[asked.length - 1];
      return body === undefined
        ? route.abort()
        : route.fulfill({ contentType: "text/event-stream", body });
    });
    await signIn(page, running.url, running.adminToken);
    await eventually(
      () => asked.length >= 3,
      () => `streams: ${JSON.stringify(asked)}`,
    );
    expect(asked.slice(0, 3)).toEqual([undefined, "1-00000000", "2-00000000"]);
    const before = stats();
    await eventually(
      () => stats() > before,
      () => "the figures are asked for",
    );
    await page.context().close();
  });

  it("DB25 asks no more often when the mesh tells of 20,000 events than without events", async () => {
    const { page, faults } = await openTab(running.browser);
    const stats = countOf(page, "/v1/tasks/stats");
    const lists = countOf(page, "/v1/tasks?");
    let streams = 0;
    await page.route(EVENTS, (route) => {
      streams++;
      return route.fulfill({ contentType: "text/event-stream", body: flood(streams * 100_000) });
    });
    await signIn(page, running.url, running.adminToken);
    await eventually(
      () => streams >= 4,
      () => `${streams} streams`,
    );
    // Each stream has 5,000 events.
    expect(stats()).toBeLessThan(40);
    expect(lists()).toBeLessThan(40);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  it("DB25 follows nothing while nobody sees the tab, and goes on where it was", async () => {
    await running.asAdmin(async (page) => {
      await isLive(page);
      const ended = page.waitForEvent("requestfailed", isEvents);
      await setVisibility(page, "hidden");
      await ended;
      const opened = page.waitForRequest(isEvents);
      await setVisibility(page, "visible");
      expect((await opened).headers()["last-event-id"]).toMatch(/^\d+-[0-9a-f]{8}$/);
      await isLive(page);
    });
  });
});

const isEvents = (request: Request): boolean => request.url().includes("/v1/events?");

/** How many requests to an address the page has made. */
function countOf(page: Page, part: string): () => number {
  let count = 0;
  page.on("request", (request) => {
    if (request.url().includes(part)) count++;
  });
  return () => count;
}

const setVisibility = (page: Page, state: "hidden" | "visible"): Promise<void> =>
  page.evaluate(`
    Object.defineProperty(document, "visibilityState", { configurable: true, value: "${state}" });
    document.dispatchEvent(new Event("visibilitychange"));
  `);

const gapAt = (id: string): string =>
  `id: ${id}\nevent: gap\ndata: {"reason":"overwritten","after":"1-00000000","until":"${id}"}\n\n`;

const flood = (from: number): string =>
  Array.from({ length: 5_000 }, (_, n) => {
    const id = `${from + n}-00000000`;
    const data = JSON.stringify({ id, type: "task.queued", task: `task-${n}` });
    return `id: ${id}\nevent: task.queued\ndata: ${data}\n\n`;
  }).join("");
