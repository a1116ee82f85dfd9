import { StmfError, type StmfErrorCode } from "../../src/stmf/index.ts";

/** The code that a call is refused with; any other outcome fails the test, an untagged throw first of all. */
export async function faultOf(outcome: Promise<unknown>): Promise<StmfErrorCode> {
  try {
    await outcome;
  } catch (error) {
    if (error instanceof StmfError) return error.code;
    throw error;
  }
  throw new Error("unexpectedly fulfilled");
}
