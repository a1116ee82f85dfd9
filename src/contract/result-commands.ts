import type { Json } from "../base/json.ts";
import type { ResultExtra } from "../registry/task-results.ts";
import type { Nothing, OfAttempt, OfTask } from "./inputs.ts";

/** Large results, on their way past the coordinator into the store. */
export interface ResultCommands {
  begin_result: {
    input: Omit<OfAttempt, "epoch">;
    /** `sealed`: it must be, to its caller's key. `blobId`: where it shall lie. */
    output: { readonly sealed: boolean; readonly blobId: string };
  };
  commit_result: {
    input: Omit<OfAttempt, "epoch"> & {
      readonly blobId: string;
      readonly bytes: number;
      /** In base64. */
      readonly sha256: string;
    };
    output: Nothing;
  };
  read_result: {
    input: OfTask;
    output: { readonly result: Json; readonly extra: ResultExtra };
  };
}
