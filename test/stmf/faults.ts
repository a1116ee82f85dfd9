import { StmfError, type StmfErrorCode } from "../../src/stmf/index.ts";

/** The code of the StmfError that a call throws. Any other outcome fails the test, including other exceptions. */
export async function faultOf(outcome: Promise<unknown>): Promise<StmfErrorCode> {
  try {
    await outcome;
  } catch (error) {
    if (error instanceof StmfError) return error.code;
    throw error;
  }
  throw new Error("unexpectedly fulfilled");
}
