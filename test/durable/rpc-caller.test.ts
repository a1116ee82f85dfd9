import { expect, test } from "vitest";
import type { CellAnswer } from "../../durable/rpc.ts";
import { RPC_VERSION } from "../../src/protocol/constants.ts";
import { coordinatorStub } from "./api.ts";

test.each([
  ["a session sends a gateway command", "peer:00112233445566778899aabbccddeeff", "list_tokens"],
  ["the gateway sends a session command", "admin", "gone"],
  ["another cell sends a gateway command", "cell:1", "list_tokens"],
  ["the gateway sends a command of another cell", "admin", "receive_messages"],
  ["a command of the mesh itself arrives by RPC", "mesh", "tick"],
] as const)("the coordinator answers an error and does nothing when %s", async (_, actor, name) => {
  const commands = [{ name, input: {} as never }];
  const to = { cell: 0, topology: 0 };
  const called: Promise<CellAnswer> = coordinatorStub().execute(RPC_VERSION, actor, commands, to);
  expect(await called).toMatchObject([{ ok: false, error: { code: "forbidden" } }]);
});
