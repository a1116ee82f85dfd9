/** Sample events for the try-out of a webhook source. */
import type { WebhookScheme } from "../../../src/protocol/http.ts";

export interface SampleEvent {
  /** JSON. */
  readonly body: string;
  /** One `name: value` in each line. */
  readonly headers: string;
}

/** An event as senders of a scheme send it. `id`: what makes it another event than the sample before. */
export function sampleEvent(scheme: WebhookScheme, id: string, seconds: number): SampleEvent {
  const [event, headers = ""] = SAMPLES[scheme](id, seconds);
  return { body: JSON.stringify(event, null, 2), headers };
}

type Sample = (id: string, seconds: number) => readonly [event: unknown, headers?: string];

const timeText = (seconds: number): string => new Date(seconds * 1_000).toISOString();

const SAMPLES: Readonly<Record<WebhookScheme, Sample>> = {
  github: (id) => [
    {
      ref: "refs/heads/main",
      before: "0".repeat(40),
      after: id.padEnd(40, "0"),
      repository: { id: 1, name: "example", full_name: "octocat/example" },
      pusher: { name: "octocat" },
      head_commit: { id: id.padEnd(40, "0"), message: "A sample commit" },
    },
    `x-github-event: push\nx-github-delivery: ${id}`,
  ],
  stripe: (id, seconds) => [
    {
      id: `evt_${id}`,
      object: "event",
      created: seconds,
      type: "payment_intent.succeeded",
      livemode: false,
      data: {
        object: { id: `pi_${id}`, object: "payment_intent", amount: 2_000, currency: "usd" },
      },
    },
  ],
  slack: (id, seconds) => [
    {
      type: "event_callback",
      team_id: "T0001",
      event_id: `Ev${id}`,
      event_time: seconds,
      event: { type: "message", channel: "C0001", user: "U0001", text: "A sample message" },
    },
  ],
  "standard-webhooks": (id, seconds) => [
    { type: "sample.created", timestamp: timeText(seconds), data: { id } },
  ],
  hmac: (id, seconds) => [{ id, type: "sample.created", created_at: timeText(seconds) }],
};

/** The headers of lines with `name: value`; throws for a line without a colon. */
export function headersOf(text: string): Readonly<Record<string, string>> {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf(":");
      if (at <= 0)
        throw new Error(`A header has the form NAME: VALUE, not ${JSON.stringify(line)}.`);
      return [line.slice(0, at).trim().toLowerCase(), line.slice(at + 1).trim()];
    }),
  );
}
