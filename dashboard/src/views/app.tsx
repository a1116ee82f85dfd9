import { useComputed } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { session, signInAgain } from "../api/session.ts";
import { MeshData } from "../live/mesh-data.ts";
import { Notices } from "../ui/notices.tsx";
import { Data } from "./data.ts";
import { Shell } from "./shell.tsx";
import { SignIn } from "./sign-in.tsx";

export const App = () => {
  const [isKnown, setKnown] = useState(false);
  useEffect(() => void signInAgain().finally(() => setKnown(true)), []);
  const data = useComputed(() =>
    session.value === null ? null : { session: session.value, mesh: new MeshData(session.value) },
  ).value;
  // Nothing is shown before it is known whether this tab is signed in.
  if (!isKnown) return null;
  return (
    <>
      {data === null ? (
        <SignIn />
      ) : (
        <Data.Provider value={data}>
          <Shell />
        </Data.Provider>
      )}
      <Notices />
    </>
  );
};
