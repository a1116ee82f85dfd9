import { join } from "node:path";
import { expect, test } from "vitest";
import { pythonModules } from "./answers-module.ts";

const FOLDER = join(import.meta.dirname, "../../python/src/muster/_answers");

test.each([...pythonModules()])(
  "PY40 the answers of the Python SDK are those of the mesh's schemas: %s; `npx vitest run --project core test/python -u` renews them",
  async (name, text) => {
    await expect(text).toMatchFileSnapshot(join(FOLDER, `${name}.py`));
  },
);
