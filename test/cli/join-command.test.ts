import { describe, expect, test } from "vitest";
import { joinCommand, withFile, withVariable } from "../../src/cli/join-command.ts";

const KEY = "ab".repeat(32);
const linkTo = (host: string) => ({ link: `muster://${host}/#${KEY}&join=mjk_1`, key: "mjk_1" });

describe("the command with which a peer joins by a join key", () => {
  test.each([
    ["https://mesh.example", "mesh.example"],
    ["https://mesh.example:8443/", "mesh.example:8443"],
    ["wss://mesh.example", "mesh.example"],
    ["http://127.0.0.1:8787", "127.0.0.1:8787"],
    ["http://localhost:8787", "localhost:8787"],
  ])("AD62 is the link where the link leads to the mesh (%s)", (url, host) => {
    const created = linkTo(host);
    const command = joinCommand(url, created);
    expect(withVariable(command)).toBe(`MUSTER_LINK='${created.link}' npx muster join`);
    expect(withFile(command, "a.link")).toBe("npx muster join --link-file a.link");
  });

  test.each([
    ["http://192.168.1.5:8787", "192.168.1.5:8787"],
    ["http://mesh.local:8787/", "mesh.local:8787"],
    // A proxy that changed the Host header.
    ["https://mesh.example", "10.0.0.7:8080"],
    ["https://proxy.example/mesh/", "mesh.example"],
  ])(
    "AD62 names URL, mesh key and join key where a link would lead elsewhere (%s)",
    (url, host) => {
      const base = url.endsWith("/") ? url : `${url}/`;
      const command = joinCommand(url, linkTo(host));
      const join = `npx muster join ${base} --mesh-key ${KEY}`;
      expect(withVariable(command)).toBe(`MUSTER_JOIN_KEY='mjk_1' ${join}`);
      expect(withFile(command, "it's")).toBe(`${join} --join-key-file 'it'\\''s'`);
    },
  );

  test.each([
    { ...linkTo("mesh.example"), link: `muster://mesh.example/#${KEY}&join=mjk_1'; true '` },
    { ...linkTo("mesh.example/$(true)") },
    { ...linkTo("mesh.example"), key: "mjk_1; true" },
    { ...linkTo("mesh.example"), key: "mjk_1\ntrue" },
    { ...linkTo("mesh.example"), link: "" },
    { ...linkTo("mesh.example"), link: "https://mesh.example" },
  ])("AD62 contains nothing that a shell would run, whatever the mesh answers", (created) => {
    for (const url of ["https://mesh.example", "http://192.168.1.5"])
      expect(() => joinCommand(url, created)).toThrow("not valid");
  });
});
