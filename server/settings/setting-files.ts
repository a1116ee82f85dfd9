import { access, constants, stat } from "node:fs/promises";
import { errorCode } from "../../src/cli/files.ts";
import { settingFault, type GivenSetting } from "./given-settings.ts";

/** Refuses a file that does not exist or can't be read, before anything starts. */
export async function checkFile(given: GivenSetting, allowed: string): Promise<void> {
  const { value: path } = given;
  try {
    if ((await stat(path)).isDirectory()) throw settingFault(given, allowed, "it is a folder");
    await access(path, constants.R_OK);
  } catch (error) {
    const code = errorCode(error);
    if (code === undefined || !/^E[A-Z]+$/.test(code)) throw error;
    throw settingFault(given, allowed, reasonOf(code));
  }
}

/** Refuses a folder that is none. One that does not exist is created; what the system says against that is no fault of the call. */
export async function checkFolder(given: GivenSetting, allowed: string): Promise<void> {
  const about = await stat(given.value).catch((error: unknown) => errorCode(error) ?? "");
  if (about === "ENOTDIR") throw settingFault(given, allowed, "a part of the path is a file");
  if (typeof about !== "string" && !about.isDirectory())
    throw settingFault(given, allowed, "it is a file");
}

const reasonOf = (code: string): string =>
  code === "ENOENT" || code === "ENOTDIR" ? "it does not exist" : code;
