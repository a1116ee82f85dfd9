import { command } from "../command.ts";
import { print, printJson } from "../output.ts";
import { controllerOf, TARGET_DETAILS, TARGET_OPTIONS } from "../target.ts";

const usage = "metrics [--openmetrics]";

const OPTIONS = { ...TARGET_OPTIONS, openmetrics: { type: "boolean", default: false } } as const;

/** Prints the metrics of a mesh. */
export const metrics = command({
  usage,
  summary: "print the metrics of the mesh, as Prometheus reads them",
  details: [
    ["--openmetrics", "in OpenMetrics 1.0; default: the older text format, which promtool reads"],
    ...TARGET_DETAILS,
  ],
  examples: ["metrics", "metrics --openmetrics --token-file metrics.token"],
  options: OPTIONS,
  arguments: [],
  run: async (values) => {
    const { settings } = await controllerOf(values);
    const format = values.openmetrics ? "openmetrics" : "prometheus";
    const text = await settings.metrics({ format });
    if (values.json === true) printJson({ format, text });
    else print(text.trimEnd().split("\n"));
    return 0;
  },
});
