import { takeOverOutput } from "./output.ts";
import { runCommandLine, tellError } from "./run.ts";

const argv = process.argv.slice(2);

takeOverOutput((error) => process.exit(tellError(error, argv)));

process.exitCode = await runCommandLine(argv);
