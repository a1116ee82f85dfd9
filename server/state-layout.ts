import { access, chmod, mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { noFolder, PRIVATE_FOLDER } from "../src/cli/files.ts";
import { Failure } from "../src/cli/failure.ts";
import type { StateFolder } from "../src/cli/state-folder.ts";
import { diskRoom, shortageOf } from "./disk/disk-room.ts";
import { takeOverStore } from "./earlier-store.ts";

/** Where workerd keeps its Durable Objects: a folder for each namespace, a SQLite database for each object. */
const OBJECTS = "objects";
/** Where `wrangler dev` kept them, which ran the meshes of earlier versions. */
const OBJECTS_BEFORE = "v3/do";

/** Makes the folder of the Durable Objects, and moves there what an earlier version has left elsewhere. */
export async function objectsFolder(folder: StateFolder): Promise<string> {
  const { state } = folder;
  const objects = join(state, OBJECTS);
  const before = join(state, OBJECTS_BEFORE);
  try {
    await mkdir(state, { recursive: true, mode: PRIVATE_FOLDER });
    if (!(await exists(objects)) && (await exists(before))) await rename(before, objects);
    await mkdir(objects, { recursive: true, mode: PRIVATE_FOLDER });
    await makePrivate([state, objects]);
    // Earlier versions let workerd make them with the umask of the user. The files inside are as private as their folder.
    const found = await readdir(objects, { withFileTypes: true });
    await makePrivate(
      found.filter((each) => each.isDirectory()).map(({ name }) => join(objects, name)),
    );
  } catch (error) {
    throw noFolder(objects, error, "choose another folder with --dir");
  }
  await takeOverStore(folder, Date.now());
  return objects;
}

async function makePrivate(folders: readonly string[]): Promise<void> {
  for (const path of folders) await chmod(path, PRIVATE_FOLDER);
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** The longest path of a Unix socket, less on macOS than on Linux. */
const SOCKET_PATH_MAX = 103;

/** A private folder for what one start writes: empty, and short enough for the path of a socket. */
export async function runFolder({ root, run }: StateFolder): Promise<RunFolder> {
  requireRoom(root);
  try {
    await rm(run, { recursive: true, force: true });
    await mkdir(run, { mode: PRIVATE_FOLDER });
    const inside = join(run, SOCKET);
    if (Buffer.byteLength(inside) <= SOCKET_PATH_MAX)
      return {
        folder: run,
        socket: inside,
        remove: () => rm(run, { recursive: true, force: true }),
      };
    const other = await mkdtemp(join(tmpdir(), "muster-"));
    const remove = async () => {
      await rm(other, { recursive: true, force: true });
      await rm(run, { recursive: true, force: true });
    };
    return { folder: run, socket: join(other, SOCKET), remove };
  } catch (error) {
    throw noFolder(run, error, "choose another folder with --dir");
  }
}
const SOCKET = "mesh.sock";

function requireRoom(root: string): void {
  const shortage = shortageOf(diskRoom(root));
  if (shortage !== null)
    throw new Failure(`the disk of ${root} is full: ${shortage} to start`, "free space on it");
}

export interface RunFolder {
  readonly folder: string;
  /** The path of the mesh's Unix socket. */
  readonly socket: string;
  remove(): Promise<void>;
}
