import type { ComponentType } from "preact";
import { mayAdminister } from "../../api/session.ts";
import { place } from "../../live/place.ts";
import { Page, Panel } from "../../ui/page.tsx";
import { useData } from "../data.ts";
import { Allowlist } from "./allowlist.tsx";
import { AuditEntries } from "./audit-entries.tsx";
import { AuthModePanel } from "./auth-mode.tsx";
import { Denylist } from "./denylist.tsx";
import { JoinKeys } from "./join-keys.tsx";
import { Tokens } from "./tokens.tsx";

/** Who may join the mesh and use it. */
const Admission = () => {
  const { session } = useData();
  return (
    <>
      <AuthModePanel />
      {mayAdminister(session.caller) && <JoinKeys />}
      <Allowlist />
      <Denylist />
    </>
  );
};

const Audit = () => (
  <Panel title="Audit log">
    <AuditEntries />
  </Panel>
);

interface Tab {
  readonly name: string;
  readonly title: string;
  readonly show: ComponentType;
}

const TABS: readonly Tab[] = [
  { name: "", title: "Admission", show: Admission },
  { name: "tokens", title: "Tokens", show: Tokens },
  { name: "audit", title: "Audit", show: Audit },
];

export const Access = () => {
  const { session } = useData();
  const at = place.value.path[1] ?? "";
  // Tokens and the audit log are for administrators.
  const tabs = mayAdminister(session.caller) ? TABS : TABS.slice(0, 1);
  const Shown = tabs.find(({ name }) => name === at)?.show ?? Admission;
  return (
    <Page title="Access">
      {tabs.length > 1 && (
        <nav class="tabs" aria-label="Access">
          <ul>
            {tabs.map(({ name, title }) => (
              <li key={name}>
                <a
                  href={name === "" ? "#/access" : `#/access/${name}`}
                  aria-current={name === at ? "page" : undefined}
                >
                  {title}
                </a>
              </li>
            ))}
          </ul>
        </nav>
      )}
      <Shown />
    </Page>
  );
};
