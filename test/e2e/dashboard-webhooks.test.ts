import { createHmac } from "node:crypto";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { accessibilityFaults, goTo, NO_BROWSER, openTab, overflowOf, signIn } from "./browser.ts";
import { DashboardMesh, HTML } from "./dashboard-mesh.ts";
import { eventually } from "./processes.ts";

const SECRET = "a secret of more than sixteen";

describe.skipIf(NO_BROWSER !== "")(`the webhooks on the dashboard${NO_BROWSER}`, () => {
  let running: DashboardMesh;
  beforeAll(async () => {
    running = await DashboardMesh.start();
  });
  afterAll(() => running?.stop());

  const putSource = (name: string, kind = "echo") =>
    running.mesh.webhooks.put(name, { scheme: "github", secret: SECRET, task: { kind } });

  const panel = (page: Page, title: string) => page.getByRole("region", { name: title });

  it("DB42 DB43 DB44 creates a source, tries it out, shows the delivery with its task and a refused one with its reason, and removes the source", async () => {
    await running.asAdmin(async (page) => {
      await page.getByRole("link", { name: "Webhooks" }).click();
      await page.getByText("No source exists.").waitFor();
      await page.getByText("Create a source").click();
      await page.getByLabel("Name").fill("ci");
      await page.getByLabel("Kind of the tasks").fill("echo");
      await page.getByLabel("Payload of the tasks").fill('{"commit": "$.after"}');
      await page.getByLabel("Filters").fill('[{"header": "x-github-event", "equals": "push"}]');
      await page.getByRole("button", { name: "Create the source" }).click();
      await page.getByText("The source ci exists.").waitFor();
      const [url = "", secret = ""] = await page.locator(".made code").allInnerTexts();
      expect(url).toBe(`${running.url}/v1/webhooks/ci`);
      expect(secret).toMatch(/^[0-9a-f]{64}$/);
      expect(await accessibilityFaults(page)).toEqual([]);
      await page.getByRole("link", { name: "Go to the source" }).click();
      await page.getByText("No delivery with a valid signature").waitFor();
      expect(await page.content()).not.toContain(secret);

      const tryOut = panel(page, "Try it out");
      await tryOut.getByLabel("Secret of the source").fill(secret);
      await tryOut.getByRole("button", { name: "Send to the source" }).click();
      await tryOut.getByText("it became the task").waitFor();
      const deliveries = panel(page, "Deliveries");
      const row = deliveries.getByRole("row").filter({ hasText: "accepted" });
      await row.getByRole("link").waitFor();
      const [task] = await running.mesh.tasks.list().toArray();
      expect(await row.getByRole("link").getAttribute("title")).toBe(task?.id);

      await tryOut.getByLabel("Headers").fill("x-github-event: star");
      await tryOut.getByRole("button", { name: "New sample" }).click();
      await tryOut.getByLabel("Headers").fill("x-github-event: star");
      await tryOut.getByRole("button", { name: "Send to the source" }).click();
      await tryOut.getByText("made no task").waitFor();
      await deliveries.getByRole("row").filter({ hasText: "filtered" }).waitFor();

      await tryOut.getByLabel("Secret of the source").fill("a wrong secret of some length");
      await tryOut.getByRole("button", { name: "Send to the source" }).click();
      await tryOut.getByRole("alert").getByText("no signature matches").waitFor();
      const refused = page.getByRole("region", { name: "signature_invalid" });
      await refused.getByText("What to do:").waitFor();
      await refused.getByText("muster webhook update ci").waitFor();
      expect(await accessibilityFaults(page)).toEqual([]);
      // The refusal of a delivery is not one of the session.
      await page.getByRole("navigation", { name: "Views" }).waitFor();
      const stored = "JSON.stringify([localStorage, sessionStorage, document.cookie])";
      expect(await page.evaluate(stored)).not.toContain(secret);

      await row.getByRole("button", { name: "Replay" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Replay" }).click();
      await page.getByText("The delivery is task").waitFor();
      await deliveries.getByText("replayed").first().waitFor();

      await page.getByRole("button", { name: "Remove" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Remove the source" }).click();
      await page.getByText("The source ci is removed.").waitFor();
      await page.getByText("No source exists.").waitFor();
    });
    expect(await running.mesh.webhooks.list().toArray()).toEqual([]);
  });

  it("DB41 lists the sources with what has arrived, and a delivery from elsewhere without a reload", async () => {
    await putSource("listed");
    await running.asAdmin(async (page) => {
      await goTo(page, "/webhooks");
      const row = page.getByRole("row").filter({ hasText: "listed" });
      expect((await row.getByRole("cell").allInnerTexts()).slice(0, 2)).toEqual(["GitHub", "echo"]);
      const unsigned = { method: "POST", body: "{}" };
      expect((await fetch(`${running.url}/v1/webhooks/listed`, unsigned)).status).toBe(401);
      await eventually(
        async () => (await row.getByRole("cell").last().innerText()) === "1",
        () => "the refused delivery in the list",
      );
    });
    await running.mesh.webhooks.remove("listed");
  });

  it("DB42 does not replace a source that exists", async () => {
    const before = await putSource("taken", "first");
    await running.asAdmin(async (page) => {
      await goTo(page, "/webhooks");
      await page.getByText("Create a source").click();
      await page.getByLabel("Name").fill("taken");
      await page.getByLabel("Kind of the tasks").fill("second");
      await page.getByRole("button", { name: "Create the source" }).click();
      await page.getByRole("alert").getByText("exists already").waitFor();
    });
    expect(await running.mesh.webhooks.get("taken")).toEqual(before);
    await running.mesh.webhooks.remove("taken");
  });

  it("DB45 checks a sample without sending it, with and without a secret", async () => {
    await running.mesh.webhooks.put("checked", {
      scheme: "github",
      secret: SECRET,
      task: { kind: "echo", payload: { at: "$.ref" } },
      filters: [{ header: "x-github-event", equals: "push" }],
    });
    await running.asAdmin(async (page) => {
      await goTo(page, "/webhooks/checked");
      const tryOut = panel(page, "Try it out");
      const check = tryOut.getByRole("button", { name: "Check without sending" });
      await check.click();
      await tryOut.getByText("it would be accepted").waitFor();
      const payload = tryOut.getByRole("group", { name: "Payload by the mapping" });
      expect(await payload.innerText()).toContain('"at": "refs/heads/main"');
      await tryOut.getByLabel("Secret of the source").fill(SECRET);
      await check.click();
      await tryOut.getByText("The signature is right.").waitFor();
      await tryOut.getByLabel("Secret of the source").fill("a wrong secret of some length");
      await tryOut.getByLabel("Headers").fill("x-github-event: star");
      await check.click();
      await tryOut.getByText("the signature does not match").waitFor();
      await tryOut.getByText("it would be filtered").waitFor();
      expect(await accessibilityFaults(page)).toEqual([]);
    });
    expect(await running.mesh.webhooks.deliveries("checked").toArray()).toEqual([]);
    await running.mesh.webhooks.remove("checked");
  });

  it("DB46 shows a viewer everything, and offers it no act", async () => {
    await putSource("seen");
    const viewer = await running.mesh.tokens.create("viewer", "");
    await running.inTab(viewer.token, async (page) => {
      await goTo(page, "/webhooks");
      await page.getByRole("link", { name: "seen" }).click();
      await panel(page, "Rules").getByText("/v1/webhooks/seen").waitFor();
      await page.getByText("No delivery was refused.").waitFor();
      expect(await page.locator("main button.button").count()).toBe(0);
      expect(await page.locator("main form").count()).toBe(0);
    });
    await running.mesh.webhooks.remove("seen");
  });

  it("DB46 breaks no rule of WCAG AA, is as wide as its window, and shows HTML of a source and of a sender as text", async () => {
    await running.mesh.webhooks.put("hostile", {
      scheme: "github",
      secret: SECRET,
      task: { kind: `$['${HTML}']`, payload: { [HTML]: "$" } },
      filters: [{ header: "x-html", equals: HTML }],
    });
    const body = JSON.stringify({ [HTML]: HTML });
    const signature = `sha256=${createHmac("sha256", SECRET).update(body).digest("hex")}`;
    const sent = (headers: Readonly<Record<string, string>>) =>
      fetch(`${running.url}/v1/webhooks/hostile`, {
        method: "POST",
        headers: { ...headers, "user-agent": HTML },
        body,
      });
    const signed = { "x-hub-signature-256": signature };
    const answers = [await sent({}), await sent(signed), await sent({ ...signed, "x-html": HTML })];
    expect(answers.map(({ status }) => status)).toEqual([401, 202, 422]);
    await eventually(
      async () => (await running.mesh.webhooks.refused("hostile")).refused.length === 2,
      () => "the refused deliveries",
    );
    for (const [colorScheme, width] of [
      ["light", 390],
      ["dark", 1_280],
    ] as const) {
      const { page, faults } = await openTab(running.browser, {
        colorScheme,
        reducedMotion: "reduce",
        viewport: { width, height: 900 },
      });
      await signIn(page, running.url, running.adminToken);
      for (const view of ["/webhooks", "/webhooks/hostile"]) {
        await goTo(page, view);
        await page.getByText(HTML).first().waitFor();
        for (const details of await page.locator("main summary").all()) await details.click();
        expect([view, await accessibilityFaults(page)]).toEqual([view, []]);
        expect([view, await overflowOf(page)]).toEqual([view, 0]);
        expect(await page.locator("main img, main script").count()).toBe(0);
      }
      expect(faults).toEqual([]);
      await page.context().close();
    }
    await running.mesh.webhooks.remove("hostile");
  });
});
