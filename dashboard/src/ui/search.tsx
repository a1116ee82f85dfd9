import { useEffect, useState } from "preact/hooks";
import { Icon } from "./icon.tsx";

/** How long after the last key the search begins: a list of thousands is not searched for each letter. */
const PAUSE_MS = 120;

interface SearchProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

export const Search = ({ label, value, onChange }: SearchProps) => {
  const [text, setText] = useState(value);
  useEffect(() => {
    if (text === value) return undefined;
    const timer = setTimeout(() => onChange(text), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <span class="search">
      <Icon name="search" />
      <input
        type="search"
        aria-label={label}
        placeholder="Search"
        value={text}
        onInput={({ currentTarget }) => setText(currentTarget.value)}
      />
    </span>
  );
};
