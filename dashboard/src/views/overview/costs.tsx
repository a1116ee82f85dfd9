import type { CostsView } from "../../../../src/protocol/http.ts";
import { useLive } from "../../live/use-live.ts";
import { count, dollars, line, number } from "../../model/format.ts";
import { Head } from "../../ui/head.tsx";
import { Loading, Panel } from "../../ui/page.tsx";
import { useData } from "../data.ts";

const NAMES = {
  tasks: "Tasks",
  requests: "Other requests",
  calls: "Other calls between objects",
  kv_writes: "Writes to KV",
  connected_peers: "Connected peers, a month",
  storage_gb: "GB in the database, a month",
} satisfies Record<Item["item"], string>;

type Item = (CostsView["so_far"] | CostsView["monthly"])["items"][number];

/** What the mesh has cost so far, as an estimate. */
export const Costs = () => {
  const { mesh } = useData();
  const { value, error } = useLive(mesh.costs);
  if (mesh.costs === null) return null;
  if (value === null)
    return (
      <Panel title="Costs">
        <Loading error={error} />
      </Panel>
    );
  if (!value.billed)
    return (
      <Panel title="Costs">
        <p>
          Cloudflare bills nothing: this mesh runs on a machine of its own. On Cloudflare it would
          have cost about {dollars(value.so_far.dollars)} so far.
        </p>
        <Assumptions costs={value} />
      </Panel>
    );
  const { so_far: soFar, monthly } = value;
  return (
    <Panel
      title="Costs"
      aside={
        <span class="quiet figure">
          about {dollars(soFar.dollars)} so far, and {dollars(monthly.dollars)} a month
        </span>
      }
    >
      <table class="plain">
        <Head texts={["Estimate"]} figures={["Number", "Costs"]} />
        <tbody>
          {[...soFar.items, ...monthly.items].map(({ item, quantity, dollars: price }) => (
            <tr key={item}>
              <th scope="row">{NAMES[item]}</th>
              <td class="figure">{item === "storage_gb" ? number(quantity) : count(quantity)}</td>
              <td class="figure">{dollars(price)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <Assumptions costs={value} />
    </Panel>
  );
};

const Assumptions = ({ costs }: { readonly costs: CostsView }) => (
  <p class="quiet">
    An estimate by Cloudflare's list prices of {costs.prices_of}, since the mesh counts. Not in it:{" "}
    {costs.not_included.map(line).join("; ")}.
  </p>
);
