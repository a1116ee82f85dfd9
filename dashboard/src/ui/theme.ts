/** Dark or light: as the system has it, until the user chooses. */
import { signal, type ReadonlySignal } from "@preact/signals";

export type Theme = "light" | "dark";
/** As in `theme.ts`, which runs before. */
const STORED = "muster.theme";
const system = matchMedia("(prefers-color-scheme: dark)");
/** At first what `theme.ts` has set. */
const current = signal<Theme>(
  document.documentElement.dataset["theme"] === "dark" ? "dark" : "light",
);
export const theme: ReadonlySignal<Theme> = current;

function show(next: Theme): void {
  document.documentElement.dataset["theme"] = next;
  current.value = next;
}

system.addEventListener("change", ({ matches }) => {
  if (localStorage.getItem(STORED) === null) show(matches ? "dark" : "light");
});

/** Changes from light to dark, or back. What the system has is not stored, so that the page follows the system again. */
export function toggleTheme(): void {
  const next: Theme = current.value === "dark" ? "light" : "dark";
  if ((next === "dark") === system.matches) localStorage.removeItem(STORED);
  else localStorage.setItem(STORED, next);
  show(next);
}

/** The value of a color of the style sheet, for what is drawn on a canvas. */
export const color = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
