import type { CallbackView } from "../../../../src/protocol/http.ts";
import { line } from "../../model/format.ts";
import { Panel } from "../../ui/page.tsx";
import { State } from "../../ui/state.tsx";
import { Ago } from "../../ui/time.tsx";

/** The event that is sent when the task ends, and how its receiver has answered. */
export const Callback = ({ callback }: { readonly callback: CallbackView }) => (
  <Panel title="Callback" aside={<State of={callback.state} />}>
    <p class="mono wrap-anywhere">{line(callback.url)}</p>
    {callback.next_at !== null && (
      <p class="quiet">
        Next attempt: <Ago at={callback.next_at} />
      </p>
    )}
    {callback.attempts.length > 0 && (
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col" class="figure">
              Status
            </th>
            <th scope="col">Error</th>
          </tr>
        </thead>
        <tbody>
          {callback.attempts.map(({ at, status, error }) => (
            <tr key={at}>
              <td>
                <Ago at={at} />
              </td>
              <td class="figure">{status ?? "–"}</td>
              <td>{error === null ? "–" : line(error)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    )}
  </Panel>
);
