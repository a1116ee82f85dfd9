import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectPeer } from "../../src/client/index.ts";
import { goTo, NO_BROWSER, openTab, signIn } from "./browser.ts";
import { DashboardMesh, HTML } from "./dashboard-mesh.ts";

describe.skipIf(NO_BROWSER !== "")(`the dashboard in a browser${NO_BROWSER}`, () => {
  let running: DashboardMesh;
  beforeAll(async () => {
    running = await DashboardMesh.start();
  });
  afterAll(() => running?.stop());

  it("DB6 keeps the token in memory: it is in no address and no storage, and gone after a reload", async () => {
    const { url, adminToken } = running;
    const { page, faults } = await openTab(running.browser);
    const requested: string[] = [];
    page.on("request", (request) => requested.push(request.url()));
    await page.goto(url);
    expect(page.url()).toBe(`${url}/dashboard`);
    await page.getByLabel("Token").fill("mst_wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").getByText("not valid").waitFor();

    await signIn(page, url, adminToken);
    await goTo(page, "/peers");
    expect([page.url(), ...requested].filter((address) => address.includes(adminToken))).toEqual(
      [],
    );
    expect(requested.filter((address) => !address.startsWith(url))).toEqual([]);
    const stored = "JSON.stringify([localStorage, sessionStorage, document.cookie])";
    expect(await page.evaluate(stored)).not.toContain(adminToken);
    await page.reload();
    await page.getByLabel("Token").waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
  });

  it("DB6 stays signed in in the tab if the user wants it, until the user signs out", async () => {
    const { url, adminToken } = running;
    const { page } = await openTab(running.browser);
    await page.goto(`${url}/dashboard`);
    await page.getByLabel("Token").fill(adminToken);
    await page.getByLabel("Stay signed in").check();
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("navigation", { name: "Views" }).waitFor();
    await page.reload();
    await page.getByRole("navigation", { name: "Views" }).waitFor();
    const other = await page.context().newPage();
    await other.goto(`${url}/dashboard`);
    await other.getByLabel("Token").waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Token").waitFor();
    expect(await page.evaluate("JSON.stringify([localStorage, sessionStorage])")).not.toContain(
      adminToken,
    );
    await page.reload();
    await page.getByLabel("Token").waitFor();
    await page.context().close();
  });

  it("DB6 signs out as soon as the mesh refuses the token, and says why", async () => {
    const token = await running.mesh.tokens.create("viewer", "short");
    await running.inTab(token.token, async (page) => {
      await running.mesh.tokens.revoke(token.id);
      await page.getByRole("alert").getByText("Signed out").waitFor();
      await page.getByLabel("Token").waitFor();
    });
  });

  it("DB7 offers what the scope of the token allows", async () => {
    const task = await running.mesh.tasks.submit("echo", 1);
    const viewer = await running.mesh.tokens.create("viewer", "");
    await running.inTab(viewer.token, async (page) => {
      const views = page.getByRole("navigation", { name: "Views" });
      expect(await views.getByRole("link").allInnerTexts()).toEqual([
        "Overview",
        "Peers",
        "Map",
        "Tasks",
        "Webhooks",
        "Access",
      ]);
      await goTo(page, `/peers/${running.worker.id}`);
      await page.getByRole("heading", { name: "worker-one" }).waitFor();
      expect(await page.locator("main .actions button").count()).toBe(0);
      await goTo(page, `/tasks/${task.id}`);
      await page.getByRole("heading", { name: "echo" }).waitFor();
      expect(await page.locator("main .actions button").count()).toBe(0);
      await goTo(page, "/access");
      await page.getByText("Any peer may join").waitFor();
      expect(await page.locator("main button").count()).toBe(0);
    });
    const submitter = await running.mesh.tokens.create("controller", "");
    await running.inTab(submitter.token, async (page) => {
      const views = page.getByRole("navigation", { name: "Views" });
      expect(await views.getByRole("link").allInnerTexts()).toEqual([
        "Overview",
        "Peers",
        "Tasks",
        "Submit",
      ]);
      await goTo(page, "/access");
      await page.getByRole("heading", { name: "Not found" }).waitFor();
    });
  });

  it("DB14 shows a peer when it joins and when it leaves, without a reload", async () => {
    await running.asAdmin(async (page) => {
      await goTo(page, "/peers");
      const row = page.getByRole("row").filter({ hasText: "comes-and-goes" });
      const peer = connectPeer({ url: running.url, name: "comes-and-goes", handlers: {} });
      await peer.ready;
      await row.getByText("active").waitFor();
      await peer.close();
      await row.getByText("stale").waitFor();
      await page.getByLabel("State").selectOption("connected");
      await row.waitFor({ state: "detached" });
      await page.getByRole("row").filter({ hasText: "worker-one" }).waitFor();
    });
  });

  it("DB8 submits a task by hand and shows its payload and its result as text", async () => {
    await running.asAdmin(async (page) => {
      await page.getByRole("link", { name: "Submit" }).click();
      await page.getByLabel("Kind").fill("echo");
      const submit = page.getByRole("button", { name: "Submit" });
      await page.getByLabel("Payload").fill('{"html": ');
      expect(await submit.isDisabled()).toBe(true);
      await page
        .getByLabel("Payload")
        .fill(`{"html": ${JSON.stringify(HTML)}, "n": 12345678901234567890}`);
      await submit.click();
      await page.getByRole("heading", { name: "echo" }).waitFor();
      await page.locator(".facts-line").getByText("succeeded").waitFor();
      for (const label of ["Payload", "Result"]) {
        const shown = await page.getByRole("group", { name: label }).innerText();
        expect(shown).toContain(JSON.stringify(HTML));
      }
      // The peer's handler gets a number of JavaScript, and so returns another one.
      const payload = page.getByRole("group", { name: "Payload" });
      expect(await payload.innerText()).toContain('"n": 12345678901234567890');
      expect(await page.locator("main img, main script").count()).toBe(0);
    });
  });

  it("DB8 shows errors and progress messages of peers as text", async () => {
    const failed = await running.mesh.tasks.submit("fail", null, { maxAttempts: 1 });
    const held = await running.mesh.tasks.submit("hold", null);
    await running.asAdmin(async (page) => {
      await goTo(page, `/tasks/${failed.id}`);
      await page.locator(".verdict").getByText(HTML).waitFor();
      await goTo(page, `/tasks/${held.id}`);
      await page.locator(".progress").getByText(HTML).waitFor();
      await goTo(page, "/");
      await page.locator(".reasons").getByText(HTML.replaceAll(/\d/g, "<n>")).waitFor();
      expect(await page.locator("main img, main script").count()).toBe(0);
    });
    await running.mesh.tasks.cancel(held.id);
  });

  it("DB18 cancels and retries a task, asks before, and says what it did", async () => {
    const held = await running.mesh.tasks.submit("hold", null);
    await running.asAdmin(async (page) => {
      await goTo(page, `/tasks/${held.id}`);
      await page.locator(".facts-line").getByText("running").waitFor();
      await page.getByRole("button", { name: "Cancel" }).click();
      await page.getByRole("button", { name: "Keep as it is" }).click();
      await page.getByRole("dialog").waitFor({ state: "detached" });
      expect((await running.mesh.tasks.get(held.id)).state).toBe("running");
      await page.getByRole("button", { name: "Cancel" }).click();
      await page.getByRole("button", { name: "Cancel the task" }).click();
      await page.getByText("The task is cancelled.").waitFor();
      await page.locator(".facts-line").getByText("cancelled").waitFor();
      await page.getByRole("button", { name: "Retry" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Retry" }).click();
      await page.locator(".facts-line").getByText("running").waitFor();
    });
    await running.mesh.tasks.cancel(held.id);
  });

  it("DB18 acts on all tasks of a filter, and says first how many they are", async () => {
    const waiting = await Promise.all(
      [1, 2, 3].map((n) => running.mesh.tasks.submit("no-peer-does-this", n)),
    );
    await running.asAdmin(async (page) => {
      await goTo(page, "/tasks?state=queued&kind=no-peer-does-this");
      await page.getByText("3 tasks").waitFor();
      await page.getByRole("button", { name: "Cancel all that match" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByText("3 tasks of state queued and kind no-peer-does-this").waitFor();
      await dialog.getByRole("button", { name: "Cancel all that match" }).click();
      await page.getByText("3 tasks are cancelled.").waitFor();
      await page.getByText("No task matches.").waitFor();
    });
    for (const { id } of waiting)
      expect((await running.mesh.tasks.get(id)).state).toBe("cancelled");
  });

  it("DB15 says why a peer got a task, by the parts of its expected cost, and who was ruled out", async () => {
    const other = connectPeer({
      url: running.url,
      name: "other-kind",
      handlers: { other: () => 1 },
    });
    await other.ready;
    const done = await running.mesh.tasks.submit("echo", 1);
    await running.mesh.tasks.wait(done.id);
    const waiting = await running.mesh.tasks.submit("no-peer-does-this", 1);
    await running.asAdmin(async (page) => {
      await goTo(page, `/tasks/${done.id}`);
      const why = page.getByRole("region", { name: "Why this peer" });
      const chosen = why.getByRole("listitem").filter({ hasText: "chosen" });
      await chosen.getByRole("link", { name: "worker-one" }).waitFor();
      await chosen.getByText(/round trip .* score/).waitFor();
      await why.getByText(/1 peer.*without this kind.*other-kind/).waitFor();
      await goTo(page, `/tasks/${waiting.id}`);
      await page
        .getByRole("region", { name: "Why it waits" })
        .getByText("no connected peer handles")
        .waitFor();
    });
    await running.mesh.tasks.cancel(waiting.id);
    await other.close();
  });

  it("DB18 cordons, uncordons and revokes a peer", async () => {
    const peer = connectPeer({ url: running.url, name: "unwanted", handlers: {} });
    await peer.ready;
    await running.asAdmin(async (page) => {
      await goTo(page, "/peers");
      await page.getByRole("link", { name: "unwanted" }).click();
      await page.getByRole("button", { name: "Cordon" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Cordon" }).click();
      await page.getByText("unwanted is cordoned.").waitFor();
      await page.locator(".facts-line").getByText("cordoned").waitFor();
      await page.getByRole("button", { name: "Uncordon" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Uncordon" }).click();
      await page.locator(".facts-line").getByText("active").waitFor();
      await page.getByRole("button", { name: "Revoke" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
      await page.getByText("unwanted is revoked.").waitFor();
      await page.locator(".facts-line").getByText("revoked").waitFor();
      await goTo(page, "/access");
      const barred = page.getByRole("region", { name: "Barred keys" });
      await barred.getByRole("link", { name: peer.id.slice(0, 8) }).waitFor();
    });
    expect((await running.mesh.peers.get(peer.id)).state).toBe("revoked");
    await peer.close();
  });

  it("DB18 says why an act failed, and leaves the question open", async () => {
    const task = await running.mesh.tasks.submit("hold", null);
    await running.asAdmin(async (page) => {
      await goTo(page, `/tasks/${task.id}`);
      await page.getByRole("button", { name: "Cancel" }).click();
      await page.route("**/v1/tasks/**", (route) =>
        route.request().method() === "DELETE"
          ? route.fulfill({
              status: 503,
              contentType: "application/problem+json",
              body: JSON.stringify({
                code: "unavailable",
                detail: "the coordinator does not answer",
              }),
            })
          : route.continue(),
      );
      await page.getByRole("button", { name: "Cancel the task" }).click();
      await page.getByRole("dialog").getByText("the coordinator does not answer").waitFor();
      await page.unroute("**/v1/tasks/**");
      await page.getByRole("button", { name: "Cancel the task" }).click();
      await page.getByText("The task is cancelled.").waitFor();
    });
  });

  it("DB19 makes a join key and shows it once, as a link, a command and a QR code", async () => {
    await running.asAdmin(async (page) => {
      await goTo(page, "/access");
      await page.getByLabel("Label").first().fill("the lab");
      await page.getByRole("button", { name: "Create a join key" }).click();
      await page.getByRole("img", { name: "The link as a QR code" }).waitFor();
      const link = await page.locator(".made code").first().innerText();
      expect(link).toMatch(/^muster:\/\/.*join=mjk_/);
      const peer = connectPeer({ url: link, name: "by-link", handlers: {} });
      await peer.ready;
      await peer.close();
      await page.getByRole("button", { name: "Done" }).click();
      await page
        .getByText("mjk_")
        .first()
        .waitFor({ state: "detached" })
        .catch(() => {});
      expect(await page.content()).not.toContain(link);
    });
  });

  it("DB31 shows what the mesh costs as an estimate, and that a self-hosted one is billed nothing", async () => {
    await running.mesh.tasks.submit("echo", 1);
    await running.asAdmin(async (page) => {
      const costs = page.getByRole("region", { name: "Costs" });
      await costs.getByText("Cloudflare bills nothing").waitFor();
      await page.route("**/v1/costs", async (route) => {
        const answer = await route.fetch();
        await route.fulfill({ json: { ...(await answer.json()), billed: true } });
      });
      await goTo(page, "/tasks");
      await goTo(page, "/");
      await costs.getByRole("row", { name: "Connected peers" }).getByText("$0.0070").waitFor();
      await costs.getByText("An estimate by Cloudflare's list prices").waitFor();
      await costs.getByText("Not in it: the duration of the objects").waitFor();
    });
  });

  it("DB17 says when it has no connection, and goes on by itself", async () => {
    const { page } = await openTab(running.browser);
    await signIn(page, running.url, running.adminToken);
    await page.getByText("Live", { exact: true }).waitFor();
    await page.context().setOffline(true);
    await page.getByText("No connection, trying again").waitFor();
    await page.context().setOffline(false);
    await page.getByText("Live", { exact: true }).waitFor();
    await page.context().close();
  });
});
