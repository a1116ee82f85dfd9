import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ConfigVariables } from "../../durable/config-variables.ts";
import { readSettings } from "../../server/settings/read-settings.ts";
import { givenSettings } from "../../src/cli/settings/setting-flags.ts";
import { SECRETS, SETTINGS } from "../../src/cli/settings/settings-table.ts";

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "muster-settings-"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

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

const KEYS = {
  ADMIN_TOKEN: "token-0123456789abcdef",
  MESH_IDENTITY_KEY: "11".repeat(32),
  MESH_DISCOVERY_KEY: "22".repeat(32),
  MESH_SIGNING_KEY: "33".repeat(32),
};

describe("the settings of a self-hosted mesh", () => {
  const workers = SETTINGS.filter(({ of }) => of === "worker");

  test("SV11 each setting is a flag, a variable and a key, in this order of precedence", async () => {
    for (const { name, flag } of workers) {
      const key = flag.replaceAll("-", "_");
      const from = async (flags: Env, env: Env) =>
        (await settingsOf(flags, env, `${key} = "file"`)).variables[name];
      expect([name, await from({}, {})]).toEqual([name, "file"]);
      expect([name, await from({}, { [name]: "" })]).toEqual([name, "file"]);
      expect([name, await from({}, { [name]: "env" })]).toEqual([name, "env"]);
      expect([name, await from({ [flag]: "flag" }, { [name]: "env" })]).toEqual([name, "flag"]);
    }
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
    ["auth_mode = 1979-05-27", "neither a text, a number"],
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
    expect(await faultOf({}, twice)).toContain("are both given");
    const bad = join(dir, "bad.secrets");
    for (const line of ["ADMIN_TOKN=5ecret", "5ecret", "ADMIN_TOKEN 5ecret", "PATH=5ecret"]) {
      await writeFile(bad, `${line}\n`, { mode: 0o600 });
      expect(await faultOf({ secrets: bad })).toMatch(/^line 1 of /);
      expect(await faultOf({ secrets: bad })).not.toContain("5ecret");
    }
    expect(await faultOf({ secrets: join(dir, "none") })).toContain("does not exist");
  });

  test.each([
    [{ port: "65536" }, "--port must be"],
    [{ port: "-1" }, "--port must be"],
    [{ port: "8787x" }, "--port must be"],
    [{ log: "xml" }, "--log must be"],
    [{ "tls-key": "k" }, "--tls-key is given without --tls-cert"],
    [{ config: "/nonexistent/muster.toml" }, "does not exist"],
  ])("SV12 %j is refused: %s", async (flags, fault) => {
    expect(await faultOf(flags as Env)).toContain(fault);
  });

  test.each([
    [{ port: "x" }, {}, "", "--port must be"],
    [{}, { MUSTER_PORT: "x" }, "", "MUSTER_PORT must be"],
    [{}, {}, 'port = "x"', "port in FILE must be"],
    [{ log: "xml" }, { MUSTER_LOG: "json" }, "", "--log must be"],
    [{}, { MUSTER_LOG: "xml" }, 'log = "json"', "MUSTER_LOG must be"],
    [{}, {}, 'log = "xml"', "log in FILE must be"],
  ] as const)("SV12 the error names where %j %j %s was set", async (flags, env, toml, fault) => {
    const found = await faultOf(flags, env, toml);
    expect(found.replace(join(dir, "muster.toml"), "FILE")).toMatch(new RegExp(`^${fault}`));
  });

  test("SV19 the table has every variable and secret of the Worker, and docs/configuration.md an entry for each", async () => {
    const ofWorker = [...workers.map(({ name }) => name), ...SECRETS];
    expect(ofWorker.toSorted()).toEqual(Object.keys(ConfigVariables.shape).toSorted());
    const doc = await readFile(join(import.meta.dirname, "../../docs/configuration.md"), "utf8");
    const entries = [...doc.matchAll(/^- (`[A-Z].*?`):? /gm)].flatMap(([line]) =>
      [...line.matchAll(/`([A-Z][A-Z0-9_]+)`/g)].map(([, name]) => name),
    );
    for (const name of [...SETTINGS.map((setting) => setting.name), ...SECRETS])
      expect(doc).toMatch(new RegExp(`\`${name}\``));
    const replica = ["MESH_VERIFYING_KEY", "REPLICA_KEPT_BYTES"];
    const known = [...SETTINGS.map(({ name }) => name), ...SECRETS, ...replica];
    expect(entries.filter((name) => !known.includes(name ?? ""))).toEqual([]);
  });
});
