import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";

const root = new URL("..", import.meta.url).pathname;
const PAGES = globSync(["README.md", "docs/**/*.md", "src/SPEC.md", "durable/STORAGE.md"], {
  cwd: root,
});

/** Folders of the repository: text in backticks that begins with one of them and a slash names a path. */
const FOLDERS = ["src", "durable", "workers", "packages", "test", "bench", "docs", "bin"];
const PATH = new RegExp(`^(?:${FOLDERS.join("|")})/[\\w./-]*$`);

const read = (page: string) => readFileSync(join(root, page), "utf8");

/** Heading anchors as GitHub makes them. */
const anchorsOf = (page: string) =>
  [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, "")
      .replaceAll(" ", "-"),
  );

describe.each(PAGES)("%s", (page) => {
  it("names only files and folders that exist", () => {
    const named = [...read(page).matchAll(/`([^`\n]+)`/g)].map(([, text = ""]) => text);
    const missing = named.filter((text) => PATH.test(text) && !existsSync(join(root, text)));
    expect(missing).toEqual([]);
  });

  it("links only to pages and headings that exist", () => {
    const targets = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
    const broken = targets
      .filter((target) => !/^[a-z]+:/.test(target))
      .filter((target) => {
        const [path = "", anchor] = target.split("#");
        const linked = path === "" ? page : join(dirname(page), path);
        if (!existsSync(join(root, linked))) return true;
        return anchor !== undefined && !anchorsOf(linked).includes(anchor);
      });
    expect(broken).toEqual([]);
  });
});

it("AD60 a mesh is deployed as an allowlist", () => {
  expect(
    [...read("wrangler.toml").matchAll(/^AUTH_MODE *= *"(.*)"$/gm)].map(([, mode]) => mode),
  ).toEqual(["allowlist"]);
});
