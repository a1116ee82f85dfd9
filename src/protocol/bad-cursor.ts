import type { MusterError } from "./errors.ts";

export const BAD_CURSOR: MusterError = {
  code: "invalid_request",
  detail: "cursor: use the next_cursor of the previous page",
};
