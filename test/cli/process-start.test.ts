import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { processStartTime } from "../../src/cli/process-start.ts";

afterEach(() => vi.unstubAllEnvs());

/** Linux reports no process with this number, so the start time is asked of `ps`. */
const NO_PID = 2 ** 30;

test("CL12 a process start time that `ps` prints is the same text in every time zone and language", async () => {
  const folder = await mkdtemp(join(tmpdir(), "muster-ps-"));
  try {
    await writeFile(join(folder, "ps"), '#!/bin/sh\necho "$TZ $LC_ALL"\n');
    await chmod(join(folder, "ps"), 0o755);
    vi.stubEnv("PATH", `${folder}${delimiter}${process.env["PATH"] ?? ""}`);
    const texts = new Set<string>();
    for (const [zone, language] of [
      ["Asia/Tokyo", "ja_JP.UTF-8"],
      ["America/Lima", ""],
    ] as const) {
      vi.stubEnv("TZ", zone);
      vi.stubEnv("LC_ALL", language);
      texts.add(await processStartTime(NO_PID));
    }
    expect([...texts]).toEqual(["UTC C"]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
