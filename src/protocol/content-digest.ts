const FIELD = /^sha-256=:([A-Za-z0-9+/=]+):$/;

/** `Content-Digest` (RFC 9530) with one SHA-256, given in base64. */
export const contentDigest = (sha256: string): string => `sha-256=:${sha256}:`;

/** The SHA-256 in base64 that such a field names; undefined when it is none of this form. */
export const readContentDigest = (field: string): string | undefined => FIELD.exec(field)?.[1];
