/** A chart over time. Its figures are also in the text around it. */
import { useEffect, useRef } from "preact/hooks";
import UPlot, { type AlignedData, type Options, type Series } from "uplot";
import { color, theme } from "./theme.ts";

interface ChartSeries {
  readonly label: string;
  /** A color of the style sheet. */
  readonly color: string;
  readonly kind: "bars" | "line";
}

interface ChartProps {
  /** Says what the chart shows, to those who do not see it. */
  readonly label: string;
  readonly series: readonly ChartSeries[];
  /** Times in seconds, and the values of each series. */
  readonly data: AlignedData;
}

const HEIGHT = 168;

export const Chart = ({ label, series, data }: ChartProps) => {
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot | null>(null);
  const colors = theme.value;

  useEffect(() => {
    const element = frame.current;
    if (element === null) return undefined;
    const created = new UPlot(optionsOf(series, element.clientWidth), data, element);
    plot.current = created;
    const observer = new ResizeObserver(() => {
      created.setSize({ width: element.clientWidth, height: HEIGHT });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      created.destroy();
      plot.current = null;
    };
  }, [colors]);
  useEffect(() => plot.current?.setData(data), [data]);

  return <div ref={frame} class="chart" role="img" aria-label={label} />;
};

function optionsOf(series: readonly ChartSeries[], width: number): Options {
  const hasBars = series.some(({ kind }) => kind === "bars");
  const axis = {
    stroke: color("muted"),
    font: "12px system-ui, sans-serif",
    grid: { stroke: color("line"), width: 1 },
    ticks: { show: false },
  };
  return {
    width,
    height: HEIGHT,
    padding: [8, 8, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: {
      // Half a bar on each side, so that the first and the last are whole.
      x: { range: (plot, from, to) => padded(plot.data[0], from, to, hasBars) },
      y: { range: (_, _min, max) => [0, Math.max(4, Math.ceil(max * 1.1))] },
    },
    axes: [
      { ...axis, grid: { show: false }, size: 28, space: 72, values: (_, times) => timesOf(times) },
      { ...axis, size: 44, incrs: WHOLE_STEPS },
    ],
    series: [{}, ...series.map(drawn)],
  };
}

function padded(
  times: ArrayLike<number>,
  from: number,
  to: number,
  hasBars: boolean,
): [number, number] {
  const [first = 0, second = first] = Array.from(times);
  const half = hasBars ? (second - first) / 2 : 0;
  return [from - half, to + half];
}

/** Tasks are whole. */
const WHOLE_STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 100_000];

/** With seconds if the times are less than a minute apart. */
function timesOf(times: readonly number[]): string[] {
  const [first = 0, second = Infinity] = times;
  const format = new Intl.DateTimeFormat(undefined, {
    hour: "2-digit",
    minute: "2-digit",
    ...(second - first < 60 && { second: "2-digit" }),
    hourCycle: "h23",
  });
  return times.map((time) => format.format(time * 1_000));
}

function drawn({ label, color: name, kind }: ChartSeries): Series {
  const stroke = color(name);
  const bars = UPlot.paths.bars?.({ size: [0.8, 96] });
  return kind === "bars" && bars !== undefined
    ? { label, stroke, fill: stroke, width: 0, paths: bars, points: { show: false } }
    : { label, stroke, width: 2, points: { show: false } };
}
