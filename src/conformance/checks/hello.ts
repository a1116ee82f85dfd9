/** The hello, and the welcome that answers it. */
import { HELLO_BYTES_MAX } from "../../protocol/constants.ts";
import { firstIssue } from "../../protocol/envelope.ts";
import { Hello } from "../../protocol/messages.ts";
import { parseJson } from "../../base/json.ts";
import { utf8 } from "../../base/bytes.ts";
import { check, type Bench, type Check } from "../check.ts";
import { CheckFailed, expect } from "../failure.ts";
import type { PeerSettings } from "../ports.ts";
import { handshakeNext, join } from "../steps/join.ts";
import { works } from "../steps/offers.ts";

const SECTION = "protocol.md#hello";

/** The hello of a program with these settings. */
async function helloOf(bench: Bench, settings: PeerSettings = {}): Promise<Hello> {
  await bench.start(settings);
  const { helloText } = await handshakeNext(bench);
  const hello = Hello.safeParse(parseJson(helloText));
  if (!hello.success)
    throw new CheckFailed("a hello that a mesh takes", `${firstIssue(hello.error)}: ${helloText}`);
  return hello.data;
}

const list = (values: readonly string[] | undefined): string => (values ?? []).toSorted().join(",");

export const HELLO_CHECKS: readonly Check[] = [
  check("HF01", SECTION, "The hello is a JSON object that a mesh takes, of less than 8 KiB.", {
    run: async (bench) => {
      await bench.start();
      const { helloText } = await handshakeNext(bench);
      const hello = Hello.safeParse(parseJson(helloText));
      const fault = hello.success ? "" : firstIssue(hello.error);
      expect(hello.success, "a hello that a mesh takes", `${fault}: ${helloText}`);
      const bytes = utf8(helloText).length;
      expect(bytes < HELLO_BYTES_MAX, `less than ${HELLO_BYTES_MAX} bytes`, `${bytes} bytes`);
    },
  }),
  check("HF02", SECTION, "The hello has the name that the program was given.", {
    run: async (bench) => {
      const { name } = await helloOf(bench);
      expect(name === bench.name, `the name ${bench.name}`, name);
    },
  }),
  check("HF03", SECTION, "The hello names the kinds that the peer handles.", {
    run: async (bench) => {
      const { kinds } = await helloOf(bench);
      expect(list(kinds) === list(bench.kinds), list(bench.kinds), list(kinds) || "no kinds");
    },
  }),
  check("HF04", SECTION, "The hello says how many tasks the peer runs at once.", {
    run: async (bench) => {
      const { slots } = await helloOf(bench, { slots: 3 });
      expect(slots === 3, "slots: 3", `slots: ${slots}`);
    },
  }),
  check("HF05", SECTION, "The role in the hello is one that gets tasks.", {
    run: async (bench) => {
      const { role } = await helloOf(bench);
      expect(role !== "controller", "worker or dual", role);
    },
  }),
  check("HF06", SECTION, "The hello has the capabilities that the program was given.", {
    level: "should",
    subset: "full",
    run: async (bench) => {
      const capabilities = ["gpu", "memory_gib=16"];
      const hello = await helloOf(bench, { capabilities });
      const has = capabilities.every((each) => hello.capabilities.includes(each));
      expect(has, list(capabilities), list(hello.capabilities) || "no capabilities");
    },
  }),
  check("HF07", SECTION, "The hello names the client and its version.", {
    level: "should",
    subset: "full",
    run: async (bench) => {
      const { client } = await helloOf(bench);
      expect((client ?? "") !== "", "a `client`", "none");
    },
  }),
  check("HF08", SECTION, "A peer that has just started holds no attempts.", {
    run: async (bench) => {
      const { held = [] } = await helloOf(bench);
      expect(held.length === 0, "`held` is empty or absent", JSON.stringify(held));
    },
  }),
  check(
    "HF09",
    "protocol.md#welcome-and-rejection",
    "Fields of the welcome that the peer does not know are skipped.",
    {
      run: async (bench) => {
        const fields = { from_tomorrow: { a: [1, 2, 3] }, reconnect: { slot: 0, per_second: 100 } };
        const session = await join(bench, {}, { welcome: fields, meshFields: { new_field: 1 } });
        await works(session);
      },
    },
  ),
  check(
    "HF10",
    "protocol.md#welcome-and-rejection",
    "A welcome with a reconnect position and discovery keys is taken.",
    {
      subset: "full",
      run: async (bench) => {
        const key = "ab".repeat(32);
        const epoch = {
          epoch: 1,
          private_key: key,
          pointer_secret: key,
          expires_at: "2099-01-01T00:00:00.000Z",
        };
        const welcome = {
          reconnect: { slot: 7, per_second: 100 },
          discovery: { signing_key: key, epochs: [epoch] },
        };
        await works(await join(bench, {}, { welcome }));
      },
    },
  ),
];
