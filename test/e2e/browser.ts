/** The dashboard of a mesh in a real Chromium. */
import { existsSync } from "node:fs";
import axe, { type AxeResults } from "axe-core";
import { eventually } from "./processes.ts";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";

const EXECUTABLE = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((path) =>
  existsSync(path),
);
/** Why tests with a browser are skipped; empty if they are not. */
export const NO_BROWSER = EXECUTABLE === undefined ? " (skipped: Chromium is not installed)" : "";

const ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"];
/** On a busy machine a page takes long. */
const TIMEOUT_MS = 120_000;

export const launchBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: EXECUTABLE ?? "", args: ARGUMENTS });

/** A tab, and what went wrong in it. */
export interface Tab {
  readonly page: Page;
  /** Messages of the console, errors of scripts, violations of the content security policy, and dialogs. */
  readonly faults: readonly string[];
}

/** The browser itself reports each answer that is an error. */
const OF_ANSWERS = /^Failed to load resource: the server responded with a status of [45]\d\d/;

export async function openTab(browser: Browser, options: BrowserContextOptions = {}): Promise<Tab> {
  const context = await browser.newContext({ viewport: { width: 1_280, height: 900 }, ...options });
  context.setDefaultTimeout(TIMEOUT_MS);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("console", (message) => {
    if (!OF_ANSWERS.test(message.text())) faults.push(`${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => faults.push(String(error.stack)));
  page.on("dialog", (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.exposeFunction("reportFault", (text: string) => void faults.push(text));
  await page.addInitScript(
    "addEventListener('securitypolicyviolation', (event) => reportFault(`policy: ${event.violatedDirective} ${event.blockedURI}`))",
  );
  return { page, faults };
}

export async function signIn(page: Page, url: string, token: string): Promise<void> {
  await page.goto(`${url}/dashboard`);
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("navigation", { name: "Views" }).waitFor();
}

/** Goes to a view by its address, and waits until it shows what it has loaded. */
export async function goTo(page: Page, place: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(place)}`);
  await page.locator("main h1").waitFor();
  const loading = page.getByText("Loading…");
  await eventually(
    async () => (await loading.count()) === 0,
    () => `what ${place} shows`,
  );
}

/** What axe finds against WCAG 2.2 AA: the rules with the elements that break them. */
export async function accessibilityFaults(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  const options = {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  };
  const { violations } = await page.evaluate<AxeResults>(`axe.run(${JSON.stringify(options)})`);
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(
      ({ target, failureSummary }) => `${id}: ${target.join(" ")}: ${failureSummary ?? ""}`,
    ),
  );
}

/** How many pixels the page is wider than its window. */
export const overflowOf = (page: Page): Promise<number> =>
  page.evaluate<number>(
    "document.documentElement.scrollWidth - document.documentElement.clientWidth",
  );
