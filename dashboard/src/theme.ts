/** Runs before the page is shown: sets the colors that the user has chosen. Without a choice they are those of the system. */
const chosen = localStorage.getItem("muster.theme");
const isDark =
  chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
document.documentElement.dataset["theme"] = isDark ? "dark" : "light";
