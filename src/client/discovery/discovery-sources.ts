import type { Bytes } from "../../base/bytes.ts";
import { BLOB_BYTES_MAX } from "../../protocol/constants.ts";
import { PointerList, PointerView } from "../../protocol/http.ts";
import { MusterApiError } from "../errors.ts";
import { Api, type ApiRequest, type Fetch } from "../http/api.ts";
import { boundedBody } from "../http/bounded-body.ts";

type Query = NonNullable<ApiRequest["query"]>;

/** The servers that publish a mesh's discovery: replicas and the mesh itself. Each is asked in turn until one answers. */
export class DiscoverySources {
  readonly #urls: readonly string[];
  readonly #token: () => Promise<string>;
  readonly #fetch: Fetch;

  /** `urls` has at least one entry; `token` returns the reader token. */
  constructor(urls: readonly string[], token: () => Promise<string>, fetch: Fetch) {
    this.#urls = urls;
    this.#token = token;
    this.#fetch = fetch;
  }

  /** One page of pointers. `check` throws if the page must not be accepted; then the next source is asked. */
  list(query: Query, check: (list: PointerList) => Promise<void>): Promise<PointerList> {
    return this.#firstAnswer(async (api, idempotent) => {
      const list = await api.json(PointerList, { path: "v1/pointers", query, idempotent });
      await check(list);
      return list;
    });
  }

  /** The pointer with this ID; null if no source has it. */
  pointer(id: string): Promise<PointerView | null> {
    return this.#firstAnswer((api, idempotent) =>
      nullIfMissing(
        api.json(PointerView, { path: `v1/pointers/${encodeURIComponent(id)}`, idempotent }),
      ),
    );
  }

  /** The bytes of the blob with this ID; null if no source has it. */
  blob(id: string): Promise<Bytes | null> {
    return this.#firstAnswer((api, idempotent) => nullIfMissing(fetchBlob(api, id, idempotent)));
  }

  /**
   * The first answer that is neither null nor an error; if there is none, the last source's null or error. Only requests to
   * the last source are retried: before that, asking the next source is faster.
   */
  async #firstAnswer<T>(request: (api: Api, idempotent: boolean) => Promise<T>): Promise<T> {
    const token = await this.#token();
    const last = this.#urls.length - 1;
    for (const [index, url] of this.#urls.entries()) {
      const api = new Api({ url, token, fetch: this.#fetch, random: Math.random });
      try {
        const answer = await request(api, index === last);
        if (answer !== null || index === last) return answer;
      } catch (error) {
        if (index === last) throw error;
      }
    }
    throw new Error("DiscoverySources was constructed without a URL");
  }
}

/** Reads at most the bytes that a record can have: an untrusted copy could send more. */
async function fetchBlob(api: Api, id: string, idempotent: boolean): Promise<Bytes> {
  const response = await api.response({
    path: `v1/blobs/${encodeURIComponent(id)}`,
    headers: { accept: "application/octet-stream" },
    idempotent,
  });
  return boundedBody(response, BLOB_BYTES_MAX);
}

async function nullIfMissing<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof MusterApiError && error.status === 404) return null;
    throw error;
  }
}
