import { afterAll } from "vitest";
import { sealedFormsSuite } from "../contracts/sealed-forms.suite.ts";
import { startSite } from "./site.ts";

const site = await startSite();
afterAll(() => site.close());

sealedFormsSuite("Node, over HTTP", (path, init) => fetch(`${site.url}${path}`, init));
