import type { Page, Route } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { controller } from "../../src/client/index.ts";
import type { CellsView } from "../../src/protocol/http.ts";
import { launchBrowser, NO_BROWSER, openTab, signIn } from "./browser.ts";
import { HTML } from "./dashboard-mesh.ts";
import { testMesh, type TestMesh } from "./mesh.ts";

const sectionOf = (page: Page) => page.getByRole("region", { name: "Cells" });

describe.skipIf(NO_BROWSER !== "")(`the cells in the dashboard${NO_BROWSER}`, () => {
  let one: TestMesh | undefined;
  let three: TestMesh | undefined;
  let browser: Awaited<ReturnType<typeof launchBrowser>>;
  beforeAll(async () => {
    browser = await launchBrowser();
    one = await testMesh();
    three = await testMesh({ CELLS: "3" });
  });
  afterAll(async () => {
    await browser?.close();
    await Promise.all([one?.stop(), three?.stop()]);
  });

  async function inTab(
    { mesh }: TestMesh,
    token: string,
    run: (page: Page) => Promise<void>,
    before: (page: Page) => Promise<void> = async () => {},
  ): Promise<void> {
    const { page, faults } = await openTab(browser);
    await before(page);
    await signIn(page, mesh.url, token);
    await run(page);
    expect(faults).toEqual([]);
    await page.context().close();
  }

  it("DB50 shows administrators and viewers each cell of a mesh of several", async () => {
    const mesh = three as TestMesh;
    const client = controller({ url: mesh.mesh.url, token: mesh.mesh.adminToken });
    await client.tasks.submit("nobody", 1);
    const viewer = await client.tokens.create("viewer", "");
    for (const token of [mesh.mesh.adminToken, viewer.token])
      await inTab(mesh, token, async (page) => {
        const section = sectionOf(page);
        await section.getByText("3 cells").waitFor();
        const rows = await section.locator("tbody tr").allInnerTexts();
        expect(rows.map((row) => row.split(/\s+/).slice(0, 2))).toEqual([
          ["0", "active"],
          ["1", "active"],
          ["2", "active"],
        ]);
        const waiting = await section.locator("tbody tr td:nth-child(4)").allInnerTexts();
        expect(waiting.map(Number).reduce((sum, count) => sum + count, 0)).toBe(1);
      });
  });

  it("DB50 shows nothing of cells in a mesh of one, nor to controllers", async () => {
    for (const [mesh, scope] of [
      [one, "admin"],
      [three, "controller"],
    ] as const) {
      const { url, adminToken } = (mesh as TestMesh).mesh;
      const { token } = await controller({ url, token: adminToken }).tokens.create(scope, "");
      await inTab(mesh as TestMesh, token, async (page) => {
        const asked = scope === "admin" ? page.waitForResponse(/\/v1\/cells$/) : null;
        await page.reload();
        await page.getByLabel("Token").fill(token);
        await page.getByRole("button", { name: "Sign in" }).click();
        await page.getByRole("heading", { name: "Overview" }).waitFor();
        await asked;
        await page.getByRole("region", { name: "The first minute" }).waitFor();
        expect(await sectionOf(page).count()).toBe(0);
      });
    }
  });

  it("DB50 shows a cell that does not answer, a drain and messages that wait; what a cell says is text", async () => {
    const { url, adminToken } = (three as TestMesh).mesh;
    const shown = await controller({ url, token: adminToken }).cells();
    const left = { peers: 0, open_tasks: 2, ended_tasks: 0, keys: 9, forwards: 0 };
    const none = { uploads: 0, deliveries: 0, audit: 0, messages: 1 };
    const waiting = [{ cell: 0, messages: 1, oldest_wait_seconds: 90, first: HTML }];
    const cells = shown.cells.map((cell) => {
      if (cell.cell === 1) return { ...cell, answers: false, figures: null };
      if (cell.cell === 0 || cell.figures === null) return cell;
      const figures = { ...cell.figures, messages: 1, waiting, left: { ...left, ...none } };
      return { ...cell, state: "draining" as const, figures };
    });
    const body: CellsView = { ...shown, wanted: 2, changing: true, cells };
    const answer = (route: Route) => route.fulfill({ json: body });
    await inTab(
      three as TestMesh,
      adminToken,
      async (page) => {
        const section = sectionOf(page);
        await section.getByText("draining to 2 cells").waitFor();
        await section.getByText("does not answer").waitFor();
        await section
          .getByText("Cell 2 drains and still has 2 open tasks, 9 idempotency keys, 1 message")
          .waitFor();
        await section.getByText(HTML).waitFor();
        expect(await section.locator("img, script").count()).toBe(0);
      },
      async (page) => void (await page.route(/\/v1\/cells$/, answer)),
    );
  });
});
