/** `npx vitest run --project core test/protocol/implementers -u` renews the files of docs/schema. */
import { globSync } from "node:fs";
import { expect, test } from "vitest";
import { jsonSchemaOf, SCHEMAS } from "./message-schemas.ts";

const FOLDER = new URL("../../../docs/schema/", import.meta.url).pathname;

test.each(Object.entries(SCHEMAS))(
  "PR4 docs/schema/%s.json is the schema that the code reads by",
  async (name, schema) => {
    const text = `${JSON.stringify(jsonSchemaOf(name, schema), null, 2)}\n`;
    await expect(text).toMatchFileSnapshot(`${FOLDER}${name}.json`);
  },
);

test("PR4 docs/schema has no other file", () => {
  const names = globSync("*.json", { cwd: FOLDER }).map((file) => file.replace(/\.json$/, ""));
  expect(names.toSorted()).toEqual(Object.keys(SCHEMAS).toSorted());
});

test("PR4 no schema of a message refuses unknown fields", () => {
  const texts = Object.entries(SCHEMAS).map(([name, schema]) =>
    JSON.stringify(jsonSchemaOf(name, schema)),
  );
  expect(texts.filter((text) => text.includes("additionalProperties"))).toEqual([]);
});
