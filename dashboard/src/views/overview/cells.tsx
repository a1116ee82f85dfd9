import { useLive } from "../../live/use-live.ts";
import {
  cellNotes,
  cellRows,
  changeText,
  hasSeveralCells,
  peersText,
  type CellRow,
} from "../../model/cells.ts";
import { count, percent } from "../../model/format.ts";
import { Head } from "../../ui/head.tsx";
import { Panel } from "../../ui/page.tsx";
import { State } from "../../ui/state.tsx";
import { useData } from "../data.ts";

const FIGURES = ["Peers connected", "Tasks waiting", "Running", "Database", "Messages waiting"];

/** The cells of a mesh that has several, and a change of their number. */
export const Cells = () => {
  const { mesh } = useData();
  const { value } = useLive(mesh.cells);
  if (value === null || !hasSeveralCells(value)) return null;
  const notes = cellNotes(value);
  return (
    <Panel title="Cells" aside={<span class="quiet figure">{changeText(value)}</span>}>
      <table class="plain">
        <Head texts={["Cell", "State"]} figures={FIGURES} />
        <tbody>
          {cellRows(value).map((row) => (
            <Row key={row.cell} {...row} />
          ))}
        </tbody>
      </table>
      {notes.map((note) => (
        <p key={note} class="quiet">
          {note}
        </p>
      ))}
    </Panel>
  );
};

const Row = ({ cell, state, figures }: CellRow) => (
  <tr>
    <th scope="row">{cell}</th>
    <td>
      <State of={state} />
    </td>
    {figures === null ? (
      FIGURES.map((name) => (
        <td key={name} class="figure">
          –
        </td>
      ))
    ) : (
      <>
        <td class="figure">{peersText(figures)}</td>
        <td class="figure">{count(figures.tasks.waiting)}</td>
        <td class="figure">{count(figures.tasks.running)}</td>
        <td class="figure">
          {percent(figures.database.used_bytes / figures.database.limit_bytes)}
        </td>
        <td class="figure">{count(figures.messages)}</td>
      </>
    )}
  </tr>
);
