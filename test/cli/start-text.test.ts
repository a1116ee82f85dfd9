import { describe, expect, test } from "vitest";
import { startText, type StartedMesh } from "../../src/cli/start-text.ts";
import { AUTH_MODES } from "../../src/protocol/http.ts";

const text = (mesh: Partial<StartedMesh>): string =>
  startText({
    url: "http://192.168.1.5:8787",
    meshKey: "ab".repeat(32),
    dir: ".muster",
    secretsFile: "/mesh/secrets.env",
    stateFolder: "/mesh/state",
    mode: "allowlist",
    startingMode: "allowlist",
    publicUrl: null,
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

  test("calls no command remote that only this machine can use", () => {
    const open = { mode: "open", startingMode: "open" } as const;
    expect(text({ ...open, isLoopback: true, url: "http://127.0.0.1:8787" })).not.toMatch(/remote/);
    expect(text(open)).toContain("Join it remotely:");
  });

  test.each(AUTH_MODES.flatMap((mode) => AUTH_MODES.map((starting) => [mode, starting] as const)))(
    "each command that finds the mesh by its folder names a folder other than the default (%s, %s)",
    (mode, startingMode) => {
      const commands = (dir: string): string[] =>
        [...text({ dir, mode, startingMode }).matchAll(/npx muster [^#`\n]*/g)]
          .map(([command]) => command.trim())
          .filter((command) => !command.includes("http://"));
      expect(commands(".muster").length).toBeGreaterThan(1);
      for (const command of commands(".muster")) expect(command).not.toContain("--dir");
      for (const command of commands("/srv/my mesh"))
        expect(command).toMatch(/ --dir '\/srv\/my mesh'$/);
    },
  );

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
