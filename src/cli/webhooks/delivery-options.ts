import type { z } from "zod";
import type { WebhookSourceBody } from "../../protocol/http.ts";
import { countOption, type Details, type Values } from "../args.ts";

type SourceInput = z.input<typeof WebhookSourceBody>;

/** The options that say how large a source's deliveries and tasks may be, and which deliveries are the same. */
export const DELIVERY_OPTIONS = {
  "max-bytes": { type: "string" },
  "max-body-bytes": { type: "string" },
  "identity-path": { type: "string" },
  "identity-bucket": { type: "string" },
} as const;

type DeliveryValues = Values<typeof DELIVERY_OPTIONS>;

export const DELIVERY_DETAILS: Details = [
  ["--max-body-bytes N", "the largest body that is read, up to 25 MiB; none: the scheme's default"],
  [
    "--identity-path PATH",
    "where an event has its ID: the same ID is the same task; none: no path",
  ],
  ["--identity-bucket SECONDS", "the same body is the same task for so long; none: no such span"],
  ["--max-bytes N", "bytes that its tasks that have not ended may have; none: the default"],
];

export const deliveryLimitsOf = (
  values: DeliveryValues,
): Pick<SourceInput, "max_bytes" | "max_body_bytes" | "identity"> => ({
  ...bytesOf("max_bytes", "max-bytes", values["max-bytes"]),
  ...bytesOf("max_body_bytes", "max-body-bytes", values["max-body-bytes"]),
  ...identityOf(values),
});

function bytesOf(field: "max_bytes" | "max_body_bytes", option: string, text: string | undefined) {
  if (text === undefined) return {};
  return { [field]: text === "none" ? null : (countOption(option, text) ?? null) };
}

/** The identity that the options state; `none` removes what the source has. */
function identityOf(values: DeliveryValues): Pick<SourceInput, "identity"> {
  const [path, bucket] = [values["identity-path"], values["identity-bucket"]];
  if (path === undefined && bucket === undefined) return {};
  const given = {
    ...(path !== undefined && path !== "none" && { path }),
    ...(bucket !== undefined &&
      bucket !== "none" && { bucket_seconds: countOption("identity-bucket", bucket) }),
  };
  return { identity: Object.keys(given).length === 0 ? null : given };
}
