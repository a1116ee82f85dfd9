import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readSettings } from "../../server/settings/read-settings.ts";
import { givenSettings } from "../../src/cli/settings/setting-flags.ts";
import { SECRETS, secretFileSetting } from "../../src/cli/settings/secret-settings.ts";
import { SETTINGS } from "../../src/cli/settings/settings-table.ts";
import { HOSTILE_DECIMALS, HOSTILE_NUMBERS } from "./hostile-numbers.ts";

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "muster-settings-"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** A file that exists. */
const THIS = import.meta.filename;

type Env = Readonly<Record<string, string>>;

/** The settings from flags, the environment and the text of a file. */
async function settingsOf(flags: Env, env: Env = {}, toml = "") {
  const config = join(dir, "muster.toml");
  await writeFile(config, toml);
  return readSettings({ flags: { MUSTER_CONFIG: config, ...givenSettings(flags) }, env });
}

const faultOf = (flags: Env, env: Env = {}, toml = ""): Promise<string> =>
  settingsOf(flags, env, toml).then(
    () => "no error",
    (error: Error) => error.message,
  );

/** Without a file of settings. */
const faultOfEnv = (env: Env): Promise<string> =>
  readSettings({ flags: {}, env }).then(
    () => "no error",
    (error: Error) => error.message,
  );

const KEYS = {
  ADMIN_TOKEN: "token-0123456789abcdef",
  MESH_IDENTITY_KEY: "11".repeat(32),
  MESH_DISCOVERY_KEY: "22".repeat(32),
  MESH_SIGNING_KEY: "33".repeat(32),
};

const COUNTS = ["30", "40", "50"];
const MINUTES = ["0", "off", "2.5"];
const SWITCHES = ["true", "false", "true"];
const SHARES = ["0.1", "0.2", "0.3"];
const URLS = ["https://a.example", "https://b.example", "http://c.example:80/x"];
/** Three allowed values of each setting of the Worker. */
const GOOD: Readonly<Record<string, readonly string[]>> = {
  MESH_NAME: ["one", "two", "three"],
  PUBLIC_URL: URLS,
  AUTH_MODE: ["open", "allowlist", "open"],
  GO_P2P: SWITCHES,
  TRUSTED_PROXIES: ["127.0.0.1", "10.0.0.0/8, ::1", "::1"],
  CORS_ORIGINS: ["https://a.example", "localhost", "*"],
  CELLS: COUNTS,
  PEERS_MAX: COUNTS,
  DIALS_MAX: COUNTS,
  HANDSHAKES_PER_MINUTE: COUNTS,
  FAILED_AUTHORIZATIONS_PER_MINUTE: COUNTS,
  FAILED_DELIVERIES_PER_MINUTE: COUNTS,
  PREFLIGHTS_PER_MINUTE: COUNTS,
  DISCOVERY_READS_PER_MINUTE: COUNTS,
  DISCOVERY_PUBLIC: SWITCHES,
  DISCOVERY_MEMBERS: ["listed", "all", "none"],
  DISCOVERY_METADATA: ["role", "role,kinds", "score"],
  RECONNECT_SPREAD_SECONDS: COUNTS,
  PEER_RETENTION_DAYS: COUNTS,
  STORAGE_LIMIT_MB: COUNTS,
  TASK_PAYLOAD_RETENTION_HOURS: COUNTS,
  SELECTION_POLICY: ["best-score", "expected-cost", "best-score"],
  SHARE_MAX: SHARES,
  NEWCOMER_SHARE: SHARES,
  SCORE_WEIGHTS: [1, 2, 3].map((n) => `latency=0.${n},reliability=0.${9 - n},hops=0.1,distance=0`),
  MESH_LATITUDE: ["1", "2", "-90"],
  MESH_LONGITUDE: ["1", "2", "-180"],
  LOCATION_SERVICE: ["none", "platform", "https://a.example"],
  OUTBOUND_PROXY: URLS,
  OUTBOUND_ALLOW: ["10.0.0.0/8", "hooks.internal", "hooks.internal:8443"],
  OTLP_ENDPOINT: URLS,
  LOG_LEVEL: ["debug", "warn", "error"],
  TRACE_SAMPLE: ["0", "0.5", "1"],
  ALERT_PEER_DOWN_MINUTES: MINUTES,
  ALERT_MASS_FAILURE_PEERS: MINUTES,
  ALERT_CIRCUIT_OPEN_MINUTES: MINUTES,
  ALERT_STORAGE_PERCENT: MINUTES,
  ALERT_QUEUE_OLD_MINUTES: MINUTES,
  ALERT_QUEUE_LONG: MINUTES,
  ALERT_CELL_DOWN_MINUTES: MINUTES,
  ALERT_CELL_MESSAGES_MINUTES: MINUTES,
  ALERT_RESOLVE_MINUTES: MINUTES,
  ALERT_WEBHOOKS: URLS,
  ALLOW_LOOPBACK: SWITCHES,
  MESH_ROTATION_ENDS: [1, 2, 3].map((n) => `2030-01-0${n}T00:00:00Z`),
};

/** Values that are not allowed, by the name of the setting; those of a list say which part is wrong. */
const BAD: Readonly<Record<string, readonly (readonly [value: string, reason?: string])[]>> = {
  MUSTER_HOST: [["3"], ["a b"], ["http://x"], ["256.1.1.1"]],
  MUSTER_PORT: [["65536"], ["-1"], ["8787x"], ["1.5"]],
  MUSTER_LOG: [["xml"]],
  MESH_NAME: [["-a bad name-"]],
  PUBLIC_URL: [
    ["mesh.example", "does not begin with"],
    ["ftp://mesh.example", "does not begin with"],
    ["https://", "does not begin with"],
    ["https://mesh.example/?a=1", "a query or a fragment"],
    ["https://mesh.example/#a", "a query or a fragment"],
    ["https://mesh.example/a'b", "other characters"],
    ["http://0.0.0.0:8787", "leads nowhere"],
    ["http://[::]:8787", "leads nowhere"],
  ],
  AUTH_MODE: [["closed"]],
  LOG_LEVEL: [["trace"], ["WARN"]],
  TRUSTED_PROXIES: [["10.0.0.1, anybody", "entry 2"]],
  CORS_ORIGINS: [["https://app.example, https://app.example/", "entry 2"]],
  CELLS: [["0"], ["65"], ["many"]],
  DISCOVERY_MEMBERS: [["some"]],
  DISCOVERY_METADATA: [["role,name"]],
  RECONNECT_SPREAD_SECONDS: [["601"], ["0"]],
  STORAGE_LIMIT_MB: [["19"], ["10001"], ["x"]],
  TASK_PAYLOAD_RETENTION_HOURS: [["0"], ["721"]],
  SELECTION_POLICY: [["the-cheapest"]],
  SCORE_WEIGHTS: [["latency=1"], ["latency=0.5,reliability=0.5,hops=0.5,distance=0.5"]],
  MESH_LATITUDE: [["91"], ["north"]],
  MESH_LONGITUDE: [["-181"]],
  LOCATION_SERVICE: [["somewhere"]],
  OUTBOUND_PROXY: [["proxy.example"], ["ftp://proxy.example"]],
  OUTBOUND_ALLOW: [
    ["10.0.0.1, *.internal", "entry 2"],
    ["https://hooks.internal", "entry 1"],
  ],
  OTLP_ENDPOINT: [["collector:4318"], ["ftp://c.example"], ["https://c.example/?a=1"]],
  ALERT_WEBHOOKS: [["pager.example"], ["https://a.example, ftp://b.example"]],
  MESH_ROTATION_ENDS: [["tomorrow"], ["2030-01-01"]],
};
/** Of the settings that take the same values: by what stands for the value in help texts. */
const BAD_OF_FORM: Readonly<
  Record<string, readonly (readonly [value: string, reason?: string])[]>
> = {
  N: [["0"], ["many"], ...HOSTILE_NUMBERS],
  MINUTES: [["-1"], ["43201"], ["never"], ...HOSTILE_DECIMALS],
  PEERS: [["-1"], ["1000001"], ["many"], ...HOSTILE_DECIMALS],
  TASKS: [["-1"], ["10001"], ["many"], ...HOSTILE_DECIMALS],
  PERCENT: [["-1"], ["101"], ["85 %"], ...HOSTILE_DECIMALS],
  BOOLEAN: [["yes"], ["1"]],
  SHARE: [["1.5"], ["-0.1"], ["half"], ...HOSTILE_DECIMALS],
  FILE: [
    ["/nonexistent/file", "does not exist"],
    [import.meta.dirname, "it is a folder"],
  ],
  FOLDER: [[import.meta.filename, "it is a file"]],
};

describe("the settings of a self-hosted mesh", () => {
  const workers = SETTINGS.filter(({ of }) => of === "worker");

  test("SV11 each setting is a flag, a variable and a key, in this order of precedence", async () => {
    for (const { name, flag } of workers) {
      const key = flag.replaceAll("-", "_");
      const [file = "", ofEnv = "", ofFlag = ""] = GOOD[name] ?? [];
      const from = async (flags: Env, env: Env) =>
        (await settingsOf(flags, env, `${key} = "${file}"`)).variables[name];
      expect([name, await from({}, {})]).toEqual([name, file]);
      expect([name, await from({}, { [name]: "" })]).toEqual([name, file]);
      expect([name, await from({}, { [name]: ofEnv })]).toEqual([name, ofEnv]);
      expect([name, await from({ [flag]: ofFlag }, { [name]: ofEnv })]).toEqual([name, ofFlag]);
    }
  });

  test("CE140 the number of cells is a setting, from 1 to 64", async () => {
    expect((await settingsOf({ cells: "4" }, { CELLS: "2" })).variables["CELLS"]).toBe("4");
    expect((await settingsOf({}, {}, "cells = 64")).variables["CELLS"]).toBe("64");
    for (const wrong of ["0", "65", "1.5", "many"])
      expect(await faultOf({ cells: wrong })).toMatch(/a whole number from 1 to 64/);
  });

  test("SV11 a file has texts, numbers, booleans and lists", async () => {
    const toml = `port = 9000\npeers_max = 5\ngo_p2p = false\ntrusted_proxies = ["10.0.0.0/8", "::1"]\nshare_max = 0.5\n`;
    const { port, variables } = await settingsOf({}, {}, toml);
    expect(port).toBe(9_000);
    expect(variables).toEqual({
      PEERS_MAX: "5",
      GO_P2P: "false",
      TRUSTED_PROXIES: "10.0.0.0/8,::1",
      SHARE_MAX: "0.5",
    });
  });

  test.each([
    ["auth_mod = 'open'", "unknown key auth_mod, did you mean auth_mode\\?"],
    ["[tls]\ncert = 'x'", "unknown key tls"],
    ["AUTH_MODE = 'open'", "unknown key AUTH_MODE, did you mean auth_mode\\?"],
    ["auth_mode = 1979-05-27", "in line 1 of .* is neither a text, a number"],
    ["auth_mode = [1]", "neither a text, a number"],
    ["auth_mode = 'open'\nauth_mode = 'open'", "is no TOML: line 2"],
    ["auth_mode = = 1", "is no TOML: line 1"],
    ["admin_token = 'secret'", "has the secret admin_token"],
    ["__proto__ = 'x'", "unknown key __proto__"],
  ])("SV12 a file with %j is refused: %s", async (toml, fault) => {
    expect(await faultOf({}, {}, toml)).toMatch(new RegExp(fault));
    expect(await faultOf({}, {}, toml)).not.toContain("'secret'");
  });

  test("SV12 each variable with a mistake in its name is refused, with the right name", async () => {
    for (const { name } of workers.filter((each) => each.name.length >= 9)) {
      const wrong = [
        `${name.slice(0, -2)}${name.slice(-1)}`,
        name.replaceAll("_", ""),
        `MUSTER_${name}`,
      ];
      for (const variable of wrong)
        if (variable !== name)
          expect([variable, await faultOf({}, { [variable]: "x" })]).toEqual([
            variable,
            expect.stringContaining(`${variable} of the environment is no setting, did you mean`),
          ]);
    }
    expect(await faultOf({}, { MUSTER_NONSENSE: "x" })).toContain("MUSTER_NONSENSE");
  });

  test.each([
    ["MUSTER_FOO", null],
    ["MUSTER_NONSENSE", null],
    ["MUSTER_LGO", "MUSTER_LOG"],
    ["MUSTER_PROT", "MUSTER_PORT"],
    ["MUSTER_HOSTS", "MUSTER_HOST"],
    ["MUSTER_TLS_CERTS", "MUSTER_TLS_CERT"],
    ["MUSTER_AUTH_MODE", "AUTH_MODE"],
  ])("SV12 %s is refused, and %s suggested", async (name, meant) => {
    const fault = await faultOf({}, { [name]: "x" });
    expect(fault).toContain(`the variable ${name} of the environment is no setting`);
    const [, found = null] = /did you mean (\w+)/.exec(fault) ?? [];
    expect(found).toBe(meant);
  });

  test("SV12 variables of other programs, and those of the command line, are left alone", async () => {
    const env = {
      ...process.env,
      HOST: "h",
      PORT: "1",
      MUSTER_URL: "http://x",
      MUSTER_TOKEN: "t",
      MUSTER_JOIN_KEY: "j",
      MUSTER_TASK_ID: "1",
      HOSTNAME: "h",
      LOGNAME: "l",
      SSH_AUTH_SOCK: "s",
      DISPLAY: ":0",
      // Of torch.distributed.
      MASTER_PORT: "1",
      MASTER_ADDR: "a",
    };
    const given = Object.fromEntries(
      Object.entries(env).map(([name, value]) => [name, value ?? ""]),
    );
    expect(await faultOf({}, given)).toBe("no error");
  });

  test("SV13 secrets come from the environment, from a file each, or from one file", async () => {
    const files = Object.fromEntries(
      await Promise.all(
        Object.entries(KEYS).map(async ([name, value]) => {
          const file = join(dir, name);
          await writeFile(file, `${value}\n`, { mode: 0o600 });
          return [`${name}_FILE`, file];
        }),
      ),
    ) as Env;
    const all = join(dir, "mesh.secrets");
    const text = Object.entries(KEYS).map(([name, value]) => `${name}=${value}\n`);
    await writeFile(all, `# of the mesh\n\n${text.join("")}`, { mode: 0o600 });
    expect((await settingsOf({}, KEYS)).secrets).toEqual(KEYS);
    expect((await settingsOf({}, files)).secrets).toEqual(KEYS);
    expect((await settingsOf({ secrets: all })).secrets).toEqual(KEYS);
    expect((await settingsOf({}, {}, `secrets = ${JSON.stringify(all)}`)).secrets).toEqual(KEYS);
    expect((await settingsOf({})).secrets).toEqual({});
    expect(
      (await settingsOf({ secrets: all }, { ADMIN_TOKEN: "other-token-00000" })).secrets,
    ).toEqual({
      ...KEYS,
      ADMIN_TOKEN: "other-token-00000",
    });
  });

  test("SV13 secrets are all given or none, each once, and no error shows one", async () => {
    const { ADMIN_TOKEN, ...others } = KEYS;
    expect(await faultOf({}, { ADMIN_TOKEN })).toMatch(/^ADMIN_TOKEN without MESH_IDENTITY_KEY/);
    expect(await faultOf({}, others)).toMatch(/without ADMIN_TOKEN/);
    const twice = { ...KEYS, ADMIN_TOKEN_FILE: join(dir, "ADMIN_TOKEN") };
    expect(await faultOf({}, twice)).toContain("ADMIN_TOKEN is given twice");
    const bad = join(dir, "bad.secrets");
    for (const line of ["ADMIN_TOKN=5ecret", "5ecret", "ADMIN_TOKEN 5ecret", "PATH=5ecret"]) {
      await writeFile(bad, `${line}\n`, { mode: 0o600 });
      expect(await faultOf({ secrets: bad })).toMatch(/^line 1 of /);
      expect(await faultOf({ secrets: bad })).not.toContain("5ecret");
    }
    expect(await faultOf({ secrets: join(dir, "none") })).toContain("does not exist");
  });

  describe.each([...SETTINGS, ...SECRETS.map(secretFileSetting)])(
    "CL65 $name",
    ({ name, flag, value: form, allowed }) => {
      const key = flag.replaceAll("-", "_");
      const values = BAD[name] ?? BAD_OF_FORM[form] ?? [];
      const config = () => join(dir, "muster.toml");
      // The file of settings can't name itself.
      const places = name === "MUSTER_CONFIG" ? ["flag", "variable"] : ["flag", "variable", "file"];

      test.each(places)(
        "as %s: a value that is not allowed is an error with value, source and what is allowed",
        async (place) => {
          expect(values.length).toBeGreaterThan(0);
          for (const [value, reason = ""] of values) {
            const toml = `# a comment\n${key} = ${JSON.stringify(value)}\n`;
            const [source, fault] =
              place === "flag"
                ? [`--${flag}`, await faultOf({ [flag]: value })]
                : place === "variable"
                  ? [`the variable ${name}`, await faultOfEnv({ [name]: value })]
                  : [`${key} in line 2 of ${config()}`, await faultOf({}, {}, toml)];
            const text = `${source} must be ${allowed}, not "${value.replace(/[?#].*/, "")}"`;
            expect(fault.slice(0, text.length)).toBe(text);
            expect(fault.slice(text.length)).toMatch(reason === "" ? /^$/ : new RegExp(reason));
          }
        },
      );
    },
  );

  test("CL65 an error shows nothing of a value that looks like a secret", async () => {
    for (const secret of [
      KEYS.MESH_IDENTITY_KEY,
      `mst_${"5e".repeat(32)}`,
      `${"Ab1".repeat(14)}b=`,
    ])
      for (const flag of ["mesh-name", "auth-mode", "peers-max", "cors-origins", "public-url"])
        expect(await faultOf({ [flag]: secret })).not.toContain(secret.slice(4, 20));
    expect(await faultOf({ "public-url": "https://me:5ecret@mesh.example" })).not.toMatch(/5ecret/);
  });

  test.each(SECRETS)(
    "CL65 %s with a bad value: the error names it and its source, and shows nothing of it",
    async (name) => {
      const bad = /KEY/.test(name) ? "5ecret" : /URL/.test(name) ? "5ecret.example" : "";
      const file = join(dir, "bad");
      await writeFile(file, bad === "" ? "5ecret" : bad, { mode: 0o600 });
      const given: Env = { ...KEYS, [name]: bad === "" ? "5ecret" : bad };
      // Any text is a token of Upstash's.
      if (name === "UPSTASH_REDIS_REST_TOKEN") return;
      const inline = await faultOf({}, given);
      expect(inline).toMatch(new RegExp(`^the variable ${name}: the secret ${name} is `));
      const { [name]: _, ...others } = given;
      const ofFile = await faultOf(
        { [`${name.toLowerCase().replaceAll("_", "-")}-file`]: file },
        others,
      );
      expect(ofFile).toMatch(
        new RegExp(`^--[a-z-]+-file, the file ${file}: the secret ${name} is `),
      );
      const all = join(dir, "all.secrets");
      const lines = Object.entries(given).map(([key, value]) => `${key}=${value}\n`);
      await writeFile(all, lines.join(""), { mode: 0o600 });
      const ofAll = await faultOf({}, { MUSTER_SECRETS: all });
      expect(ofAll).toMatch(
        new RegExp(`^the variable MUSTER_SECRETS, the file ${all}: the secret ${name} is `),
      );
      for (const fault of [inline, ofFile, ofAll]) expect(fault).not.toContain("5ecret");
    },
  );

  test.each([
    [{ "tls-key": THIS }, {}, "", "--tls-key is given without --tls-cert"],
    [{}, { MUSTER_TLS_CERT: THIS }, "", "the variable MUSTER_TLS_CERT is given without --tls-key"],
    [{}, {}, `tls_key = "${THIS}"`, "tls_key in line 1 of FILE is given without --tls-cert"],
    [{}, {}, 'config = "x"', "config in line 1 of FILE has no effect"],
    [{ log: "xml" }, { MUSTER_LOG: "json" }, "", "--log must be"],
    [{}, { MUSTER_LOG: "xml" }, 'log = "json"', "the variable MUSTER_LOG must be"],
    [{}, {}, "\n\nhost = 3", 'host in line 3 of FILE must be .*, not "3"'],
    [{}, {}, "mesh_name = [1]", "mesh_name in line 1 of FILE is neither a text"],
    [{}, {}, 'mesh_name = """\nport = 1\n"""\nport = "x"', "port in line 4 of FILE must be"],
    [
      {},
      {},
      "cors_origins = [\n 'localhost',\n '*']\n'port' = 'x'",
      "port in line 4 of FILE must be",
    ],
    [{}, {}, "# auth_mod\nauth_mod = 'open'", "line 2 of FILE has the unknown key auth_mod"],
  ] as const)("CL65 the error of %j %j %j names the place: %s", async (flags, env, toml, fault) => {
    const found = await faultOf(flags, env, toml);
    expect(found.replace(join(dir, "muster.toml"), "FILE")).toMatch(new RegExp(`^${fault}`));
  });
});
