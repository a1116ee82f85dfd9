import { OpenAPIHono } from "@hono/zod-openapi";
import { HTTPException } from "hono/http-exception";
import type { MusterError } from "../src/protocol/errors.ts";
import type { AppContext, AppEnv } from "./context.ts";
import { crossOrigin } from "./cross-origin.ts";
import { dashboardRoutes, leadsToDashboard, toDashboard } from "./dashboard/dashboard.ts";
import { GatewayMemory } from "./gateway-memory.ts";
import { loadConfiguration, safeHeaders } from "./middleware.ts";
import { describeApi } from "./openapi.ts";
import { checkMethod } from "./methods.ts";
import { PathTable } from "./path-table.ts";
import { preflightBudget } from "./preflights.ts";
import { problem } from "./problem.ts";
import { logFailure, logRequests } from "./request-log.ts";
import { countRefusedMethod } from "./refused-deliveries.ts";
import { Router } from "./route.ts";
import { crossOriginRoutes } from "./route-headers.ts";
import { auditRoutes } from "./routes/audit.ts";
import { cellRoutes } from "./routes/cells.ts";
import { bulkTaskRoutes } from "./routes/bulk-tasks.ts";
import { alertRoutes } from "./routes/alerts.ts";
import { callbackRoutes } from "./routes/callbacks.ts";
import { connectRoutes } from "./routes/connect.ts";
import { webhookIngressRoutes } from "./routes/webhook-ingress.ts";
import { eventRoutes } from "./routes/events.ts";
import { exportRoutes } from "./routes/export.ts";
import { importRoutes } from "./routes/imports.ts";
import { dialRoutes } from "./routes/dials.ts";
import { discoveryRoutes } from "./routes/discovery.ts";
import { joinKeyRoutes } from "./routes/join-keys.ts";
import { membershipRoutes } from "./routes/membership.ts";
import { metricRoutes } from "./routes/metrics.ts";
import { meshRoutes } from "./routes/mesh.ts";
import { peerRoutes } from "./routes/peers.ts";
import { peerRequestRoutes } from "./routes/peer-requests.ts";
import { payloadRoutes } from "./routes/payloads.ts";
import { resultRoutes } from "./routes/results.ts";
import { kindRoutes } from "./routes/kinds.ts";
import { taskRoutes } from "./routes/tasks.ts";
import { revocationRoutes } from "./routes/revocation.ts";
import { troubleshootingRoutes } from "./routes/troubleshooting.ts";
import { tokenRoutes } from "./routes/tokens.ts";
import { webhookDeliveryLogRoutes } from "./routes/webhook-delivery-log.ts";
import { webhookSourceRoutes } from "./routes/webhook-sources.ts";

/** The HTTP API. Each route states its scope where it is defined. A path that no route defines is answered as such to every caller. */
export const createApp = (): OpenAPIHono<AppEnv> => createApi().app;

/** The HTTP API with the definitions of its routes. */
export function createApi(): { readonly app: OpenAPIHono<AppEnv>; readonly router: Router } {
  const app = new OpenAPIHono<AppEnv>();
  app.onError((error, c) => problem(c, problemOfThrown(c, error)));
  app.notFound((c) =>
    leadsToDashboard(c)
      ? toDashboard(c)
      : problem(c, {
          code: "not_found",
          detail: `the path ${c.req.path} does not exist; see /openapi.json`,
        }),
  );
  const router = new Router(app);
  const memory = new GatewayMemory();
  const paths = new PathTable(app.routes);
  const open = crossOriginRoutes(router, paths);
  const configure = loadConfiguration(memory);
  app.use(logRequests);
  app.use(safeHeaders);
  app.use(
    crossOrigin<AppEnv>({
      ...open,
      origins: (c) => c.env.CORS_ORIGINS,
      consumePreflight: preflightBudget(memory),
    }),
  );
  app.use(
    checkMethod<AppEnv>(paths, async (c, allowed) => {
      const detail = `this path does not support ${c.req.method}, only ${allowed}`;
      const error = { code: "method_not_allowed", detail } as const;
      // Whoever set up the sender of a webhook looks for it among the refused deliveries.
      if (open.isExcluded(paths.find(c.req.path)))
        await configure(c, () => countRefusedMethod(c, error));
      return problem(c, error);
    }),
  );

  // Before the check of the configuration, which neither needs.
  describeApi(app, router);
  troubleshootingRoutes(router);
  dashboardRoutes(app);
  app.use(configure);
  for (const register of ROUTES) register(router);
  return { app, router };
}

const ROUTES: readonly ((router: Router) => void)[] = [
  connectRoutes,
  meshRoutes,
  metricRoutes,
  webhookIngressRoutes,
  discoveryRoutes,
  peerRoutes,
  revocationRoutes,
  peerRequestRoutes,
  dialRoutes,
  membershipRoutes,
  bulkTaskRoutes,
  kindRoutes,
  taskRoutes,
  payloadRoutes,
  resultRoutes,
  callbackRoutes,
  webhookSourceRoutes,
  webhookDeliveryLogRoutes,
  tokenRoutes,
  joinKeyRoutes,
  auditRoutes,
  eventRoutes,
  alertRoutes,
  cellRoutes,
  exportRoutes,
  importRoutes,
];

/** The problem for what Hono throws when it cannot read a request; anything else is a defect, whose stack is only logged. */
function problemOfThrown(c: AppContext, error: Error): MusterError {
  if (error instanceof HTTPException && error.status < 500) {
    return { code: "invalid_request", detail: error.message };
  }
  logFailure(c, error);
  return {
    code: "internal",
    detail: "the request failed because of a defect in the mesh, which is logged",
  };
}
