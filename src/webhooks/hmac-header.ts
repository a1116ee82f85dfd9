/** HMAC-SHA256 of the body in one header: the form that most senders without a published scheme use. */
import { toBase64, toHex, type Bytes } from "../base/bytes.ts";
import { ok, type Result } from "../base/result.ts";
import { hmacSha256 } from "../crypto/primitives.ts";
import type { ApiError } from "../protocol/errors.ts";
import type { SignatureHeader } from "../protocol/http.ts";
import {
  anyEquals,
  bodyId,
  NO_MATCH,
  signatureInvalid,
  signatureMissing,
  textKey,
  type Delivery,
  type SignatureScheme,
  type Verified,
} from "./scheme.ts";

export const hmacHeader = (form: SignatureHeader): SignatureScheme => ({
  macKey: textKey,
  verify: (key, delivery) => verify(form, key, delivery),
});

/** No time is signed, so the remark on replays in github.ts applies here too. */
function verify(
  { header, encoding, prefix }: SignatureHeader,
  key: Bytes,
  { headers, body }: Delivery,
): Result<Verified, ApiError> {
  const signature = headers.get(header);
  if (!signature) return signatureMissing(`the header ${header} is missing`);
  const mac = hmacSha256(key, body);
  const expected = prefix + (encoding === "hex" ? toHex(mac) : toBase64(mac));
  return anyEquals([signature], expected) ? ok(bodyId(body)) : signatureInvalid(NO_MATCH);
}
