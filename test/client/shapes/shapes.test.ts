import { join } from "node:path";
import { expect, test } from "vitest";
import { shapesModule } from "./shapes-module.ts";

test("SK27 the shapes of the SDK are those of the mesh's schemas; `npx vitest run --project core test/client/shapes -u` renews them", async () => {
  const file = join(import.meta.dirname, "../../../src/protocol/shapes.ts");
  await expect(shapesModule()).toMatchFileSnapshot(file);
});
