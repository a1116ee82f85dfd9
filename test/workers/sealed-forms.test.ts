import { createSite, sealedFormsSuite } from "../contracts/sealed-forms.suite.ts";

const site = createSite();

sealedFormsSuite("workerd", (path, init) =>
  Promise.resolve(site.fetch(new Request(`https://site.test${path}`, init))),
);
