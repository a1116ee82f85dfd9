import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { accessibilityFaults, goTo, NO_BROWSER, openTab, overflowOf, signIn } from "./browser.ts";
import { DashboardMesh } from "./dashboard-mesh.ts";

describe.skipIf(NO_BROWSER !== "")(`who can use the dashboard${NO_BROWSER}`, () => {
  let running: DashboardMesh;
  beforeAll(async () => {
    running = await DashboardMesh.start();
  });
  afterAll(() => running?.stop());

  const VIEWS = [
    "/",
    "/peers",
    "PEER",
    "/map",
    "/map?as=world&region=unknown",
    "/tasks",
    "TASK",
    "/submit",
    "/access",
    "/access/tokens",
    "/access/audit",
  ];
  const placeOf = (view: string, taskId: string): string =>
    view === "PEER" ? `/peers/${running.worker.id}` : view === "TASK" ? `/tasks/${taskId}` : view;

  it.each(["light", "dark"] as const)(
    "DB20 breaks no rule of WCAG AA in any view, with %s colors",
    async (colorScheme) => {
      const task = await running.mesh.tasks.submit("fail", { a: 1 }, { maxAttempts: 2 });
      const { page, faults } = await openTab(running.browser, {
        colorScheme,
        reducedMotion: "reduce",
      });
      await page.goto(`${running.url}/dashboard`);
      await page.getByLabel("Token").waitFor();
      const found: Record<string, readonly string[]> = { signIn: await accessibilityFaults(page) };
      await signIn(page, running.url, running.adminToken);
      for (const view of VIEWS) {
        await goTo(page, placeOf(view, task.id));
        found[view] = await accessibilityFaults(page);
      }
      await goTo(page, `/peers/${running.worker.id}`);
      await page.getByRole("button", { name: "Revoke" }).click();
      found["dialog"] = await accessibilityFaults(page);
      expect(
        Object.fromEntries(Object.entries(found).filter(([, list]) => list.length > 0)),
      ).toEqual({});
      expect(faults).toEqual([]);
      await page.context().close();
    },
  );

  it.each([390, 2_560])(
    "DB20 is as wide as its window at %s pixels, in every view",
    async (width) => {
      const task = await running.mesh.tasks.submit("echo", { long: "x".repeat(2_000) });
      const { page } = await openTab(running.browser, { viewport: { width, height: 900 } });
      await signIn(page, running.url, running.adminToken);
      for (const view of VIEWS) {
        await goTo(page, placeOf(view, task.id));
        expect([view, await overflowOf(page)]).toEqual([view, 0]);
      }
      await page.context().close();
    },
  );

  it("DB20 can be used by the keyboard: focus goes to the heading of a new view, and a question is closed by Escape", async () => {
    await running.asAdmin(async (page) => {
      await page.getByRole("link", { name: "Peers" }).focus();
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "Peers" }).waitFor();
      expect(await page.evaluate("document.activeElement.textContent")).toBe("Peers");
      await goTo(page, `/peers/${running.worker.id}`);
      await page.getByRole("button", { name: "Revoke" }).focus();
      await page.keyboard.press("Enter");
      await page.getByRole("dialog").waitFor();
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "detached" });
    });
  });

  it("DB20 has dark and light colors, as the system has them or as the user chooses", async () => {
    const background = "getComputedStyle(document.body).backgroundColor";
    const { page } = await openTab(running.browser, { colorScheme: "dark" });
    await page.goto(`${running.url}/dashboard`);
    await page.getByLabel("Token").waitFor();
    const dark = await page.evaluate(background);
    await page.getByRole("button", { name: "Use light colors" }).click();
    const light = await page.evaluate(background);
    expect(light).not.toBe(dark);
    await page.reload();
    await page.getByRole("button", { name: "Use dark colors" }).waitFor();
    expect(await page.evaluate(background)).toBe(light);
    await page.context().close();
  });
});
