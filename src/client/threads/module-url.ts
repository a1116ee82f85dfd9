import { OptionsError } from "../errors.ts";

/** One letter before the colon is a drive of Windows. */
const HAS_SCHEME = /^[a-z][a-z0-9+.-]+:/i;
const HAS_DRIVE = /^[a-z]:/i;

/** The URL of a module that is given by URL or path. A relative path is relative to the working directory, or to the page. */
export function moduleUrl(module: string | URL): string {
  if (typeof module !== "string") return module.href;
  if (HAS_SCHEME.test(module)) return module;
  const { process, location } = globalThis as {
    process?: { cwd?: () => string };
    location?: { href: string };
  };
  const folder = process?.cwd?.();
  if (folder === undefined) {
    if (location === undefined) throw new OptionsError(`handlersModule: ${module} is not a URL`);
    return new URL(module, location.href).href;
  }
  const isWindows = HAS_DRIVE.test(folder);
  const base = `file://${isWindows ? "/" : ""}${asUrlPath(folder, isWindows)}/`;
  return new URL(asUrlPath(module, isWindows), base).href;
}

/** A path, with its characters that have a meaning in URLs escaped. */
const asUrlPath = (path: string, isWindows: boolean): string =>
  path
    .replaceAll("%", "%25")
    .replaceAll("\\", isWindows ? "/" : "%5C")
    .replaceAll("?", "%3F")
    .replaceAll("#", "%23");
