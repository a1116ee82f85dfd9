import { FRAME_BYTES_MAX, HELLO_BYTES_MAX } from "./constants.ts";

/**
 * What a muster.2 peer may say in its hello about the largest WebSocket frame that it takes (`max_frame`, in bytes of ciphertext with
 * its tag). Every message that has no text of a caller's fits the least value, and so does the handshake. Stock Noise libraries take
 * 65,535.
 */
export const MAX_FRAME_LEAST = HELLO_BYTES_MAX;
export const MAX_FRAME_MOST = FRAME_BYTES_MAX;
