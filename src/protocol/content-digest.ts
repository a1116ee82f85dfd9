const FIELD = /^sha-256=:([A-Za-z0-9+/=]+):$/;

/** A `Content-Digest` field (RFC 9530) with one SHA-256, given in base64. */
export const contentDigest = (sha256: string): string => `sha-256=:${sha256}:`;

/** The base64 SHA-256 in such a field; undefined when the field has another form. */
export const readContentDigest = (field: string): string | undefined => FIELD.exec(field)?.[1];
