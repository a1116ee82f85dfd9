/** The parts of workerd's configuration that the benchmarks use; see workerd.capnp in the package `workerd`. */
export interface WorkerConfig {
  readonly name: string;
  /** The file name of the bundled Worker, relative to the configuration file. */
  readonly module: string;
  readonly compatibilityDate: string;
  /** Classes of Durable Objects with SQLite. */
  readonly classes: readonly string[];
  readonly bindings: readonly Binding[];
}

export type Binding =
  | { readonly type: "text"; readonly name: string; readonly value: string }
  | { readonly type: "namespace"; readonly name: string; readonly className: string }
  | { readonly type: "kv"; readonly name: string; readonly service: string };

/** The configuration as a text. The first worker answers the socket `http`; all keep their objects in the folder `disk`. */
export function workerdConfig(workers: readonly WorkerConfig[], disk: string): string {
  const services = workers.map(({ name }) => `(name = ${quote(name)}, worker = .${name}Worker)`);
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    ${services.join(",\n    ")},
    (name = "disk", disk = (path = ${quote(disk)}, writable = true)),
    (name = "internet", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = ${quote(workers[0]?.name ?? "")})],
);
${workers.map(workerText).join("")}`;
}

const workerText = (worker: WorkerConfig): string => `
const ${worker.name}Worker :Workerd.Worker = (
  modules = [(name = ${quote(worker.module)}, esModule = embed ${quote(worker.module)})],
  compatibilityDate = ${quote(worker.compatibilityDate)},
  durableObjectNamespaces = [${worker.classes.map((name) => namespaceText(worker.name, name)).join(", ")}],
  durableObjectStorage = (localDisk = "disk"),
  bindings = [
${worker.bindings.map((binding) => `    ${bindingText(binding)},\n`).join("")}  ],
);
`;

const namespaceText = (worker: string, className: string): string =>
  `(className = ${quote(className)}, uniqueKey = ${quote(`${worker}-${className}`)}, enableSql = true)`;

function bindingText(binding: Binding): string {
  const name = quote(binding.name);
  switch (binding.type) {
    case "text":
      return `(name = ${name}, text = ${quote(binding.value)})`;
    case "namespace":
      return `(name = ${name}, durableObjectNamespace = ${quote(binding.className)})`;
    case "kv":
      return `(name = ${name}, kvNamespace = ${quote(binding.service)})`;
    default:
      return binding satisfies never;
  }
}

/** Cap'n Proto's strings have the escapes of JSON. */
const quote = (text: string): string => JSON.stringify(text);
