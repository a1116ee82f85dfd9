import { join } from "node:path";
import { expect, test } from "vitest";
import { MODULES, shapesModule } from "./shapes-module.ts";

const FOLDER = join(import.meta.dirname, "../../../src/protocol/shapes");

test.each(Object.entries(MODULES))(
  "SK27 the shapes of the SDK are those of the mesh's schemas: %s; `npx vitest run --project core test/client/shapes -u` renews them",
  async (name, shapes) => {
    await expect(shapesModule(shapes)).toMatchFileSnapshot(join(FOLDER, `${name}.ts`));
  },
);
