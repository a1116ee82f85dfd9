import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { ASSETS, buildDashboard } from "../../dashboard/build/build-dashboard.ts";
import { FILES, PAGE, type DashboardAsset } from "../../workers/dashboard/assets.js";

const SIZE_MAX = 200_000;

const textOf = ({ gzip }: DashboardAsset): string =>
  gunzipSync(Buffer.from(gzip, "base64")).toString("utf8");
const page = textOf(PAGE);
const all = [...Object.entries(FILES), ["index.html", PAGE] as const];

describe("the files of the dashboard", () => {
  it("DB5 have less than 200 kB in all, compressed", () => {
    const sizes = all.map(([, { gzip }]) => Buffer.from(gzip, "base64").length);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(SIZE_MAX);
  });

  it("DB5 load nothing from elsewhere: no address of another origin is in them, except as the name of a format", () => {
    const names = /^(?:http:\/\/www\.w3\.org\/)/;
    for (const [name, asset] of all.filter(([each]) => !each.startsWith("licenses-"))) {
      const addresses =
        textOf(asset).match(/(?:https?:|wss?:)?\/\/[a-z0-9][a-z0-9.-]*\.[a-z]{2,}[^\s"'`)]*/gi) ??
        [];
      expect([name, addresses.filter((one) => !names.test(one))]).toEqual([name, []]);
    }
  });

  it("DB5 are named after their content, and the page names each of them", () => {
    for (const [name, asset] of Object.entries(FILES)) {
      const hash = createHash("sha256").update(textOf(asset)).digest("hex").slice(0, 16);
      expect(name).toContain(`-${hash}.`);
      expect(page).toContain(`"/dashboard/${name}"`);
    }
  });

  it("PK25 come with the licenses of the packages that are in them", () => {
    const [, licenses] = all.find(([name]) => name.startsWith("licenses-")) ?? [];
    const text = licenses === undefined ? "" : textOf(licenses);
    for (const name of ["preact", "@preact/signals", "uplot", "qrcode-generator"])
      expect(text).toMatch(new RegExp(`^${name}\\n\\n(?:The )?MIT`, "m"));
  });

  it("DB5 are the same bytes each time they are built from the same sources", async () => {
    const before = readFileSync(ASSETS, "utf8");
    await buildDashboard();
    expect(readFileSync(ASSETS, "utf8")).toBe(before);
  });

  it("DB2 need no inline script and no inline style", () => {
    expect(page).not.toMatch(/<script>|<script [^>]*>[^<]|<style|\sstyle=|\son[a-z]+=/);
  });
});
