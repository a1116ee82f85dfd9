import { WEBHOOK_BODY_BYTES_DEFAULT, WEBHOOK_BODY_BYTES_MAX } from "../protocol/constants.ts";
import type { WebhookScheme } from "../protocol/http.ts";

/**
 * The largest body that is read for a source. GitHub documents payloads of up to 25 MB, and sends no second time what was refused. The
 * other senders document no limit above 1 MiB.
 */
export const bodyBytesMaxOf = ({
  scheme,
  maxBodyBytes,
}: {
  readonly scheme: WebhookScheme;
  readonly maxBodyBytes: number | null;
}): number =>
  maxBodyBytes ?? (scheme === "github" ? WEBHOOK_BODY_BYTES_MAX : WEBHOOK_BODY_BYTES_DEFAULT);
