// Reads a JSON report of Vitest: prints "PASSED FAILED" on its first line, then what failed, each with the start of its message.
import { readFileSync } from "node:fs";
import process from "node:process";

const MESSAGE_CHARACTERS = 600;

const { numPassedTests, numFailedTests, success, testResults } = JSON.parse(
  readFileSync(process.argv[2], "utf8"),
);
console.log(numPassedTests, success ? numFailedTests : Math.max(1, numFailedTests));
for (const file of testResults) {
  const failures = file.assertionResults.filter((test) => test.status === "failed");
  for (const test of failures) print(file, test.fullName, test.failureMessages.join("\n"));
  // A file that can't be loaded has no tests.
  if (file.status === "failed" && failures.length === 0)
    print(file, "the file itself", file.message ?? "");
}

function print(file, name, message) {
  console.log(`${file.name}: ${name}`);
  console.log(`    ${message.slice(0, MESSAGE_CHARACTERS).replaceAll("\n", "\n    ")}`);
}
