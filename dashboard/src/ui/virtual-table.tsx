/** A table of any length: only the rows in sight are on the page. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { visibleRows } from "../model/visible-rows.ts";

export interface Column<Row> {
  readonly id: string;
  readonly label: string;
  readonly cell: (row: Row) => ComponentChildren;
  /** Right-aligned, for figures. */
  readonly isFigure?: boolean;
}

interface Sort {
  readonly by: string;
  readonly descending: boolean;
}

interface TableProps<Row> {
  /** The class that has the widths of the columns, and which ones a narrow window leaves out. */
  readonly name: string;
  readonly label: string;
  readonly rows: readonly Row[];
  readonly columns: readonly Column<Row>[];
  readonly keyOf: (row: Row) => string;
  readonly sort?: Sort;
  /** Called with the ID of a column whose heading was chosen. */
  readonly onSort?: (by: string) => void;
  /** Shown in place of rows. */
  readonly empty: ComponentChildren;
  /** Shown below the last row. */
  readonly foot?: ComponentChildren;
}

/** As in the style sheet, in rem. */
const ROW_REM = 2.75;

export const VirtualTable = <Row,>(props: TableProps<Row>) => {
  const { name, label, rows, columns, keyOf, sort, onSort, empty, foot } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 800, rowHeight: ROW_REM * 16 });

  useEffect(() => {
    const element = scroller.current;
    if (element === null) return undefined;
    const measure = (): void => {
      const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
      setView({ top: element.scrollTop, height: element.clientHeight, rowHeight: ROW_REM * rem });
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener("scroll", measure, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", measure);
    };
  }, []);

  const { from, to } = visibleRows(view, view.rowHeight, rows.length);
  return (
    <div class="table-frame">
      {/* A list that scrolls can be reached, and so scrolled, by the keyboard. */}
      <div ref={scroller} class="table-scroll" tabIndex={0} role="group" aria-label={label}>
        <div
          role="table"
          class={`table ${name}`}
          aria-label={label}
          aria-rowcount={rows.length + 1}
        >
          <div role="row" class="row head" aria-rowindex={1}>
            {columns.map((column) => (
              <Heading key={column.id} column={column} sort={sort} onSort={onSort} />
            ))}
          </div>
          <div role="presentation" style={{ height: `${from * view.rowHeight}px` }} />
          {rows.slice(from, to).map((row, at) => (
            <div role="row" class="row" key={keyOf(row)} aria-rowindex={from + at + 2}>
              {columns.map(({ id, isFigure = false, cell }) => (
                <div role="cell" key={id} class={`cell col-${id}${isFigure ? " figure" : ""}`}>
                  {cell(row)}
                </div>
              ))}
            </div>
          ))}
          <div role="presentation" style={{ height: `${(rows.length - to) * view.rowHeight}px` }} />
        </div>
        {rows.length === 0 && <div class="empty">{empty}</div>}
        {foot}
      </div>
    </div>
  );
};

interface HeadingProps<Row> {
  readonly column: Column<Row>;
  readonly sort: Sort | undefined;
  readonly onSort: ((by: string) => void) | undefined;
}

const Heading = <Row,>({
  column: { id, label, isFigure = false },
  sort,
  onSort,
}: HeadingProps<Row>) => {
  const isSorted = sort?.by === id;
  const order = sort?.descending === true ? "descending" : "ascending";
  return (
    <div
      role="columnheader"
      class={`cell col-${id}${isFigure ? " figure" : ""}`}
      aria-sort={isSorted ? order : undefined}
    >
      {onSort === undefined ? (
        label
      ) : (
        <button type="button" class="sort" onClick={() => onSort(id)}>
          {label}
          <span class="arrow" aria-hidden="true">
            {isSorted ? (sort.descending ? "↓" : "↑") : ""}
          </span>
        </button>
      )}
    </div>
  );
};
