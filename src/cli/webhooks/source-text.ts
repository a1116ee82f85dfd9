import type { WebhookSourceView } from "../../protocol/http.ts";
import { filterText } from "./filter-option.ts";

/** A source as lines of a name and a value each. */
export function sourceLines(source: WebhookSourceView, url: string): readonly string[] {
  const { signature, task, filters, identity, max_bytes: maxBytes } = source;
  const { max_body_bytes: maxBodyBytes } = source;
  const { kind, payload, defaults = {}, requirements, callback, ...rest } = task;
  const requires = Object.entries(requirements).filter(
    ([, value]) => !Array.isArray(value) || value.length > 0,
  );
  const pairs: (readonly [string, string])[] = [
    ["name", source.name],
    ["URL", url],
    ["scheme", source.scheme],
    ...(signature === null
      ? []
      : [
          [
            "signature",
            `header ${signature.header}, ${signature.encoding}${signature.prefix === "" ? "" : `, after ${signature.prefix}`}`,
          ] as const,
        ]),
    ["secrets", String(source.secrets)],
    ["kind", kind],
    ["payload", typeof payload === "string" ? payload : JSON.stringify(payload)],
    ...Object.entries(defaults).map(
      ([path, value]) => ["default", `${path}=${JSON.stringify(value)}`] as const,
    ),
    ...filters.map((filter) => ["filter", filterText(filter)] as const),
    ...requires.map(([name, value]) => [name, textOf(value)] as const),
    ...Object.entries(rest).map(([name, value]) => [name, textOf(value)] as const),
    ...(callback === undefined ? [] : [["callback", callback.url] as const]),
    ...(maxBytes === null ? [] : [["max_bytes", String(maxBytes)] as const]),
    ...(maxBodyBytes === null ? [] : [["max_body_bytes", String(maxBodyBytes)] as const]),
    ...(identity === null ? [] : [["identity", JSON.stringify(identity)] as const]),
    ["created", source.created_at],
    ["tasks created", String(source.deliveries)],
  ];
  const width = Math.max(...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
}

const textOf = (value: unknown): string =>
  typeof value === "string" ? value : JSON.stringify(value);
