import { describe, expect, test } from "vitest";
import { startText, type StartedMesh } from "../../src/cli/start-text.ts";
import { AUTH_MODES } from "../../src/protocol/http.ts";

const text = (mesh: Partial<StartedMesh>): string =>
  startText({
    url: "http://192.168.1.5:8787",
    meshKey: "ab".repeat(32),
    secretsFile: "/mesh/secrets.env",
    stateFolder: "/mesh/state",
    mode: "allowlist",
    startingMode: "allowlist",
    isLoopback: false,
    ...mesh,
  }).join("\n");

describe("the text of `muster start`", () => {
  test("AD61 says how to admit the first peer of an allowlist, and no command that would be refused", () => {
    const said = text({});
    expect(said).toContain("auth mode    allowlist");
    expect(said).toContain("npx muster join-key create");
    expect(said).toContain("npx muster allow PUBLIC_KEY");
    expect(said).not.toContain("npx muster join ");
  });

  test("AD61 says that strangers read payloads where the mesh is open and others reach it", () => {
    const said = text({ mode: "open", startingMode: "open" });
    expect(said).toMatch(
      /auth mode {4}open: ANYONE who reaches this address .* reads the payloads/,
    );
    expect(said).toContain("npx muster join http://192.168.1.5:8787 --mesh-key abab");
    const here = text({ mode: "open", startingMode: "open", isLoopback: true });
    expect(here).toMatch(/auth mode {4}open: any program on this machine .* reads the payloads/);
  });

  test.each(AUTH_MODES.flatMap((mode) => AUTH_MODES.map((starting) => [mode, starting] as const)))(
    "AD61 shows the mode in force (%s) on an address whose default is %s, and how to change it",
    (mode, startingMode) => {
      const said = text({ mode, startingMode });
      expect(said).toContain(`auth mode    ${mode}: `);
      const change = `npx muster mesh auth-mode ${startingMode}`;
      if (mode === startingMode) expect(said).not.toContain("mesh auth-mode");
      else expect(said).toContain(change);
    },
  );
});
