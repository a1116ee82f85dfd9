import type {
  KeptDelivery,
  RefusedList,
  WebhookSourceView,
} from "../../../../src/protocol/http.ts";
import type { DeliveryPage, SourceList } from "../../api/answers.ts";
import { ApiError } from "../../api/api-error.ts";
import type { MeshApi } from "../../api/mesh-api.ts";
import { refusedCount } from "../../model/webhook-log.ts";

export interface ListedSource {
  readonly source: WebhookSourceView;
  /** The newest of the deliveries whose signature was valid. */
  readonly last: KeptDelivery | null;
  /** Deliveries that were refused in the last 7 days. */
  readonly refused: number;
}

export const sourcePath = (name: string): string =>
  `/v1/webhook-sources/${encodeURIComponent(name)}`;

/** How many sources are asked about at the same time: a browser has six connections to a mesh without HTTP/2. */
const AT_ONCE = 2;

/** The sources, each with what has arrived. A mesh has at most 100. */
export async function listedSources(
  api: MeshApi,
  signal: AbortSignal,
): Promise<readonly ListedSource[]> {
  const { sources } = await api.get<SourceList>("/v1/webhook-sources", {}, signal);
  const listed: ListedSource[] = [];
  for (let at = 0; at < sources.length; at += AT_ONCE) {
    const some = sources.slice(at, at + AT_ONCE).map((source) => listedSource(api, source, signal));
    listed.push(...(await Promise.all(some)).filter((each) => each !== null));
  }
  return listed;
}

/** Null: it was removed meanwhile. */
async function listedSource(
  api: MeshApi,
  source: WebhookSourceView,
  signal: AbortSignal,
): Promise<ListedSource | null> {
  const path = sourcePath(source.name);
  try {
    const [{ deliveries }, { refused }] = await Promise.all([
      api.get<DeliveryPage>(`${path}/deliveries`, { limit: 1 }, signal),
      api.get<RefusedList>(`${path}/refused`, {}, signal),
    ]);
    return { source, last: deliveries[0] ?? null, refused: refusedCount(refused) };
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}
