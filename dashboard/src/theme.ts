/** Runs before the page is shown: sets the colors that the user has chosen. Without a choice they are those of the system. */
const chosen = localStorage.getItem("muster.theme");
if (chosen === "dark" || chosen === "light") document.documentElement.dataset["theme"] = chosen;
