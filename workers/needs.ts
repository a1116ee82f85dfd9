import type { Need } from "../src/access/scope.ts";

/** What a request needs its caller to be allowed. What is not named here is the administrator's. */
export function needOf(method: string, path: string): Need {
  const reads = method === "GET" || method === "HEAD";
  switch (path.split("/")[2] ?? "") {
    case "tasks":
      return reads ? "read_work" : "work";
    case "callback-secret":
      return "work";
    case "discovery":
      return reads ? "work" : "administer";
    case "peers":
      return reads ? "read_work" : "administer";
    case "auth-mode":
    case "allowlist":
    case "webhook-sources":
      return reads ? "read" : "administer";
    default:
      return "administer";
  }
}
