import { afterAll } from "vitest";
import { sealedFormsSuite } from "../contracts/sealed-forms.suite.ts";
import { startSite } from "./site.ts";

const { url, close } = await startSite();
afterAll(close);

sealedFormsSuite("Node, over HTTP", (path, init) => fetch(`${url}${path}`, init));
