/** HMAC-SHA256 of the body in one header: the form that most senders without a published scheme use. */
import { toBase64, toHex } from "../base/bytes.ts";
import { ok } from "../base/result.ts";
import type { SignatureHeader } from "../protocol/http.ts";
import { bodyClaim, signatureMissing, textKey, type SignatureScheme } from "./scheme.ts";

/** No time is signed, so the remark on replays in github.ts applies here too. */
export const hmacHeader = ({ header, encoding, prefix }: SignatureHeader): SignatureScheme => ({
  macKey: textKey,
  claim: (headers) => {
    const signature = headers.get(header);
    if (!signature) return signatureMissing(`the header ${header} is missing`);
    const encode = encoding === "hex" ? toHex : toBase64;
    return ok(bodyClaim(signature, (mac) => prefix + encode(mac)));
  },
});
