import { OpenAPIHono } from "@hono/zod-openapi";
import { HTTPException } from "hono/http-exception";
import { methodNotAllowed } from "hono/method-not-allowed";
import type { AppEnv } from "./context.ts";
import { authorised } from "./authorization.ts";
import { configured, safeHeaders } from "./middleware.ts";
import { describe } from "./openapi.ts";
import { issuesOf, problem } from "./problem.ts";
import { auditRoutes } from "./routes/audit.ts";
import { callbackRoutes } from "./routes/callbacks.ts";
import { connectRoutes } from "./routes/connect.ts";
import { deliveryRoutes } from "./routes/webhook-ingress.ts";
import { dialRoutes } from "./routes/dials.ts";
import { discoveryKeyRoutes, discoveryRoutes } from "./routes/discovery.ts";
import { joinKeyRoutes } from "./routes/join-keys.ts";
import { membershipRoutes } from "./routes/membership.ts";
import { meshRoutes } from "./routes/mesh.ts";
import { peerRoutes } from "./routes/peers.ts";
import { requestRoutes } from "./routes/requests.ts";
import { resultRoutes, ticketedResultRoutes } from "./routes/results.ts";
import { taskRoutes } from "./routes/tasks.ts";
import { tokenRoutes } from "./routes/tokens.ts";
import { webhookDeliveryRoutes } from "./routes/webhook-delivery-log.ts";
import { webhookSourceRoutes } from "./routes/webhook-sources.ts";

/** The whole HTTP surface. What stands before `authorised` needs no token, or judges it itself; whatever is added behind it does. */
export function createApp(): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>({
    defaultHook: (result, c) =>
      result.success
        ? undefined
        : problem(c, {
            code: "invalid_request",
            detail: "the request does not have the form that is described in /openapi.json",
            issues: issuesOf(result.error),
          }),
  });
  app.onError((error, c) => problem(c, expected(error)));
  app.notFound((c) =>
    problem(c, {
      code: "not_found",
      detail: `there is no ${c.req.path}; /openapi.json lists what there is`,
    }),
  );
  app.use(safeHeaders);
  // It takes whatever is registered for a method as a route: a middleware is registered for all, or with its route.
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed: (c, methods) => {
        c.header("Allow", methods.join(", "));
        return problem(c, {
          code: "method_not_allowed",
          detail: `use ${methods.join(" or ")} here`,
        });
      },
    }),
  );

  describe(app);
  app.use(configured);
  connectRoutes(app);
  meshRoutes(app);
  deliveryRoutes(app);
  ticketedResultRoutes(app);
  discoveryRoutes(app);

  app.use(authorised);
  discoveryKeyRoutes(app);
  peerRoutes(app);
  requestRoutes(app);
  dialRoutes(app);
  membershipRoutes(app);
  taskRoutes(app);
  resultRoutes(app);
  callbackRoutes(app);
  webhookSourceRoutes(app);
  webhookDeliveryRoutes(app);
  tokenRoutes(app);
  joinKeyRoutes(app);
  auditRoutes(app);
  return app;
}

/** What hono throws for requests that it can't read; anything else is a defect of ours, whose trace stays here. */
function expected(error: Error) {
  if (error instanceof HTTPException && error.status < 500) {
    return { code: "invalid_request", detail: error.message } as const;
  }
  console.error("unexpected", { error: error.stack ?? String(error) });
  return { code: "internal", detail: "the request could not be handled; it is logged" } as const;
}
