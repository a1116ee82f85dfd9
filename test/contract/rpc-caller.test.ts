import { describe, expect, test } from "vitest";
import { COMMAND_CALLERS, type CommandName } from "../../src/contract/commands.ts";
import { refuseRpcCaller } from "../../src/contract/rpc-caller.ts";

const ACTORS = {
  session: ["peer:00112233445566778899aabbccddeeff", "dial:d1"],
  gateway: ["admin", "anonymous", "token:t1"],
  mesh: ["mesh"],
  unknown: ["", "peer", "operator", "admin:peer"],
} as const;

const COMMANDS = Object.keys(COMMAND_CALLERS) as CommandName[];

describe("a command that arrives by RPC", () => {
  test.each(COMMANDS)("%s is accepted from its stated caller alone", (command) => {
    for (const [caller, actors] of Object.entries(ACTORS)) {
      for (const actor of actors) {
        const refusal = refuseRpcCaller(actor, command);
        if (caller === COMMAND_CALLERS[command] && caller !== "mesh") expect(refusal).toBeNull();
        else expect(refusal).toMatchObject({ code: "forbidden" });
      }
    }
  });

  test("a command of an unknown name is refused", () => {
    expect(refuseRpcCaller("admin", "no_such_command" as CommandName)).not.toBeNull();
  });
});
