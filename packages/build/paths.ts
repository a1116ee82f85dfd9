/** Where the parts of a package come from, and where they go. */
import { join, relative, sep } from "node:path";

export const ROOT = join(import.meta.dirname, "../..");

/** Declarations that `tsc -b` writes, in the layout of the sources. */
export const DECLARATIONS = join(ROOT, "node_modules/.cache/tsc");

const posix = (path: string): string => path.split(sep).join("/");

/** A file of the checkout by its path from the root. */
export const fromRoot = (file: string): string => posix(relative(ROOT, file));

const MODULES = "node_modules/";
const SOURCE = /^src\//;
const EXTENSION = /(\.d)?\.[cm]?[jt]s$/;

/** Whether a file belongs to an npm package, whose code is copied into ours. */
export const isVendored = (path: string): boolean => path.startsWith(MODULES);

/**
 * The path in `dist/` for a file of the checkout, without an extension: `src/client/index.ts` becomes `client/index`, and a file of an
 * npm package is in `vendor/`.
 */
export function outputOf(path: string): string {
  const from = isVendored(path)
    ? `vendor/${path.slice(path.lastIndexOf(MODULES) + MODULES.length)}`
    : path.replace(SOURCE, "");
  return from.replace(EXTENSION, "");
}

/** The specifier by which a file in `dist/` imports another one. */
export function specifier(from: string, to: string): string {
  const path = posix(relative(join("/", from, ".."), join("/", to)));
  return path.startsWith(".") ? path : `./${path}`;
}
