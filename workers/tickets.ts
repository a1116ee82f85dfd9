import type { MusterError } from "../src/protocol/errors.ts";
import { failure } from "./address-budgets.ts";
import type { AppContext } from "./context.ts";

export const NO_TICKET: MusterError = {
  code: "unauthorized",
  detail:
    "send the header Authorization: Bearer TICKET, with the ticket that is made from the secret that came with the task",
};

/** A request without a valid ticket counts against the budget of its address. */
export const noTicket = (c: AppContext, error: MusterError): MusterError =>
  failure(c, "authorizations", error);
