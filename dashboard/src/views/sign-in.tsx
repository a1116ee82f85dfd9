import { useState } from "preact/hooks";
import { signedOutBecause, signIn } from "../api/session.ts";
import { Failure, useAct } from "../ui/act.tsx";
import { Button } from "../ui/button.tsx";
import { Input } from "../ui/field.tsx";
import { Logo } from "./logo.tsx";
import { ThemeButton } from "./theme-button.tsx";

export const SignIn = () => {
  const [token, setToken] = useState("");
  const [keep, setKeep] = useState(false);

  const submit = useAct(async () => {
    await signIn(token.trim(), keep);
  });

  const told = submit.error ?? signedOutBecause.value;
  return (
    <main class="sign-in" id="main">
      <form class="panel" onSubmit={submit.submit}>
        <Logo />
        <h1>Sign in to this mesh</h1>
        <Input
          label="Token"
          hint="An API token, or the admin token of the mesh."
          type="password"
          autoComplete="off"
          spellcheck={false}
          required
          autoFocus
          value={token}
          onChange={setToken}
        />
        <label class="check">
          <input
            type="checkbox"
            checked={keep}
            onChange={({ currentTarget }) => setKeep(currentTarget.checked)}
          />
          Stay signed in when this tab is reloaded
        </label>
        <Failure error={told} />
        <Button type="submit" kind="primary" busy={submit.busy}>
          Sign in
        </Button>
        <details>
          <summary>Where is my token?</summary>
          <ul>
            <li>
              <code>muster start</code> prints the path of the file with the admin token.
            </li>
            <li>
              <code>muster token create viewer</code> makes a token that reads and changes nothing,{" "}
              <code>muster token create controller</code> one that submits tasks.
            </li>
          </ul>
        </details>
      </form>
      <ThemeButton />
    </main>
  );
};
