import { useState } from "preact/hooks";
import { Icon } from "./icon.tsx";

/** How long the button says that it has copied. */
const SAID_MS = 2_000;

/** A text to copy: a command, a key, an ID. */
export const CopiedText = ({ text, label }: { readonly text: string; readonly label: string }) => {
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), SAID_MS);
  };
  return (
    <span class="copied">
      <code>{text}</code>
      {/* Without TLS, and not on this machine, browsers have no clipboard: the text can be selected. */}
      {isSecureContext && (
        <button
          type="button"
          class="icon-button"
          onClick={() => void copy()}
          aria-label={`Copy ${label}`}
        >
          <Icon name={copied ? "check" : "copy"} />
        </button>
      )}
    </span>
  );
};
