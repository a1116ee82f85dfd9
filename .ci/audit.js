// Known vulnerabilities of what is installed: one of severity high or above, in what ships, fails. A registry that gives no answer fails
// nothing: the check is then skipped, and says so.
import { spawnSync } from "node:child_process";

const { stdout } = spawnSync("npm", ["audit", "--omit=dev", "--json"], {
  encoding: "utf8",
  timeout: 60_000,
});

const report = parse(stdout);
const found = report?.metadata?.vulnerabilities;
if (found === undefined) {
  console.log(`npm audit skipped: the registry gave no report (${firstLine(report?.message)})`);
} else {
  console.log(`npm audit: ${JSON.stringify(found)}`);
  for (const [name, { severity, range }] of Object.entries(report.vulnerabilities))
    console.log(`  ${severity}: ${name} ${range}`);
  if (found.high + found.critical > 0) process.exitCode = 1;
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Without the address of the registry. */
function firstLine(message) {
  return String(message ?? "no answer")
    .split("\n")[0]
    .replace(/https?:\S+/g, "its address");
}
