import { utf8, type Bytes } from "../../base/bytes.ts";
import { HELD_TASKS_MAX, HELLO_BYTES_MAX, KEY_BYTES } from "../../protocol/constants.ts";
import type { Hello } from "../../protocol/messages.ts";
import type { DialOptions } from "./connection.ts";

/** Poly1305's, of which Noise's third message holds two: behind the static key, and behind the hello. */
const TAG_BYTES = 16;
const ROOM = HELLO_BYTES_MAX - KEY_BYTES - 2 * TAG_BYTES;

/**
 * What a peer says of itself in the handshake's third message. Where the attempts that it still works on find no room beside
 * the rest, it does not say which: a list cut short would have the mesh take back those left out, and one too long would
 * keep the peer out for as long as it works.
 */
export function helloBytes({
  hello,
  joinKey,
  held,
}: Pick<DialOptions, "hello" | "joinKey" | "held">): Bytes {
  const { name, role, capabilities, slots, prefetch } = hello;
  const said: Hello = {
    name,
    role,
    capabilities: [...capabilities],
    slots,
    prefetch,
    ...(joinKey !== null && { join_key: joinKey }),
    client: "muster-sdk/1",
  };
  const whole = utf8(JSON.stringify({ ...said, held: held.slice(0, HELD_TASKS_MAX) }));
  return whole.length <= ROOM ? whole : utf8(JSON.stringify(said));
}
