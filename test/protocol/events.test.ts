import { readFileSync } from "node:fs";
import { expect, expectTypeOf, test } from "vitest";
import { EVENT_TYPES } from "../../src/protocol/event-types.ts";
import type { MeshEvent } from "../../src/protocol/events.ts";
import {
  AdmissionEventView,
  CircuitEventView,
  PeerEventView,
  TaskEventView,
  type EventView,
} from "../../src/protocol/http.ts";

const page = readFileSync(new URL("../../docs/events.md", import.meta.url).pathname, "utf8");
const sectionOf = (title: string): string => {
  const begin = page.indexOf(`### ${title}\n`);
  expect(begin).toBeGreaterThan(0);
  return page.slice(begin, page.indexOf("\n##", begin + 4));
};

test("EV7 the events of the API are those of the mesh, with a position and a time", () => {
  expectTypeOf<EventView["type"]>().toEqualTypeOf<MeshEvent["type"]>();
  expectTypeOf<MeshEvent & { id: string; at: string }>().toExtend<EventView>();
});

test.each([
  ["Tasks", TaskEventView],
  ["Peers", PeerEventView],
  ["Admission", AdmissionEventView],
  ["Circuits", CircuitEventView],
])("EV7 docs/events.md has every type and every field of the section %s", (title, schema) => {
  const named = new Set([...sectionOf(title).matchAll(/`([a-z._]+)`/g)].map(([, name]) => name));
  const { type, id: _, at: __, ...fields } = schema.shape;
  const known: string[] = [...type.options, ...Object.keys(fields)];
  expect(known.filter((name) => !named.has(name))).toEqual([]);
  const types = [...named].filter((name) => name?.includes("."));
  expect(types.filter((name) => !(EVENT_TYPES as readonly unknown[]).includes(name))).toEqual([]);
});
