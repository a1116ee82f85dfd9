import { utf8, type Bytes } from "../../base/bytes.ts";
import { HELD_TASKS_MAX, HELLO_BYTES_MAX, KEY_BYTES } from "../../protocol/constants.ts";
import type { Hello } from "../../protocol/messages.ts";
import type { ConnectOptions } from "./connection.ts";

/** Noise's third message holds two Poly1305 tags: one after the static key, one after the hello. */
const TAG_BYTES = 16;
const HELLO_JSON_BYTES_MAX = HELLO_BYTES_MAX - KEY_BYTES - 2 * TAG_BYTES;

/**
 * The hello of the handshake's third message. If the list of held attempts does not fit, it is left out whole: the mesh
 * would take back the attempts that a shortened list omits, and it refuses a hello that is too long.
 */
export function helloBytes({
  profile,
  joinKey,
  heldTasks,
}: Pick<ConnectOptions, "profile" | "joinKey" | "heldTasks">): Bytes {
  const { name, role, capabilities, kinds, slots, prefetch, maxFrame } = profile;
  const hello: Hello = {
    name,
    role,
    capabilities: [...capabilities],
    kinds: [...kinds],
    slots,
    prefetch,
    ...(joinKey !== null && { join_key: joinKey }),
    ...(maxFrame !== undefined && { max_frame: maxFrame }),
    client: "muster-sdk/1",
  };
  const withTasks = utf8(JSON.stringify({ ...hello, held: heldTasks.slice(0, HELD_TASKS_MAX) }));
  return withTasks.length <= HELLO_JSON_BYTES_MAX ? withTasks : utf8(JSON.stringify(hello));
}
