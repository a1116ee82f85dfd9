import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { admitsPage, PAGE_ORIGINS_MAX, readPageOrigins } from "../../src/access/page-origins.ts";
import { must, mustFail } from "../must.ts";

const admits = (origins: string, page: string): boolean =>
  admitsPage(must(readPageOrigins(origins)), page);

const PAGES = [
  "https://app.example",
  "https://app.example:8443",
  "http://app.example",
  "https://xn--mnchen-3ya.example",
  "http://192.0.2.7:3000",
  "http://[2001:db8::1]:3000",
  "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
  "tauri://localhost",
  "capacitor://localhost:8080",
];

const LOCAL = [
  "http://localhost",
  "https://localhost",
  "http://localhost:5173",
  "http://127.0.0.1:8787",
  "http://127.9.9.9",
  "http://[::1]:3000",
];

/** Origins that are near to `https://app.example` or to this machine, and neither. */
const HOSTILE = [
  "null",
  "",
  "*",
  "none",
  "localhost",
  "file://",
  "https://app.example/",
  "https://app.example.",
  "https://APP.example",
  "https://app.example:443",
  "https://app.example, https://app.example",
  "https://app.example https://evil.example",
  "https://app.example.evil.example",
  "https://evil-app.example",
  "https://evil.example#https://app.example",
  "https://app.example@evil.example",
  "https://sub.app.example",
  "http://localhost.evil.example",
  "http://evil.example:80@localhost",
  "http://localhost:5173/",
  "http://localhost:5173@evil.example",
  "http://localhost:123456",
  "http://localhost:",
  "http://LOCALHOST",
  "http://127.0.0.1.evil.example",
  "http://127.1",
  "http://2130706433",
  "http://0.0.0.0",
  "http://[::]",
  "http://[::ffff:7f00:1]",
  "http://128.0.0.1",
  "ws://localhost",
  "chrome-extension://localhost",
  `http://${"1".repeat(100_000)}`,
];

describe("the list of pages that may read answers", () => {
  test("HT60 an origin admits its own pages, and no other", () => {
    for (const listed of PAGES)
      for (const page of [...PAGES, ...LOCAL, ...HOSTILE])
        expect([listed, page, admits(listed, page)]).toEqual([listed, page, page === listed]);
  });

  test("HT60 localhost admits the pages of this machine, on any port, and no other", () => {
    for (const page of LOCAL) expect([page, admits("localhost", page)]).toEqual([page, true]);
    for (const page of [...PAGES, ...HOSTILE])
      expect([page, admits("localhost", page)]).toEqual([page, false]);
  });

  test("HT60 a list admits what any of its entries admits", () => {
    const list = " https://app.example ,localhost,\nhttp://192.0.2.7:3000 ";
    for (const page of [...LOCAL, "https://app.example", "http://192.0.2.7:3000"])
      expect([page, admits(list, page)]).toEqual([page, true]);
    for (const page of HOSTILE) expect([page, admits(list, page)]).toEqual([page, false]);
  });

  test("HT60 * admits every page; none and nothing admit no page", () => {
    for (const page of [...PAGES, ...LOCAL, ...HOSTILE]) {
      expect(admits("*", page)).toBe(true);
      for (const off of ["", " ", "none"]) expect(admits(off, page)).toBe(false);
    }
  });

  test("HT60 no text admits a page that it does not contain, unless a word does", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.webUrl(), fc.string(), fc.constantFrom(...PAGES, ...HOSTILE)),
        fc.constantFrom(...PAGES, ...HOSTILE),
        (text, page) => {
          const read = readPageOrigins(text);
          if (!read.ok || text.trim() === "*") return;
          if (admitsPage(read.value, page)) expect(text).toContain(page);
        },
      ),
    );
  });

  test.each([
    ["https://app.example/", "no / at the end"],
    ["https://app.example/path", "no path"],
    ["https://app.example?x", "no path"],
    ["HTTPS://app.example", "lower case"],
    ["https://App.example", "lower case"],
    ["https://app.example:443", "a port only if"],
    ["http://app.example:80", "a port only if"],
    ["https://user:pw@app.example", "as browsers write it"],
    ["https://münchen.example", "as browsers write it"],
    ["https://*.app.example", "wildcard"],
    ["https://app.example:*", "wildcard"],
    ["shop.example", "is not an origin"],
    ["https://", "is not an origin"],
    ["chrome-extension://", "is not an origin"],
    ["chrome-extension://abc/page.html", "is not an origin"],
    ["data:text/html,x", "is not an origin"],
    ["javascript:alert(1)", "is not an origin"],
    ["null", "sandbox"],
    ["Localhost", "is not an origin"],
    ["*", "alone"],
    ["none", "alone"],
    ["", "is empty"],
    [`https://${"a".repeat(300)}.example`, "300 characters"],
  ])("HT60 the entry %j is refused by its number, without its text", (entry, fault) => {
    const message = mustFail(readPageOrigins(`https://app.example,${entry}`));
    expect(message).toMatch(/^entry 2 /);
    expect(message).toContain(fault);
    if (entry.length > 9) expect(message).not.toContain(entry);
  });

  test("HT60 the number of entries is bounded", () => {
    const origins = Array.from(
      { length: PAGE_ORIGINS_MAX + 1 },
      (_, at) => `https://p${at}.example`,
    );
    must(readPageOrigins(origins.slice(1).join()));
    expect(mustFail(readPageOrigins(origins.join()))).toContain("more than 100 entries");
  });
});
