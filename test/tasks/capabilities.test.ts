import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Capability, CapabilityRequirement } from "../../src/protocol/messages.ts";
import { meets } from "../../src/tasks/capabilities.ts";

const LABELS = [
  "gpu",
  "arch=arm64",
  "memory_gib=16",
  "temp=-3.5",
  "model=a",
  "model=b",
  "size=16GiB",
];

describe("labels", () => {
  test.for([
    ["gpu", true],
    ["arch", true],
    ["arch=arm64", true],
    ["arch=arm6", false],
    ["arch=", false],
    ["gp", false],
    ["memory_gib>=16", true],
    ["memory_gib>16", false],
    ["memory_gib>15.9", true],
    ["memory_gib<=16", true],
    ["memory_gib<16", false],
    ["memory_gib<17", true],
    ["temp>=-4", true],
    ["temp>=-3", false],
    ["model=a", true],
    ["model=b", true],
    ["model=c", false],
    ["size>=1", false],
    ["gpu>=1", false],
    ["absent<=9", false],
    ["absent", false],
  ] as const)("AS15 meet %s: %s", ([wanted, met]) => {
    expect(CapabilityRequirement.safeParse(wanted).success).toBe(true);
    expect(meets(LABELS, wanted)).toBe(met);
  });

  test.for(["", "=x", ">=3", "a>=", "a>=b", "a>=1.", "a=>3", "a>1e3", "a b", "a>=0x10", "a>>1"])(
    "AS15 the requirement %s is invalid",
    (wanted) => {
      expect(CapabilityRequirement.safeParse(wanted).success).toBe(false);
    },
  );

  test("AS15 a label meets the equal requirement, and numeric labels compare as numbers", () => {
    const label = fc.stringMatching(/^[a-z][a-z=._-]{0,8}$/);
    fc.assert(
      fc.property(fc.array(label, { minLength: 1 }), (labels) => {
        for (const each of labels) {
          expect(Capability.safeParse(each).success).toBe(true);
          expect(meets(labels, each)).toBe(true);
        }
      }),
    );
    fc.assert(
      fc.property(fc.integer(), fc.integer(), (value, bound) => {
        const labels = [`n=${value}`];
        expect(meets(labels, `n>=${bound}`)).toBe(value >= bound);
        expect(meets(labels, `n<=${bound}`)).toBe(value <= bound);
        expect(meets(labels, `n>${bound}`)).toBe(value > bound);
        expect(meets(labels, `n<${bound}`)).toBe(value < bound);
      }),
    );
  });
});
