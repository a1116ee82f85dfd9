import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { MUSTER_2_CHECKS } from "../../src/conformance/checks/index.ts";
import { FAULTS } from "./conformance/faults.ts";
import { checkPeer, failures, lasting, named, REPORTS, SDK, SMALL } from "./conformance/kit.ts";

describe("a peer", () => {
  test("CF7 of the TypeScript SDK passes every check", async () => {
    const results = await checkPeer(SDK, MUSTER_2_CHECKS);
    expect(failures(results)).toEqual([]);
    expect(results.filter(({ outcome }) => outcome === "not_applicable")).toEqual([]);
    await expect(lasting("The TypeScript SDK over muster/2", results)).toMatchFileSnapshot(
      join(REPORTS, "typescript-sdk.txt"),
    );
  });

  test("CF8 that shares only primitives with the SDK passes the core", async () => {
    const core = MUSTER_2_CHECKS.filter(({ subset }) => subset === "core");
    expect(failures(await checkPeer(SMALL, core))).toEqual([]);
  });

  test("CF8 with a fault fails the check that names the fault", async () => {
    const found: Record<string, string> = {};
    const faults = Object.entries(FAULTS);
    const work = async (): Promise<void> => {
      for (let next = faults.shift(); next !== undefined; next = faults.shift()) {
        const [fault, id] = next;
        const [result] = await checkPeer(`FAULT=${fault} ${SMALL}`, named(id));
        if (result?.outcome === "failed") found[fault] = result.id;
      }
    };
    await Promise.all(Array.from({ length: 5 }, work));
    expect(found).toEqual(FAULTS);
  });

  test("CF8 without a fault passes the checks that name faults", async () => {
    const ids = new Set<string>(Object.values(FAULTS));
    const full = MUSTER_2_CHECKS.filter(({ id, subset }) => ids.has(id) && subset === "full");
    expect(failures(await checkPeer(SMALL, full))).toEqual([]);
  });
});
