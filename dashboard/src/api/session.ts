/** Who uses the page: the token is in memory, and if the user wants it in the storage of this tab, which ends with the tab. It is never in an address. */
import { signal } from "@preact/signals";
import type { CallerView, MeshView } from "../../../src/protocol/http.ts";
import { MeshApi } from "./mesh-api.ts";

export interface Session {
  readonly api: MeshApi;
  readonly caller: CallerView;
  readonly mesh: MeshView;
  /** The mesh's clock minus the browser's, in milliseconds. */
  readonly clockOffset: number;
}

/** Null: nobody is signed in. */
export const session = signal<Session | null>(null);
/** Why the last session ended; null if the user ended it. */
export const signedOutBecause = signal<string | null>(null);

const STORED = "muster.token";

/** Checks the token with the mesh. Rejects if the mesh does not accept it. */
export async function signIn(token: string, keep: boolean): Promise<void> {
  const api = new MeshApi(token, (detail) => {
    if (session.value?.api === api) end(`Signed out: ${detail}.`);
  });
  const [caller, mesh] = await Promise.all([
    api.get<CallerView>("/v1/caller"),
    api.get<MeshView>("/v1/mesh"),
  ]);
  if (keep) sessionStorage.setItem(STORED, token);
  signedOutBecause.value = null;
  session.value = { api, caller, mesh, clockOffset: Date.parse(mesh.time) - Date.now() };
}

/** Signs in with the token that this tab has kept. Resolves to false if there is none, or it is not accepted. */
export async function signInAgain(): Promise<boolean> {
  const token = sessionStorage.getItem(STORED);
  if (token === null) return false;
  try {
    await signIn(token, true);
    return true;
  } catch (error) {
    end(`Signed out: ${(error as Error).message}.`);
    return false;
  }
}

export const signOut = (): void => end(null);

function end(reason: string | null): void {
  sessionStorage.removeItem(STORED);
  session.value = null;
  signedOutBecause.value = reason;
}

/** What scopes may do, as far as the page offers it. */
export const mayRead = ({ scope }: CallerView): boolean => scope === "admin" || scope === "viewer";
export const mayWork = ({ scope }: CallerView): boolean =>
  scope === "admin" || scope === "controller";
export const mayAdminister = ({ scope }: CallerView): boolean => scope === "admin";
