import { useMemo } from "preact/hooks";
import type { PeerView } from "../../../../src/protocol/http.ts";
import { place, setQuery } from "../../live/place.ts";
import { useLive } from "../../live/use-live.ts";
import { count, counted } from "../../model/format.ts";
import { matches, PEER_COLUMNS, sortedPeers, type PeerColumn } from "../../model/peer-table.ts";
import { Select } from "../../ui/field.tsx";
import { Loading, Page } from "../../ui/page.tsx";
import { Search } from "../../ui/search.tsx";
import { VirtualTable } from "../../ui/virtual-table.tsx";
import { useData } from "../data.ts";
import { FirstMinute } from "../first-minute.tsx";
import { COLUMNS } from "./columns.tsx";

const STATES = [
  ["", "Any state"],
  ["connected", "Connected"],
  ["active", "Active"],
  ["suspect", "Suspect"],
  ["resting", "Resting"],
  ["cordoned", "Cordoned"],
  ["draining", "Draining"],
  ["stale", "Stale"],
  ["discovered", "Discovered"],
  ["evicted", "Evicted"],
  ["revoked", "Revoked"],
] as const;
const ROLES = [
  ["", "Any role"],
  ["worker", "Workers"],
  ["controller", "Controllers"],
  ["dual", "Dual"],
] as const;

/** Figures are first looked at from the largest. */
const DESCENDING_FIRST: readonly string[] = ["score", "load", "outcomes", "seen"];

export const Peers = () => {
  const { mesh } = useData();
  const { value, error } = useLive(mesh.peers);
  const { text = "", state = "", role = "", sort = "state", order = "" } = place.value.query;
  const by = PEER_COLUMNS.find((column) => column === sort) ?? "state";
  const descending = order === "down";
  const shown = useMemo(
    () => shownPeers(value?.values() ?? [], { text, state, role }, { by, descending }),
    [value, text, state, role, by, descending],
  );
  if (value === null)
    return (
      <Page title="Peers">
        <Loading error={error} />
      </Page>
    );

  const resort = (next: string): void => {
    const down = next === by ? !descending : DESCENDING_FIRST.includes(next);
    setQuery({ sort: next, order: down ? "down" : "" });
  };
  return (
    <Page
      title="Peers"
      fills
      about={
        shown.length === value.size
          ? counted(value.size, "peer")
          : `${count(shown.length)} of ${counted(value.size, "peer")}`
      }
    >
      <div class="toolbar" role="search">
        <Search
          label="Search peers by name, ID, kind, label or address"
          value={text}
          onChange={(next) => setQuery({ text: next })}
        />
        <Select
          label="State"
          value={state}
          options={STATES}
          onChange={(next) => setQuery({ state: next })}
        />
        <Select
          label="Role"
          value={role}
          options={ROLES}
          onChange={(next) => setQuery({ role: next })}
        />
      </div>
      <VirtualTable
        name="peers-table"
        label="Peers"
        rows={shown}
        columns={COLUMNS}
        keyOf={(peer) => peer.id}
        sort={{ by, descending }}
        onSort={resort}
        empty={
          value.size === 0 ? <FirstMinute peers={[]} /> : <p class="quiet">No peer matches.</p>
        }
      />
    </Page>
  );
};

function shownPeers(
  peers: Iterable<PeerView>,
  filter: { readonly text: string; readonly state: string; readonly role: string },
  sort: { readonly by: PeerColumn; readonly descending: boolean },
): PeerView[] {
  return sortedPeers(
    [...peers].filter((peer) => matches(peer, filter)),
    sort,
  );
}
