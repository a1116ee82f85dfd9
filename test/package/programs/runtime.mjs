// Runs the program on Node, Deno or Bun, with its settings as an argument. Prints what worked as JSON.
import process from "node:process";
import { useSdk } from "./use-sdk.mjs";

const settings = JSON.parse(process.argv[2]);
const handlersModule = new URL(`./${settings.name}.handlers.mjs`, import.meta.url);
console.log(JSON.stringify(await useSdk({ ...settings, handlersModule })));
process.exit(0);
