import type { Need } from "../src/access/scope.ts";

/** What a request needs its caller to be allowed. What is not named here is the administrator's. */
export function needOf(method: string, path: string): Need {
  const reads = method === "GET" || method === "HEAD";
  const [, , resource = "", , part] = path.split("/");
  // What a controller can have a peer do as a task, it can ask for as well.
  if (resource === "peers" && part === "requests") return "work";
  switch (resource) {
    case "tasks":
    case "task-batches":
      return reads ? "read_work" : "work";
    case "callback-secret":
      return "work";
    case "discovery":
      return reads ? "work" : "administer";
    case "peers":
      return reads ? "read_work" : "administer";
    case "auth-mode":
    case "dials":
    case "allowlist":
    case "webhook-sources":
      return reads ? "read" : "administer";
    default:
      return "administer";
  }
}
