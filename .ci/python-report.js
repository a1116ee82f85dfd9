// Reads a JUnit report of pytest: prints "PASSED FAILED" on its first line, then what failed, each with the start of its message.
import { readFileSync } from "node:fs";
import process from "node:process";

const MESSAGE_CHARACTERS = 600;

const report = readFileSync(process.argv[2], "utf8");
const cases = [...report.matchAll(/<testcase ([^>]*?)(?:\/>|>(.*?)<\/testcase>)/gs)].map(
  ([, attributes = "", content = ""]) => ({
    name: `${attribute(attributes, "classname")}: ${attribute(attributes, "name")}`,
    failure: /<(?:failure|error) message="([^"]*)"/.exec(content)?.[1],
    isSkipped: content.includes("<skipped "),
  }),
);
if (cases.length === 0) throw new Error("the report has no tests");
const failed = cases.filter(({ failure }) => failure !== undefined);
const skipped = cases.filter(({ isSkipped }) => isSkipped);
console.log(cases.length - failed.length - skipped.length, failed.length);
for (const { name, failure = "" } of failed) {
  console.log(name);
  console.log(`    ${text(failure).slice(0, MESSAGE_CHARACTERS).replaceAll("\n", "\n    ")}`);
}

function attribute(attributes, name) {
  return text(new RegExp(`(?:^| )${name}="([^"]*)"`).exec(attributes)?.[1] ?? "");
}

function text(escaped) {
  return escaped
    .replaceAll("&#10;", "\n")
    .replaceAll("&quot;", '"')
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
}
