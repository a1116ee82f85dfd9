/** Where on the page the user is. */
import { signal, type ReadonlySignal } from "@preact/signals";
import { hashOf, placeOf, type Place } from "../model/route.ts";

const shown = signal<Place>(placeOf(location.hash));
export const place: ReadonlySignal<Place> = shown;

addEventListener("hashchange", () => {
  shown.value = placeOf(location.hash);
});

/** Changes the parameters of the place, without a new entry in the history. An empty one is left out. */
export function setQuery(changed: Readonly<Record<string, string>>): void {
  const { path, query } = shown.peek();
  const next = { ...query, ...changed };
  history.replaceState(null, "", hashOf(path, next));
  shown.value = placeOf(location.hash);
}

export function goTo(path: readonly string[], query: Readonly<Record<string, string>> = {}): void {
  location.hash = hashOf(path, query);
}
