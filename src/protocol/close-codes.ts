/** WebSocket close codes of Muster. After 4403 and 4409 a client does not reconnect automatically. */
export const CLOSE = {
  normal: 1000,
  bad: 4400,
  handshake: 4401,
  denied: 4403,
  timeout: 4408,
  superseded: 4409,
  rate: 4429,
  draining: 4503,
} as const;
export type CloseCode = (typeof CLOSE)[keyof typeof CLOSE];
