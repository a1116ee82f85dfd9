import type { DeliveryInput } from "../../src/contract/webhooks.ts";
import { submission } from "../coordinator/submission.ts";
import { readCredential } from "../../src/access/credential.ts";
import type { CommandAnswer } from "../../src/contract/commands.ts";
import { EventMapping } from "../../src/protocol/http.ts";
import type { FactChange, FactPlace } from "../../src/registry/fact-tables.ts";
import { ANNOUNCED, type Announced } from "../coordinator/announced.ts";
import type { Key } from "../coordinator/keys.ts";
import { TEST_CONFIG } from "../coordinator/test-config.ts";
import { must, present } from "../must.ts";
import type { CellMesh } from "./cell-mesh.ts";
import type { TestCell } from "./test-cell.ts";

/** Every fact that a cell knows. */
export function factsOf({ registry }: TestCell): readonly FactChange[] {
  const all: FactChange[] = [];
  for (let from: FactPlace | null = null; ;) {
    const page = registry.facts.page(from);
    all.push(...page.changes);
    if (page.next === null) return all;
    from = page.next;
  }
}

/** A mesh whose cells and callers know each other. */
export async function startedMesh(mesh: CellMesh): Promise<CellMesh> {
  await mesh.call("get_auth_mode", {});
  await mesh.settle(2);
  return mesh;
}

export interface TestToken {
  readonly id: string;
  readonly hash: string;
}

export async function createToken(mesh: CellMesh, more: object = {}): Promise<TestToken> {
  const created = must(
    await mesh.call("create_token", { label: "", scope: "controller", ...more }),
  );
  const { id, hash } = present(readCredential("mst", TEST_CONFIG.credentialKey, created.token));
  return { id, hash };
}

/** What each cell says of a token: the codes of its errors, or `ok`. */
export const verdictsOf = (mesh: CellMesh, { id, hash }: TestToken): Promise<readonly string[]> =>
  Promise.all(
    mesh.cells.map(async (cell) => {
      const input = { id, hash };
      const [asked] = await mesh.callBetween(cell.number, "anonymous", [
        { name: "authenticate", input },
      ]);
      const [acts] = await mesh.callBetween(cell.number, `token:${id}`, [
        { name: "task_stats", input: { visibleTo: null } },
      ]);
      return `${codeOf(asked)} ${codeOf(acts)}`;
    }),
  );

export const codeOf = (answer: CommandAnswer | undefined): string =>
  answer === undefined ? "no answer" : answer.ok ? "ok" : answer.error.code;

/** A peer joins, over a session that has its ID as its name. */
export async function join(
  mesh: CellMesh,
  { id, publicKey }: Key,
  announced: Announced = {},
): Promise<CommandAnswer> {
  const { tcpRttMs, ...rest } = ANNOUNCED;
  const input = { ...rest, tcpRttMs, ...announced, peerId: id, publicKey, session: id };
  const [answer] = await mesh.session({ name: "admit", input });
  return present(answer);
}

export const sourceNamed = (name: string) => ({
  name,
  scheme: "hmac" as const,
  signature: null,
  sealedSecrets: ["c2VhbGVk"],
  mapping: EventMapping.parse({ kind: "build" }),
  filters: [],
  maxBytes: null,
  maxBodyBytes: null,
  identity: null,
});

/** A delivery to the source `ci`, which becomes a task. */
export const deliveryOf = (
  { id, revision }: { readonly id: string; readonly revision: number },
  deliveryId: string,
): DeliveryInput => ({
  source: "ci",
  sourceId: id,
  revision,
  deliveryId,
  earlier: null,
  bytes: 2,
  sealed: null,
  verdict: { outcome: "task", task: submission({ kind: "build" }).task },
  replay: null,
});
