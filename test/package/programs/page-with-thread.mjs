// Runs the program in a web page, for a bundler to which the thread is an entry of its own: docs/tasks.md says how.
import { useSdk } from "./use-sdk.mjs";

globalThis.useSdk = (settings) =>
  useSdk({
    ...settings,
    handlersModule: `${location.origin}/${settings.name}.handlers.mjs`,
    createThread: () => new Worker("/thread.js", { type: "module" }),
  });
