import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { flood } from "../../bench/storage/flood.ts";

test("SB11 a small database that an owner, a webhook sender and a stranger fill stays below its limit, and revoking, cancelling and honest work go on", async () => {
  const dir = await mkdtemp(join(tmpdir(), "muster-e2e-"));
  try {
    const figures = await flood({ dir: join(dir, "mesh"), seconds: 20, log: () => {} });
    expect(figures).toMatchObject({ ok: true, honest_during: { failed: 0 } });
    // They did try: each was refused at least once for want of room.
    expect(Object.keys(figures.answers.tasks)).toContain("429 owner_bytes_full");
    expect(Object.keys(figures.answers.deliveries)).toContain("429 owner_bytes_full");
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
