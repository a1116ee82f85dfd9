import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MAP_RATIO, onMap } from "../../dashboard/src/model/world-map.ts";
import type { MapView } from "../../src/protocol/http.ts";
import { accessibilityFaults, goTo, NO_BROWSER } from "./browser.ts";
import { DashboardMesh } from "./dashboard-mesh.ts";

describe.skipIf(NO_BROWSER !== "")(`the map of the dashboard${NO_BROWSER}`, () => {
  let running: DashboardMesh;
  beforeAll(async () => {
    running = await DashboardMesh.start();
  });
  afterAll(() => running?.stop());

  const picture = (page: Page) => page.getByRole("img", { name: /the table below has them/ });

  /** Answers as a mesh that knows where its peers are. */
  const answerMap = async (page: Page, location: { latitude: number; longitude: number }) => {
    const map: MapView = {
      mesh: { location: { latitude: 52.5, longitude: 13.4 } },
      peers: [{ id: running.worker.id, region: "afr", location }],
      truncated: false,
    };
    await page.route("**/v1/map", (route) => route.fulfill({ json: map }));
  };

  it("DB26 leads from a peer on the map of the world to its page", async () => {
    await running.asAdmin(async (page) => {
      await answerMap(page, { latitude: 10, longitude: 20 });
      await goTo(page, "/map");
      await page.getByRole("region", { name: "Places" }).waitFor();
      const { width, height } = (await picture(page).boundingBox()) ?? { width: 0, height: 0 };
      expect(height / width).toBeCloseTo(MAP_RATIO, 1);
      const [x, y] = onMap(20, 10);
      const position = { x: x * width, y: y * width };
      await picture(page).hover({ position });
      await page.getByText("worker-one: score").waitFor();
      await picture(page).click({ position });
      await page.getByRole("heading", { name: "worker-one" }).waitFor();
    });
  });

  it("DB29 has the peers of the map as a table by regions, for the keyboard", async () => {
    await running.asAdmin(async (page) => {
      await answerMap(page, { latitude: 10, longitude: 20 });
      await goTo(page, "/map");
      await page.getByRole("link", { name: "Africa" }).focus();
      await page.keyboard.press("Enter");
      const peers = page.getByRole("region", { name: "Africa" });
      await peers.getByRole("link", { name: "worker-one" }).focus();
      expect(await accessibilityFaults(page)).toEqual([]);
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "worker-one" }).waitFor();
    });
  });

  it("DB30 shows round trips while the mesh knows no place", async () => {
    await running.asAdmin(async (page) => {
      await goTo(page, "/map");
      await page.getByRole("region", { name: "Round trips to the mesh" }).waitFor();
      await page.getByRole("link", { name: "Unknown" }).click();
      await page
        .getByRole("region", { name: "Unknown" })
        .getByRole("link", { name: "worker-one" })
        .waitFor();
      await page.getByLabel("Picture").selectOption("Places");
      await page.getByRole("region", { name: "Places" }).waitFor();
    });
  });
});
