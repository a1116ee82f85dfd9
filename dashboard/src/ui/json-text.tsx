import { useMemo } from "preact/hooks";
import { bytes } from "../model/format.ts";
import { indented, SHOWN_CHARS_MAX } from "../model/json-value.ts";

/** JSON from elsewhere. It is text on the page, whatever it contains. */
export const JsonText = ({ json, label }: { readonly json: string; readonly label: string }) => {
  const text = useMemo(() => indented(json.slice(0, SHOWN_CHARS_MAX)), [json]);
  return (
    <>
      <pre class="json" tabIndex={0} role="group" aria-label={label}>
        {text}
      </pre>
      {json.length > SHOWN_CHARS_MAX && <p class="quiet">The beginning of {bytes(json.length)}.</p>}
    </>
  );
};
