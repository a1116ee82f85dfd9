/** go-p2p's `error` codes in generation 1, and over muster.2. */
export const GO_P2P_ERROR = {
  unknown: 1000,
  invalidMessage: 1001,
  unauthorized: 1002,
  notFound: 1003,
  operationFailed: 1004,
  timeout: 1005,
} as const;

/** go-p2p's `error` codes by generation. The second has no codes of their own for an invalid message and for a timeout. */
export const GO_P2P_ERRORS = {
  unknown: { 1: GO_P2P_ERROR.unknown, 2: 0 },
  invalidMessage: { 1: GO_P2P_ERROR.invalidMessage, 2: 0 },
  unauthorized: { 1: GO_P2P_ERROR.unauthorized, 2: 6 },
  notFound: { 1: GO_P2P_ERROR.notFound, 2: 1 },
  operationFailed: { 1: GO_P2P_ERROR.operationFailed, 2: 4 },
  timeout: { 1: GO_P2P_ERROR.timeout, 2: 4 },
} as const;
export type GoP2pErrorCodes = (typeof GO_P2P_ERRORS)[keyof typeof GO_P2P_ERRORS];
