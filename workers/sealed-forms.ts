import type { Context, MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { every } from "hono/combine";
import {
  decrypt,
  PAYLOAD_FIELD,
  StmfError,
  webFormOf,
  type FormData as SealedForm,
  type Key,
} from "../src/stmf/index.ts";
import { problem } from "./problem.ts";

/** One private key, or several during a rotation. */
type PrivateKeys = Key | readonly Key[];

export interface SealedFormOptions {
  /** The keys, or a function that returns them: a Worker has its secrets in `c.env`. */
  readonly privateKeys: PrivateKeys | ((c: Context) => PrivateKeys);
  /** The field that contains the container in base64; default: Borg's `_stmf_payload`. */
  readonly field?: string;
  /** Refuses posts without a sealed form; by default they pass unchanged. */
  readonly required?: boolean;
  /** The largest body. Opening a form needs several times its size in memory, and a Worker has 128 MB. */
  readonly maxBytes?: number;
  /** Answers instead of the problem document. It may use the error's code, but should not show it. */
  readonly onError?: (c: Context, error: StmfError) => Response | Promise<Response>;
}

/** The handlers that follow get this from `c.get("sealedForm")`: all fields with their types, and the metadata. */
export interface SealedFormVariables {
  sealedForm?: SealedForm;
}

const MAX_BYTES = 8 * 1_024 * 1_024;
const METHODS = new Set(["POST", "PUT", "PATCH"]);
const FORM_TYPE = /^(?:application\/x-www-form-urlencoded|multipart\/form-data)\s*(?:;|$)/i;

/**
 * Opens the sealed form of a form post before the handlers run: `c.req.formData()` and `c.req.parseBody()` then return its
 * fields as if they had been sent unsealed, files as `File`. A visible field with the name of a sealed one is dropped, because
 * an intermediary could have added it. Every error of a container has the same 400 answer. Throws if a private key is invalid:
 * that is a fault of the site, not of its visitor.
 */
export function sealedForms(options: SealedFormOptions): MiddlewareHandler {
  const maxSize = options.maxBytes ?? MAX_BYTES;
  const bounded = bodyLimit({
    maxSize,
    onError: (c) =>
      problem(c, {
        code: "payload_too_large",
        detail: `the form is larger than ${maxSize} bytes, the limit of this path`,
      }),
  });
  const read = every(bounded, opening(options));
  return async (c, next) => {
    if (!METHODS.has(c.req.method)) return next();
    if (FORM_TYPE.test(c.req.header("Content-Type") ?? "")) return read(c, next);
    return options.required
      ? problem(c, {
          code: "unsupported_media_type",
          detail:
            "this path accepts only sealed forms: send multipart/form-data or application/x-www-form-urlencoded",
        })
      : next();
  };
}

function opening(options: SealedFormOptions): MiddlewareHandler {
  const { field = PAYLOAD_FIELD, required = false, privateKeys, onError } = options;
  return async (c, next) => {
    const visible = await c.req.formData().catch(() => null);
    if (visible === null) return refuse(c, "the body is not a form of the type in Content-Type");
    const payloads = visible.getAll(field);
    const [payload] = payloads;
    if (payload === undefined) {
      return required ? refuse(c, `the form has no field ${field}`) : next();
    }
    if (typeof payload !== "string" || payloads.length > 1) {
      return refuse(c, `${field} must be sent exactly once, as text`);
    }
    const keys = typeof privateKeys === "function" ? privateKeys(c) : privateKeys;
    const form = await openWithAny(payload, Array.isArray(keys) ? keys : [keys]);
    if (form instanceof StmfError) {
      return onError
        ? onError(c, form)
        : refuse(c, "the sealed form cannot be opened with this site's key");
    }
    c.set("sealedForm", form satisfies SealedFormVariables["sealedForm"]);
    visible.delete(field);
    const whole = Promise.resolve(merged(visible, webFormOf(form)));
    // Hono caches promises here, contrary to its type. The sealed body cannot be read any more.
    c.req.bodyCache = { formData: whole as unknown as FormData };
    return next();
  };
}

const refuse = (c: Context, detail: string): Response =>
  problem(c, { code: "invalid_request", detail });

/** The form, opened with the first key that fits, or the error of the last key. */
async function openWithAny(payload: string, keys: readonly Key[]): Promise<SealedForm | StmfError> {
  let failure: StmfError | null = null;
  for (const key of keys) {
    try {
      return await decrypt(payload, key);
    } catch (error) {
      if (!(error instanceof StmfError) || error.code === "private_key_invalid") throw error;
      failure = error;
      if (error.code !== "container_sealed_otherwise") break; // no other key would change that
    }
  }
  if (failure) return failure;
  throw new StmfError({ code: "private_key_invalid", detail: "no private key is configured" });
}

/** Both forms merged; a sealed field replaces visible fields of the same name. */
function merged(visible: FormData, sealed: FormData): FormData {
  for (const name of sealed.keys()) visible.delete(name);
  for (const [name, entry] of sealed.entries()) visible.append(name, entry);
  return visible;
}
