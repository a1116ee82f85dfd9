import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { COMMAND_GROUPS } from "../../src/cli/commands/index.ts";
import { EXIT_MEANINGS } from "../../src/cli/exit-codes.ts";
import { tableOf } from "../../src/cli/help/command-table.ts";

const PAGE = new URL("../../docs/command-line.md", import.meta.url).pathname;
const page = readFileSync(PAGE, "utf8");

/** The section with the commands, as the table of the commands has them. */
function commandsSection(): string {
  const rows = tableOf(COMMAND_GROUPS);
  const groups = COMMAND_GROUPS.flatMap(({ title }) => [
    `### ${title}`,
    "",
    ...rows
      .filter(({ group }) => group === title)
      .map(({ usage, summary }) => `- \`muster ${usage}\`: ${summary}.`),
    "",
  ]);
  return ["## Commands", "", ...groups].join("\n");
}

/** `npx vitest run --project core test/cli/documentation.test.ts -u` renews the section. */
test("CL40 docs/command-line.md lists every command and action", async () => {
  const renewed = page.replace(
    /## Commands\n[\s\S]*?(?=\n## )/,
    () => commandsSection().trimEnd() + "\n",
  );
  await expect(renewed).toMatchFileSnapshot(PAGE);
});

test("CL40 and every exit code", () => {
  const section = /## Exit codes\n[\s\S]*?(?=\n## )/.exec(page)?.[0] ?? "";
  for (const [code] of EXIT_MEANINGS) expect(section).toContain(`\`${code}\``);
});
