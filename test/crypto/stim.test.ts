import { assert, property, uint8Array } from "fast-check";
import { describe, expect, test } from "vitest";
import { toBase64, toHex, utf8 } from "../../src/base/bytes.ts";
import { smsgKey } from "../../src/crypto/smsg.ts";
import { sealStim, stimBytesMax } from "../../src/crypto/stim.ts";
import { tarOf } from "../../src/base/tar.ts";
import { bytesOf } from "../must.ts";
import { seededRandom } from "../random.ts";
import { openStim } from "./open-stim.ts";
import { STIM_VECTORS } from "./stim-vectors.ts";

describe("a STIM container", () => {
  test.each(STIM_VECTORS)(
    "GP33 that Borg has sealed has the layout that this project writes: $files",
    ({ password, config, files, sealed }) => {
      const opened = openStim(password, bytesOf(sealed));
      const expected = Object.entries(files).map(([name, content]) => [name, content]);
      const found = [...opened.files].map(([name, content]) => [name, toBase64(content)]);
      expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected));
      if (config !== null) expect(toBase64(opened.config)).toBe(config);
      // The same content, sealed here, differs only in what is random: nonces, and the times in Borg's archive.
      const rootfs = tarOf([...opened.files].map(([name, content]) => ({ name, content })));
      const own = sealStim(smsgKey(password), { config: opened.config, rootfs }, seededRandom(1));
      expect(own).toHaveLength(bytesOf(sealed).length);
      expect(toHex(own.subarray(0, HEAD))).toBe(toHex(bytesOf(sealed).subarray(0, HEAD)));
    },
  );

  test("GP33 is never larger than the bound that is computed before", () => {
    assert(
      property(
        uint8Array({ maxLength: 2_000 }),
        uint8Array({ maxLength: 2_000 }),
        (config, files) => {
          const rootfs = tarOf([{ name: "a", content: files }]);
          const sealed = sealStim(smsgKey("p"), { config, rootfs }, seededRandom(2));
          expect(sealed.length).toBeLessThanOrEqual(stimBytesMax({ config, rootfs }));
          const opened = openStim("p", sealed);
          expect(toHex(opened.config)).toBe(toHex(config));
          expect(toHex(opened.files.get("a") ?? utf8("absent"))).toBe(toHex(files));
        },
      ),
    );
  });
});

/** Magic, version, header length, header and the size of the configuration. */
const HEAD = 9 + 106 + 4;
