/** What every view gets: the session, and the data of the mesh that views share. */
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Session } from "../api/session.ts";
import type { MeshData } from "../live/mesh-data.ts";

interface SignedIn {
  readonly session: Session;
  readonly mesh: MeshData;
}

export const Data = createContext<SignedIn | null>(null);

export function useData(): SignedIn {
  const data = useContext(Data);
  if (data === null) throw new Error("a view is shown only while somebody is signed in");
  return data;
}
