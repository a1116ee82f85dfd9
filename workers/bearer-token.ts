const BEARER = /^Bearer +([A-Za-z0-9._~+/=-]{1,512})$/i;

/** The bearer token in a header, if it has the form of one. */
export const bearerToken = (authorization: string | undefined): string | undefined =>
  BEARER.exec(authorization ?? "")?.[1];
