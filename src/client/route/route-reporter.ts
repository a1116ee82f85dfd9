import { DAY, type Millis } from "../../base/clock.ts";
import type { Route } from "../../protocol/route.ts";
import type { PeerEventListener } from "../peer/peer-events.ts";
import type { MeasureRoute } from "./measure-route.ts";
import { routeHost } from "./route-commands.ts";

export interface RouteReporterOptions {
  /** The URL of the mesh. */
  readonly url: string;
  readonly platform: {
    readonly measureRoute: MeasureRoute;
    readonly now: () => Millis;
  };
  /** Sends the route to the mesh. False if there is no session. */
  readonly send: (route: Route) => boolean;
  readonly emit: PeerEventListener;
}

/** Measures the path to the mesh once the peer has joined, and again when a day has passed; reports it to the mesh. */
export class RouteReporter {
  readonly #options: RouteReporterOptions;
  /** Null if it can't be an argument of a program. */
  readonly #host: string | null;
  readonly #stopped = new AbortController();
  #begunAt: Millis | null = null;
  /** Measured, and not reported yet. */
  #unsent: Route | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: RouteReporterOptions) {
    this.#options = options;
    this.#host = routeHost(options.url);
  }

  /** A session has begun. */
  joined(): void {
    if (this.#host === null || this.#stopped.signal.aborted) return;
    this.#report();
    const elapsed = this.#begunAt === null ? DAY : this.#options.platform.now() - this.#begunAt;
    if (elapsed >= DAY) void this.#measure(this.#host);
    else this.#scheduleNext(DAY - elapsed);
  }

  /** The session has ended. A measurement that runs goes on. */
  detach(): void {
    clearTimeout(this.#timer);
  }

  stop(): void {
    this.detach();
    this.#stopped.abort();
  }

  async #measure(host: string): Promise<void> {
    this.#begunAt = this.#options.platform.now();
    this.#scheduleNext(DAY);
    const { signal } = this.#stopped;
    const route = await this.#options.platform.measureRoute(host, signal);
    if (route === null || signal.aborted) return;
    this.#unsent = route;
    this.#report();
  }

  #report(): void {
    const route = this.#unsent;
    if (route === null || !this.#options.send(route)) return;
    this.#unsent = null;
    this.#options.emit({ type: "route_measured", ...route });
  }

  #scheduleNext(delay: Millis): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.joined(), delay);
  }
}
