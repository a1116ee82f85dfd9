import { z } from "@hono/zod-openapi";
import { troubleshootingAnswer, troubleshootingPage } from "../troubleshooting.ts";
import { routesTagged, type Router } from "../route.ts";

const Code = z
  .string()
  .regex(/^[a-z0-9_-]{1,200}$/)
  .meta({
    description: "An error code, a close code, or a message in lower case with hyphens",
    example: "not_allowed",
  });

const { defineRaw } = routesTagged("mesh", { code: Code });

const text = (description: string) => ({
  200: { description, content: { "text/plain": { schema: z.string() } } },
});

const page = defineRaw("public", "get", "/troubleshooting", {
  operationId: "getTroubleshooting",
  summary: "Explain every code and message by which Muster tells that something is wrong",
  responses: text("All entries, in Markdown"),
});
const entry = defineRaw("public", "get", "/troubleshooting/{code}", {
  operationId: "getTroubleshootingEntry",
  summary: "Explain one code: what it means, and what to do",
  responses: text("The entry, in Markdown"),
});

/** The page to which the `type` of every error document leads. It is served by a mesh without configuration, too. */
export function troubleshootingRoutes(router: Router): void {
  router.rawRoute(page, troubleshootingPage);
  router.rawRoute(entry, troubleshootingAnswer);
}
