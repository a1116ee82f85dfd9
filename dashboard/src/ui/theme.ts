/** Dark or light: as the system has it, until the user chooses. */
import { signal, type ReadonlySignal } from "@preact/signals";

export type Theme = "light" | "dark";
/** As in `theme.ts`, which runs before. */
const STORED = "muster.theme";
const system = matchMedia("(prefers-color-scheme: dark)");
const chosen = (): Theme | null => {
  const { theme } = document.documentElement.dataset;
  return theme === "dark" || theme === "light" ? theme : null;
};
const inForce = (): Theme => chosen() ?? (system.matches ? "dark" : "light");

const current = signal<Theme>(inForce());
export const theme: ReadonlySignal<Theme> = current;
system.addEventListener("change", () => {
  current.value = inForce();
});

/** Changes to the other one. The choice of what the system has is no choice: the page then follows the system again. */
export function toggleTheme(): void {
  const next: Theme = inForce() === "dark" ? "light" : "dark";
  if ((next === "dark") === system.matches) {
    delete document.documentElement.dataset["theme"];
    localStorage.removeItem(STORED);
  } else {
    document.documentElement.dataset["theme"] = next;
    localStorage.setItem(STORED, next);
  }
  current.value = next;
}

/** The value of a color of the style sheet, for what is drawn on a canvas. */
export const color = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
