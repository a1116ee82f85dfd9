/** The JSON Schemas of docs/schema: the envelope, the hello, and each message of a muster.2 session whose payload has a form. */
import { z } from "zod";
import { Envelope } from "../../../src/protocol/envelope.ts";
import {
  Hello,
  isMessageType,
  PAYLOADS,
  type MessageType,
} from "../../../src/protocol/messages.ts";

/** Messages of go-p2p's own handshake and gossip: a muster.2 session refuses them. */
const NOT_OF_MUSTER_2: readonly MessageType[] = ["handshake", "handshake_ack", "content_event"];
/** Requests that the mesh relays to a peer, and their replies: any JSON. */
const FREE_FORM: readonly MessageType[] = [
  "get_stats",
  "stats",
  "start_miner",
  "stop_miner",
  "miner_ack",
  "deploy",
  "deploy_ack",
  "get_logs",
  "logs",
];

/** Every message type that a muster.2 session may carry. */
export const MESSAGE_TYPES: readonly MessageType[] = Object.keys(PAYLOADS)
  .filter(isMessageType)
  .filter((type) => !NOT_OF_MUSTER_2.includes(type));

export const SCHEMAS: Readonly<Record<string, z.ZodType>> = {
  envelope: Envelope,
  hello: Hello,
  ...Object.fromEntries(
    MESSAGE_TYPES.filter((type) => !FREE_FORM.includes(type)).map((type) => [type, PAYLOADS[type]]),
  ),
};

/** What a sender may write. A value that the reader replaces by another one is no default of the field. */
export const jsonSchemaOf = (title: string, schema: z.ZodType): z.core.JSONSchema.BaseSchema => ({
  ...z.toJSONSchema(schema, {
    io: "input",
    target: "draft-2020-12",
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema._zod.def.type === "catch") delete jsonSchema.default;
    },
  }),
  title,
});
