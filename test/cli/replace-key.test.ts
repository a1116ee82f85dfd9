import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  realpath,
  rm,
  symlink,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readKeyFile, writeKeyFile } from "../../src/cli/key-file.ts";
import { replaceKey, type ConnectWith } from "../../src/cli/replace-key.ts";
import { generateIdentity, OptionsError, PeerError } from "../../src/client/index.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "muster-rotate-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** A peer that connects and rotates as these say. */
const peerThat = (does: { ready?: () => Promise<unknown>; rotate?: () => Promise<unknown> }) => {
  const { ready = async () => ({}), rotate = async () => ({}) } = does;
  return () => ({ ready: ready(), rotate, close: async () => {} }) as never;
};
const failing = (thrown: Error) => async () => {
  throw thrown;
};

const CONNECTS: Readonly<Record<string, ConnectWith>> = {
  "the options are not valid": () => {
    throw new OptionsError("no");
  },
  "the mesh can't be reached": peerThat({ ready: failing(new PeerError("revoked", "no")) }),
  "the mesh refuses the new key": peerThat({
    rotate: failing(new PeerError("rotation_failed", "too many rotations")),
  }),
  "the peer ends before the mesh answers": peerThat({
    rotate: failing(new PeerError("rotation_unknown", "closed")),
  }),
  "something unexpected happens": peerThat({ rotate: failing(new TypeError("a defect")) }),
  "the mesh accepts": peerThat({}),
};

test.each([
  ["the options are not valid", ["key.json"]],
  ["the mesh can't be reached", ["key.json"]],
  ["the mesh refuses the new key", ["key.json"]],
  ["the peer ends before the mesh answers", ["key.json", "key.json.new"]],
  ["something unexpected happens", ["key.json", "key.json.new"]],
  ["the mesh accepts", ["key.json", "key.json.old"]],
])("CL14 when %s, muster rotate leaves the files %j", async (what, files) => {
  const path = join(folder, "key.json");
  const keys = generateIdentity();
  await writeKeyFile(path, { keys, createdAt: new Date().toISOString() }, false);
  const before = await readFile(path, "utf8");
  const done = replaceKey(path, CONNECTS[what] as ConnectWith);
  if (what === "the mesh accepts")
    expect(await done).toEqual({ keys: (await readKeyFile(path)).keys, file: path });
  else await expect(done).rejects.toThrow();
  expect((await readdir(folder)).toSorted()).toEqual(files);
  const kept = await readFile(what === "the mesh accepts" ? `${path}.old` : path, "utf8");
  expect(kept).toBe(before);
});

test("CL14 a key file that is a symbolic link stays one: the keys are in the folder that it leads to", async () => {
  await mkdir(join(folder, "kept"));
  const [path, kept] = [join(folder, "link.json"), join(folder, "kept", "key.json")];
  await writeKeyFile(
    kept,
    { keys: generateIdentity(), createdAt: new Date().toISOString() },
    false,
  );
  await symlink(kept, path);
  const { keys, file } = await replaceKey(path, peerThat({}));
  expect(file).toBe(await realpath(kept));
  expect(await readlink(path)).toBe(kept);
  expect((await readKeyFile(path)).keys.id).toBe(keys.id);
  expect((await readdir(join(folder, "kept"))).toSorted()).toEqual(["key.json", "key.json.old"]);
  expect(await readdir(folder)).toEqual(["kept", "link.json"]);
});
