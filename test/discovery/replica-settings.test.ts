import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ReplicaMisconfigured } from "../../workers/replica-routes.ts";
import { readReplicaSettings, type ReplicaVariables } from "../../workers/replica-settings.ts";
import { replicaApp, startReplica } from "../../workers/start-replica.ts";
import { must, mustFail } from "../must.ts";

const VALID = {
  UPSTASH_REDIS_REST_URL: "https://example.upstash.io",
  UPSTASH_REDIS_REST_TOKEN: "AXasASQgN2Y",
  MESH_VERIFYING_KEY: "ab".repeat(32),
};

/** Values that a variable must not have. Each contains `SECRET`, which no message may show, where it has room for it. */
const INVALID: { readonly [N in keyof ReplicaVariables]-?: readonly (string | undefined)[] } = {
  UPSTASH_REDIS_REST_URL: [
    undefined,
    "",
    "SECRET",
    "redis://:SECRET@host:6379",
    "https://",
    "https://#SECRET",
    "https:/SECRET",
  ],
  UPSTASH_REDIS_REST_TOKEN: [undefined, "", "SECRET SECRET", "SECRET\n", "SECRÉT"],
  MESH_VERIFYING_KEY: [undefined, "", "SECRET", "ab".repeat(31), `${"ab".repeat(32)}SECRET`],
  DISCOVERY_PUBLIC: ["SECRET", "yes", "TRUE", "1"],
  REPLICA_KEPT_BYTES: ["SECRET", "-1", "1.5", "1e99", "32MiB"],
  CORS_ORIGINS: ["SECRET", "https://SECRET.example/", "https://*.SECRET.example", "*,*"],
  TRUSTED_PROXIES: ["SECRET", "10.0.0.0/99"],
  DISCOVERY_READS_PER_MINUTE: ["SECRET", "0", "-1", "0.5"],
};
const NAMES = Object.keys(INVALID) as (keyof ReplicaVariables)[];

describe("the settings of a replica", () => {
  test("DS71 valid settings are accepted, with defaults for what is not set", () => {
    expect(must(readReplicaSettings(VALID))).toMatchObject({
      redis: { url: VALID.UPSTASH_REDIS_REST_URL, token: VALID.UPSTASH_REDIS_REST_TOKEN },
      isPublic: false,
      keptBytesMax: 32 * 1_024 * 1_024,
    });
    const more = { ...VALID, DISCOVERY_PUBLIC: "true", REPLICA_KEPT_BYTES: "0" };
    expect(must(readReplicaSettings(more))).toMatchObject({ isPublic: true, keptBytesMax: 0 });
    for (const url of ["http://127.0.0.1:8080", "https://a.example/path"])
      must(readReplicaSettings({ ...VALID, UPSTASH_REDIS_REST_URL: url }));
  });

  test("DS71 every missing or malformed variable is named, none of the others, and no value is shown", () => {
    const invalid = (name: keyof ReplicaVariables) => fc.constantFrom(...INVALID[name]);
    fc.assert(
      fc.property(
        fc
          .subarray(NAMES, { minLength: 1 })
          .chain((names) =>
            fc.tuple(fc.constant(names), fc.tuple(...names.map((name) => invalid(name)))),
          ),
        ([names, values]) => {
          const variables: Record<string, string | undefined> = { ...VALID };
          names.forEach((name, index) => (variables[name] = values[index]));
          const faults = mustFail(readReplicaSettings(variables as ReplicaVariables));
          for (const name of NAMES)
            expect(faults.filter((fault) => fault.startsWith(`${name} `))).toHaveLength(
              // TRUSTED_PROXIES hides what is wrong with the limit after it.
              names.includes(name) &&
                !(name === "DISCOVERY_READS_PER_MINUTE" && names.includes("TRUSTED_PROXIES"))
                ? 1
                : 0,
            );
          expect(faults.join()).not.toContain("SECRET");
        },
      ),
    );
  });

  test("DS71 a Worker with wrong settings answers every path with 500 and the names of the variables", async () => {
    const app = replicaApp(async () => {
      throw new ReplicaMisconfigured(mustFail(readReplicaSettings({})).join("; "));
    });
    for (const path of ["/healthz", "/v1/pointers", `/v1/blobs/${"0".repeat(32)}`]) {
      const answer = await app.request(path);
      const { code, detail } = (await answer.json()) as Record<string, string>;
      expect([answer.status, code]).toEqual([500, "misconfigured"]);
      for (const name of Object.keys(VALID)) expect(detail).toContain(name);
    }
  });

  test("DS71 a process does not start with wrong settings", async () => {
    const { exitCode, faults } = mustFail(await startReplica({ ...VALID, MESH_VERIFYING_KEY: "" }));
    expect([exitCode, faults.length]).toEqual([2, 1]);
  });
});
