/** What the command line loads to run a mesh. */
import type { ServerModule } from "../src/cli/server-module.ts";
import { startMesh as start } from "./mesh-process.ts";
import { readSettings as read } from "./settings/read-settings.ts";

export const startMesh: ServerModule["startMesh"] = start;
export const readSettings: ServerModule["readSettings"] = read;
