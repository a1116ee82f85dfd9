import type { MusterError } from "./errors.ts";

export const BAD_CURSOR: MusterError = {
  code: "invalid_request",
  detail:
    "cursor: this list has not given it; use the next_cursor of the previous page of the same list",
};
