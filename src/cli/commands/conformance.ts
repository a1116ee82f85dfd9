import { controller } from "../../client/index.ts";
import { apiBase } from "../../client/urls.ts";
import { LEVELS, SUBSETS, type CheckInfo } from "../../conformance/check.ts";
import { GO_P2P_CHECKS } from "../../conformance/checks/go-p2p.ts";
import { MUSTER_2_CHECKS } from "../../conformance/checks/index.ts";
import { selectChecks } from "../../conformance/select-checks.ts";
import { SERVER_CHECKS } from "../../conformance/server/index.ts";
import { PROTOCOLS } from "../../protocol/http.ts";
import { choiceOption, type Values } from "../args.ts";
import { command } from "../command.ts";
import { expectDial, preparePeerCheck } from "../conformance/peer-bench.ts";
import { listChecks, runAndReport } from "../conformance/report.ts";
import { prepareServerCheck } from "../conformance/server-bench.ts";
import { UsageError } from "../failure.ts";
import { readSecret, secretDetails } from "../secrets.ts";

const OPTIONS = {
  cmd: { type: "string" },
  server: { type: "string" },
  token: { type: "string" },
  "token-file": { type: "string" },
  protocol: { type: "string" },
  only: { type: "string" },
  level: { type: "string" },
  subset: { type: "string" },
  jobs: { type: "string" },
  junit: { type: "string" },
  list: { type: "boolean" },
  json: { type: "boolean" },
} as const;

type Options = Values<typeof OPTIONS>;

/** Runs a peer program, or a mesh, through the checks of the protocol. */
export const conformance = command({
  usage: "conformance --cmd COMMAND | --server URL [--only IDS] [--level must] [--subset core] ...",
  summary: "check a peer program, or a mesh, of your own against the protocol",
  details: [
    [
      "--cmd COMMAND",
      "the peer program, which the shell starts for each check (docs/conformance.md)",
    ],
    ["--server URL", "check a mesh instead, as a scripted peer"],
    ...secretDetails("token", "a token of the mesh, by which tasks are submitted"),
    ["--token TOKEN", "the same as an argument, which other users of this machine can see"],
    ["--protocol P", `${PROTOCOLS.join(", ")}; default: ${PROTOCOLS[0]}`],
    ["--only IDS", "only these checks, such as HK05,WT01"],
    ["--level must", "leave out the checks that say `should`"],
    ["--subset core", "only what every peer needs"],
    ["--jobs N", "checks that run at the same time; default: 4 for each core"],
    ["--junit FILE", "write the report as JUnit XML, too"],
    ["--list", "print the checks, and run none"],
    ["--json", "print the report as JSON"],
  ],
  examples: [
    "conformance --cmd 'python peer.py'",
    "conformance --cmd ./peer --subset core --junit report.xml",
    "conformance --server http://127.0.0.1:8787",
  ],
  options: OPTIONS,
  arguments: [],
  run: (values) => {
    if (values.cmd !== undefined && values.server !== undefined)
      throw new UsageError("--cmd and --server exclude each other", "leave one of them out");
    return values.server === undefined
      ? checkPeer(values, values.cmd)
      : checkMesh(values, values.server);
  },
});

async function checkPeer(values: Options, cmd: string | undefined): Promise<number> {
  for (const name of ["token", "token-file"] as const)
    if (values[name] !== undefined)
      throw new UsageError(`--${name} has no effect with --cmd`, "it is for --server");
  const protocol = choiceOption("protocol", values.protocol, PROTOCOLS) ?? PROTOCOLS[0];
  const checks = selected(values, protocol === "muster/2" ? MUSTER_2_CHECKS : GO_P2P_CHECKS);
  if (values.list === true) return listChecks(checks, values.json === true);
  if (cmd === undefined || cmd.trim() === "")
    throw new UsageError(
      "--cmd is missing",
      "it is the command line of the peer program; --server URL checks a mesh",
    );
  const program = { command: cmd, protocol };
  const about = { protocol, subject: "peer" } as const;
  await expectDial(program);
  return runAndReport(values, about, checks, (check) => preparePeerCheck(program, check));
}

async function checkMesh(values: Options, server: string): Promise<number> {
  if (choiceOption("protocol", values.protocol, PROTOCOLS) === "go-p2p/1.0")
    throw new UsageError("--server checks muster/2 only", "leave --protocol out");
  const url = apiBase(server);
  const checks = selected(values, SERVER_CHECKS);
  if (values.list === true) return listChecks(checks, values.json === true);
  const token = await readSecret("token", { value: values.token, file: values["token-file"] });
  const about = { protocol: "muster/2", subject: "mesh" } as const;
  // A token that the mesh refuses says nothing about the mesh: it ends the command, and fails no check.
  if (token !== undefined)
    await controller({ url, token }).tokens.list()[Symbol.asyncIterator]().next();
  await controller({ url }).settings.mesh(); // throws if nothing answers as a mesh there
  return runAndReport(values, about, checks, (check) => prepareServerCheck({ url, token }, check));
}

function selected<C extends CheckInfo>(values: Options, checks: readonly C[]): readonly C[] {
  const { selected: found, unknown } = selectChecks(checks, {
    only: values.only?.split(",").map((id) => id.trim()),
    level: choiceOption("level", values.level, LEVELS),
    subset: choiceOption("subset", values.subset, SUBSETS),
  });
  if (unknown.length > 0)
    throw new UsageError(`there is no check ${unknown.join(", ")}`, "--list prints the checks");
  if (found.length === 0)
    throw new UsageError("no check is selected", "--list prints the checks, with their levels");
  return found;
}
