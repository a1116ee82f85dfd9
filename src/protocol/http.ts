/** The HTTP API's schemas: JSON in snake_case, times in RFC 3339, keys in hex. The OpenAPI document is generated from them. */
export * from "./http/admission.ts";
export * from "./http/bulk-tasks.ts";
export * from "./http/callbacks.ts";
export * from "./http/discovery.ts";
export * from "./http/dials.ts";
export * from "./http/kinds.ts";
export * from "./http/mesh.ts";
export * from "./http/page.ts";
export * from "./http/peers.ts";
export * from "./http/requests.ts";
export * from "./http/scheduling.ts";
export * from "./http/selection.ts";
export * from "./http/task-request.ts";
export * from "./http/tasks.ts";
export * from "./http/webhook-deliveries.ts";
export * from "./http/webhook-filters.ts";
export * from "./http/webhooks.ts";
