import type { DeliveryView } from "../../../src/protocol/http.ts";
import { ApiError } from "./api-error.ts";
import { errorOf } from "./mesh-api.ts";

const TIMEOUT_MS = 30_000;

/**
 * Delivers an event to a webhook source as a sender would: without the token of the session. Resolves to null for an answer that has no
 * outcome: that to Slack, and those to checks of the address. A refused delivery rejects, and does not end the session.
 */
export async function deliver(
  name: string,
  headers: Readonly<Record<string, string>>,
  body: string,
): Promise<DeliveryView | null> {
  const given = new Headers({ "content-type": "application/json", ...headers });
  let answer: Response;
  try {
    answer = await fetch(`/v1/webhooks/${encodeURIComponent(name)}`, {
      method: "POST",
      headers: given,
      body,
      signal: AbortSignal.timeout(TIMEOUT_MS),
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      referrerPolicy: "no-referrer",
    });
  } catch {
    throw new ApiError(0, "no_answer", "the mesh does not answer");
  }
  const text = await answer.text();
  if (!answer.ok) throw errorOf(answer.status, text);
  return answer.status === 202 ? (JSON.parse(text) as DeliveryView) : null;
}
