import { expect, test } from "vitest";
import { RPC_VERSION } from "../../src/protocol/constants.ts";
import { coordinatorStub } from "./api.ts";

test.each([
  ["a session sends a gateway command", "peer:00112233445566778899aabbccddeeff", "list_tokens"],
  ["the gateway sends a session command", "admin", "gone"],
  ["a command of the mesh itself arrives by RPC", "mesh", "tick"],
] as const)("the coordinator answers an error and does nothing when %s", async (_, actor, name) => {
  const commands = [{ name, input: {} as never }];
  const results = coordinatorStub().execute(RPC_VERSION, actor, commands);
  await expect(results).resolves.toMatchObject([{ ok: false, error: { code: "forbidden" } }]);
});
