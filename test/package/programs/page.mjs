// Runs the program in a web page, for a bundler that knows the threads of the SDK.
import { useSdk } from "./use-sdk.mjs";

globalThis.useSdk = (settings) =>
  useSdk({ ...settings, handlersModule: `${location.origin}/${settings.name}.handlers.mjs` });
