import { Icon } from "../ui/icon.tsx";
import { theme, toggleTheme } from "../ui/theme.ts";

export const ThemeButton = () => {
  const other = theme.value === "dark" ? "light" : "dark";
  return (
    <button
      type="button"
      class="icon-button"
      onClick={toggleTheme}
      aria-label={`Use ${other} colors`}
    >
      <Icon name={other === "dark" ? "moon" : "sun"} />
    </button>
  );
};
