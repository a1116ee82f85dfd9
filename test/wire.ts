import { JsonText } from "../src/base/json-text/json-text.ts";
import { writeJson } from "../src/base/json-text/write-json.ts";

/** A message as it is on the wire, parsed: a `JsonText` in it as the value that its text stands for. */
export const wire = <T>(message: T): T => JSON.parse(writeJson(message)) as T;

/** What a sender puts in place of a value. */
export const jsonText = (value: unknown): JsonText => new JsonText(JSON.stringify(value));
