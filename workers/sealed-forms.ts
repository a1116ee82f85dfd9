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

/** One private key, or several while a new one takes an old one's place. */
type PrivateKeys = Key | readonly Key[];

export interface SealedFormOptions {
  /** The keys, or how to find them: a Worker has its secrets in `c.env`. */
  readonly privateKeys: PrivateKeys | ((c: Context) => PrivateKeys);
  /** The field that carries the container in base64; Borg's `_stmf_payload` by default. */
  readonly field?: string;
  /** Refuses posts that carry no sealed form; by default they pass as they are. */
  readonly required?: boolean;
  /** The longest body that is read. While it is opened a form is held several times over, and a Worker has 128 MB. */
  readonly maxBytes?: number;
  /** Answers in place of the problem document; it may look at the error's code, and should not show it. */
  readonly onError?: (c: Context, error: StmfError) => Response | Promise<Response>;
}

/** What the handlers behind find with `c.get("sealedForm")`: all fields with their types, and the metadata. */
export interface SealedFormVariables {
  sealedForm?: SealedForm;
}

const MAX_BYTES = 8 * 1_024 * 1_024;
const METHODS = new Set(["POST", "PUT", "PATCH"]);
const FORM_TYPE = /^(?:application\/x-www-form-urlencoded|multipart\/form-data)\s*(?:;|$)/i;

/**
 * Opens the sealed form of a form post before the handlers see it: `c.req.formData()` and `c.req.parseBody()` then give
 * its fields as if they had come in the clear, files as `File`. A visible field of a sealed one's name is dropped: who
 * sits between could have added it. Whatever is wrong with a container, the answer is the same 400. Throws when a private
 * key is none: that is the site's fault, not its visitor's.
 */
export function sealedForms(options: SealedFormOptions): MiddlewareHandler {
  const maxSize = options.maxBytes ?? MAX_BYTES;
  const bounded = bodyLimit({
    maxSize,
    onError: (c) =>
      problem(c, {
        code: "payload_too_large",
        detail: `a form holds at most ${maxSize} bytes here`,
      }),
  });
  const read = every(bounded, opening(options));
  return async (c, next) => {
    if (!METHODS.has(c.req.method)) return next();
    if (FORM_TYPE.test(c.req.header("Content-Type") ?? "")) return read(c, next);
    return options.required
      ? problem(c, { code: "unsupported_media_type", detail: "only sealed forms are taken here" })
      : next();
  };
}

function opening(options: SealedFormOptions): MiddlewareHandler {
  const { field = PAYLOAD_FIELD, required = false, privateKeys, onError } = options;
  return async (c, next) => {
    const visible = await c.req.formData().catch(() => null);
    if (visible === null) return refuse(c, "the body is not the form that it is announced as");
    const payloads = visible.getAll(field);
    const [payload] = payloads;
    if (payload === undefined) {
      return required ? refuse(c, `the form has no field ${field}`) : next();
    }
    if (typeof payload !== "string" || payloads.length > 1) {
      return refuse(c, `${field} stands once, and is text`);
    }
    const keys = typeof privateKeys === "function" ? privateKeys(c) : privateKeys;
    const form = await openWithAny(payload, Array.isArray(keys) ? keys : [keys]);
    if (form instanceof StmfError) {
      return onError ? onError(c, form) : refuse(c, "the sealed form can't be opened");
    }
    c.set("sealedForm", form satisfies SealedFormVariables["sealedForm"]);
    visible.delete(field);
    const whole = Promise.resolve(merged(visible, webFormOf(form)));
    // hono keeps promises here, whatever its type says; nothing of the sealed body stays to be read.
    c.req.bodyCache = { formData: whole as unknown as FormData };
    return next();
  };
}

const refuse = (c: Context, detail: string): Response =>
  problem(c, { code: "invalid_request", detail });

/** The form, by the first key that opens it, or why the last one did not. */
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
  throw new StmfError({ code: "private_key_invalid", detail: "there is no private key" });
}

/** Both forms as one, in which a sealed field stands alone under its name. */
function merged(visible: FormData, sealed: FormData): FormData {
  for (const name of sealed.keys()) visible.delete(name);
  for (const [name, entry] of sealed.entries()) visible.append(name, entry);
  return visible;
}
