import type { ComponentType } from "preact";
import type { CallerView } from "../../../src/protocol/http.ts";
import { mayAdminister, mayRead, mayWork, signOut } from "../api/session.ts";
import { place } from "../live/place.ts";
import { useLive } from "../live/use-live.ts";
import { line } from "../model/format.ts";
import { Icon, type IconName } from "../ui/icon.tsx";
import { Page } from "../ui/page.tsx";
import { useData } from "./data.ts";
import { Access } from "./access/access.tsx";
import { Logo } from "./logo.tsx";
import { MeshMap } from "./map/map.tsx";
import { Overview } from "./overview/overview.tsx";
import { Peer } from "./peers/peer.tsx";
import { Peers } from "./peers/peers.tsx";
import { Submit } from "./submit/submit.tsx";
import { Task } from "./tasks/task.tsx";
import { Tasks } from "./tasks/tasks.tsx";
import { ThemeButton } from "./theme-button.tsx";
import { Source } from "./webhooks/source.tsx";
import { Webhooks } from "./webhooks/webhooks.tsx";

interface View {
  readonly name: string;
  readonly title: string;
  readonly icon: IconName;
  readonly show: ComponentType;
  /** Shows one of what the view lists. */
  readonly showOne?: ComponentType;
  /** Whether the view is offered to a token; default: to every one. */
  readonly isFor?: (caller: CallerView) => boolean;
}

const VIEWS: readonly View[] = [
  { name: "", title: "Overview", icon: "overview", show: Overview },
  { name: "peers", title: "Peers", icon: "peers", show: Peers, showOne: Peer },
  { name: "map", title: "Map", icon: "map", show: MeshMap, isFor: mayRead },
  { name: "tasks", title: "Tasks", icon: "tasks", show: Tasks, showOne: Task },
  { name: "submit", title: "Submit", icon: "submit", show: Submit, isFor: mayWork },
  {
    name: "webhooks",
    title: "Webhooks",
    icon: "webhooks",
    show: Webhooks,
    showOne: Source,
    isFor: mayRead,
  },
  {
    name: "access",
    title: "Access",
    icon: "access",
    show: Access,
    showOne: Access,
    isFor: mayRead,
  },
];

/** The frame of every view: the navigation, who is signed in, and whether the mesh answers. */
export const Shell = () => {
  const { session } = useData();
  const [at = "", one] = place.value.path;
  const offered = VIEWS.filter(({ isFor = () => true }) => isFor(session.caller));
  const view = offered.find(({ name }) => name === at);
  const View = (one === undefined ? view?.show : view?.showOne) ?? Missing;
  return (
    <div class="shell">
      <a class="skip" href="#main" onClick={toMain}>
        Skip to the content
      </a>
      <header class="side">
        <div class="brand">
          <Logo />
          <span class="mesh-name">{line(session.mesh.name)}</span>
        </div>
        <nav aria-label="Views">
          <ul>
            {offered.map(({ name, title, icon }) => (
              <li key={name}>
                <a href={`#/${name}`} aria-current={name === at ? "page" : undefined}>
                  <Icon name={icon} />
                  {title}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <div class="side-foot">
          <Connection />
          <p class="who">
            Signed in as <strong>{whoIs(session.caller)}</strong>
          </p>
          <div class="actions">
            <button type="button" class="button plain small" onClick={signOut}>
              <Icon name="leave" />
              Sign out
            </button>
            <ThemeButton />
          </div>
        </div>
      </header>
      <View key={`${at}/${one ?? ""}`} />
    </div>
  );
};

/** The address of the page is where the user is in it, so the link itself would lead elsewhere. */
function toMain(event: Event): void {
  event.preventDefault();
  const heading = document.querySelector<HTMLElement>("#main h1");
  heading?.focus();
}

function whoIs(caller: CallerView): string {
  if (mayAdminister(caller)) return "administrator";
  return mayWork(caller) ? "controller" : "viewer";
}

/** Whether what the page shows is up to date. */
const Connection = () => {
  const { mesh } = useData();
  const { value, error } = useLive(mesh.stats);
  const missing = value?.missing_cells ?? [];
  const state =
    error !== null ? "bad" : value === null ? "idle" : missing.length > 0 ? "warn" : "ok";
  const text =
    error !== null
      ? "No connection, trying again"
      : value === null
        ? "Connecting"
        : mesh.events.isOpen.value
          ? "Live"
          : "Renewed every few seconds";
  return (
    <p class="connection" role="status">
      <span class={`dot tone-${state}`} />
      {missing.length === 0 ? text : `No answer from ${cellsText(missing)}`}
    </p>
  );
};

const cellsText = (cells: readonly number[]): string =>
  `${cells.length === 1 ? "cell" : "cells"} ${cells.join(", ")}`;

const Missing = () => (
  <Page title="Not found">
    <p class="quiet">
      The dashboard has no such view. <a href="#/">Go to the overview</a>
    </p>
  </Page>
);
