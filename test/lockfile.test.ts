import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

/*
 * The lockfile decides which code runs on a developer's machine, in CI and in what is deployed. These tests fail when a change to it
 * could bring in code that nobody chose.
 */

interface Package {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
  readonly inBundle?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}
interface Manifest extends Package {
  readonly workspaces: readonly string[];
  readonly allowScripts: Readonly<Record<string, boolean>>;
}

const lock = JSON.parse(readFileSync("package-lock.json", "utf8")) as {
  readonly lockfileVersion: number;
  readonly packages: Readonly<Record<string, Package>>;
};
const manifest = JSON.parse(readFileSync("package.json", "utf8")) as Manifest;
const packages = Object.entries(lock.packages).filter(([path]) => path !== "");
/** The workspaces, and the links to them in `node_modules`. */
const isWorkspace = (path: string): boolean => {
  const { link, resolved = "" } = lock.packages[path] ?? {};
  return manifest.workspaces.includes(link === true ? resolved : path);
};
const nameOf = (path: string): string => path.slice(path.lastIndexOf("node_modules/") + 13);

test("every package is pinned by a SHA-512 digest and comes from the registry that npm is configured with", () => {
  expect(packages.length).toBeGreaterThan(50);
  const unpinned = packages.filter(
    ([path, { integrity, inBundle }]) =>
      inBundle !== true && !isWorkspace(path) && !/^sha512-[\w+/]{86}==$/.test(integrity ?? ""),
  );
  expect(unpinned).toEqual([]);
  // A URL would pin a host, or name a Git repository or a file outside of the registry.
  const elsewhere = packages.filter(
    ([path, { resolved }]) => resolved !== undefined && !isWorkspace(path),
  );
  expect(elsewhere).toEqual([]);
});

test("package.json names exact versions, and the lockfile has the same ones", () => {
  const wanted = { ...manifest.dependencies, ...manifest.devDependencies };
  for (const [name, version] of Object.entries(wanted)) {
    expect(version, name).toMatch(/^\d+\.\d+\.\d+(-[\w.]+)?$/);
    expect(lock.packages[`node_modules/${name}`]?.version, name).toBe(version);
  }
  const { dependencies, devDependencies } = lock.packages[""] as Package;
  expect({ dependencies, devDependencies }).toEqual({
    dependencies: manifest.dependencies,
    devDependencies: manifest.devDependencies,
  });
});

test("allowScripts says of every package with an installation script, at its exact version, whether the script may run", () => {
  const scripted = packages
    .filter(([, { hasInstallScript }]) => hasInstallScript === true)
    .map(([path, { version }]) => `${nameOf(path)}@${version}`);
  expect(scripted.filter((one) => !(one in manifest.allowScripts))).toEqual([]);
});

test("what only the tests of the packages need is pinned in the same way", () => {
  const folder = "test/package/tools";
  const tools = JSON.parse(readFileSync(`${folder}/package-lock.json`, "utf8")) as typeof lock;
  const wanted = JSON.parse(readFileSync(`${folder}/package.json`, "utf8")) as Manifest;
  const brought = Object.entries(tools.packages).filter(([path]) => path !== "");
  expect(brought.filter(([, { integrity }]) => !integrity?.startsWith("sha512-"))).toEqual([]);
  expect(brought.filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
  for (const [name, version] of Object.entries(wanted.dependencies ?? {}))
    expect(tools.packages[`node_modules/${name}`]?.version, name).toBe(version);
  const scripted = brought
    .filter(([, { hasInstallScript }]) => hasInstallScript === true)
    .map(([path, { version }]) => `${nameOf(path)}@${version}`);
  expect(scripted.filter((one) => !(one in wanted.allowScripts))).toEqual([]);
});
