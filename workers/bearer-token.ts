const BEARER = /^Bearer +([A-Za-z0-9._~+/=-]{1,512})$/i;

/** The bearer token in an Authorization header; undefined if there is none of a valid form. */
export const bearerToken = (authorization: string | undefined): string | undefined =>
  BEARER.exec(authorization ?? "")?.[1];
