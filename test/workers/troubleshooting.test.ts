import { describe, expect, it } from "vitest";
import { ERROR_CODES, type MusterError, toProblem } from "../../src/protocol/errors.ts";
import { call, callWith } from "./http.ts";

const ask = (path: string) => call("GET", path, { token: null });

describe("/troubleshooting of the gateway", () => {
  it("HT52 shows the page and the entry of every error code without a token", async () => {
    const page = await ask("/troubleshooting");
    expect([page.status, page.headers.get("Content-Type")]).toEqual([
      200,
      "text/plain; charset=utf-8",
    ]);
    for (const code of ERROR_CODES) {
      const { type, title } = toProblem({ code, detail: "" } as MusterError);
      const entry = await ask(type);
      expect([code, entry.status]).toEqual([code, 200]);
      expect(entry.text.startsWith(`### \`${code}\`\n\n"${title}".`)).toBe(true);
      expect(page.text).toContain(entry.text);
    }
  });

  it("HT52 answers 404 for an unknown code, and repeats nothing of it", async () => {
    for (const code of [
      "zebra",
      "%3Cscript%3E",
      "..%2fzebra",
      "toString",
      "__proto__",
      "a".repeat(3_000),
    ]) {
      const { status, text } = await ask(`/troubleshooting/${code}`);
      expect([code, status]).toEqual([code, 404]);
      expect(text).not.toMatch(/zebra|script|toString|proto|aaa/);
    }
  });

  it("HT52 explains to a mesh without configuration what is wrong with it", async () => {
    const broken = await callWith({ MESH_IDENTITY_KEY: undefined }, "GET", "/v1/peers", {});
    const { type } = broken.body as { type: string };
    const entry = await callWith({ MESH_IDENTITY_KEY: undefined }, "GET", type, { token: null });
    expect([entry.status, entry.text]).toEqual([200, expect.stringContaining("`misconfigured`")]);
  });
});
