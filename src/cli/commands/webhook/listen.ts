import { setTimeout as delay } from "node:timers/promises";
import { MusterApiError, type MeshClient } from "../../../client/index.ts";
import { action } from "../../actions.ts";
import { Failure } from "../../failure.ts";
import { note, print, printJsonLine } from "../../output.ts";
import { stopSignal } from "../../signals.ts";
import { controllerOf } from "../../target.ts";
import { DeliveryWatch, type WatchedSource } from "../../webhooks/delivery-watch.ts";
import { sourceUrl } from "../../webhooks/source-url.ts";
import { watchLine } from "../../webhooks/watch-line.ts";
import { watch } from "../../webhooks/watch-loop.ts";

/** Shows what arrives at a source, until the user stops it. */
export const listen = action({
  usage: "listen NAME",
  summary: "show what arrives and what becomes of it, one line each, until Ctrl-C",
  options: {},
  arguments: ["NAME"],
  run: async (values, [name = ""]) => {
    const signal = stopSignal();
    const source = watchedSource(await controllerOf(values), name);
    const deliveries = new DeliveryWatch(source);
    let url: string | undefined;
    const stopped = new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    });
    let isListening = false;
    try {
      return await watch({
        poll: async () => {
          url ??= await Promise.race([sourceUrl(values, name), stopped]);
          const events = await Promise.race([deliveries.poll(), stopped]);
          if (!isListening) note(`listening to deliveries to ${url}; Ctrl-C stops`);
          isListening = true;
          return events;
        },
        show: (event) => (values.json === true ? printJsonLine(event) : print(watchLine(event))),
        say: note,
        sleep: (ms) => Promise.race([delay(ms, undefined, { signal }), stopped]),
      });
    } catch (error) {
      if (signal.aborted) {
        // A request to a mesh that does not answer would keep the process for its timeout.
        setTimeout(() => process.exit(0), EXIT_DELAY_MS).unref();
        return 0;
      }
      if (isListening && error instanceof MusterApiError && error.status === 404)
        throw new Failure(`the webhook source ${name} was removed`);
      throw error;
    }
  },
});

/** What was printed before the user stopped the command is written by then. */
const EXIT_DELAY_MS = 200;
/** Deliveries and tasks of one request: few arrive between two polls. */
const PAGE = 20;

const watchedSource = ({ webhooks, tasks }: MeshClient, name: string): WatchedSource => ({
  refused: () => webhooks.refused(name),
  deliveries: () => webhooks.deliveries(name, { pageSize: PAGE }),
  tasks: () => tasks.list({ source: `webhook:${name}`, pageSize: PAGE }),
  task: (id) =>
    tasks.get(id).catch((error: unknown) => {
      if (error instanceof MusterApiError && error.status === 404) return null;
      throw error;
    }),
});
