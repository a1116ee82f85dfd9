import { useState } from "preact/hooks";
import { messageOf } from "../api/api-error.ts";
import { signedOutBecause, signIn } from "../api/session.ts";
import { Button } from "../ui/button.tsx";
import { Field } from "../ui/field.tsx";
import { Logo } from "./logo.tsx";
import { ThemeButton } from "./theme-button.tsx";

export const SignIn = () => {
  const [token, setToken] = useState("");
  const [keep, setKeep] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await signIn(token.trim(), keep);
    } catch (failed) {
      setError(messageOf(failed));
      setBusy(false);
    }
  };

  const told = error ?? signedOutBecause.value;
  return (
    <main class="sign-in" id="main">
      <form class="panel" onSubmit={(event) => void submit(event)}>
        <Logo />
        <h1>Sign in to this mesh</h1>
        <Field label="Token" hint="An API token, or the admin token of the mesh.">
          {(id) => (
            <input
              id={id}
              type="password"
              autoComplete="off"
              spellcheck={false}
              required
              autoFocus
              value={token}
              onInput={({ currentTarget }) => setToken(currentTarget.value)}
            />
          )}
        </Field>
        <label class="check">
          <input
            type="checkbox"
            checked={keep}
            onChange={({ currentTarget }) => setKeep(currentTarget.checked)}
          />
          Stay signed in when this tab is reloaded
        </label>
        {told !== null && (
          <p class="error" role="alert">
            {told}
          </p>
        )}
        <Button type="submit" kind="primary" busy={busy}>
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
