import { copyFile, mkdir, mkdtemp, open, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { startMesh } from "../server/mesh-process.ts";
import { importIntoMesh } from "../src/cli/backup/import-mesh.ts";
import { backUpFolder, hashFolder } from "../src/cli/backup/make-backup.ts";
import { newMeshParts } from "../src/cli/backup/mesh-parts.ts";
import { nodeSql } from "../src/cli/backup/node-sql.ts";
import { restoreFolder } from "../src/cli/backup/restored-folder.ts";
import { replaceFile } from "../src/cli/files.ts";
import { newSecrets, stateFolder } from "../src/cli/state-folder.ts";
import { secretsText } from "../src/cli/secrets-file.ts";
import { controller } from "../src/client/index.ts";
import { migrate } from "../src/registry/migrate.ts";
import type { Bench } from "./bench.ts";
import { cpuMs } from "./cpu.ts";

const PEERS = 100_000;
const SECONDS_MAX = 10;
/** An import may take that long, or so many times the restore of the same file: command and mesh share the processors with all that runs. */
const RESTORES_MAX = 3;
const PASSPHRASE = { passphrase: "correct horse battery staple" };

export const backup: Bench = {
  summary:
    "backup, restore and import over HTTP of a mesh with 100,000 peers (times SCALE), beside a plain copy of its database",
  async run(log, scale) {
    const dir = await mkdtemp(join(tmpdir(), "muster-bench-"));
    try {
      return await measure(dir, Math.round(PEERS * scale), log);
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  },
};

async function measure(dir: string, peers: number, log: (line: string) => void) {
  const mesh = join(dir, "mesh");
  const { database } = await newMeshParts(mesh);
  await replaceFile(stateFolder(mesh).secrets, secretsText(newSecrets()));
  fill(database, peers);
  const { size } = await stat(database);
  log(`${peers} peers, ${Math.round(size / 1e6)} MB`);
  const [copyS] = await timed(async () => {
    await copyFile(database, join(dir, "copy"));
    const copy = await open(join(dir, "copy"));
    await copy.sync();
    await copy.close();
  });
  const [hashS, before] = await timed(() => hashFolder(mesh));
  const plain = await roundTrip(dir, mesh, "plain", null, log);
  const sealed = await roundTrip(dir, mesh, "sealed", PASSPHRASE, log);
  const imported = await importOverHttp(dir, mesh, log);
  const equal = [plain, sealed, imported].every(({ hash }) => hash === before.state_hash);
  const seconds = [plain, sealed].flatMap(({ figures }) => [figures.backup_s, figures.restore_s]);
  return {
    peers,
    rows: before.rows,
    database_mb: Math.round(size / 1e6),
    copy_s: copyS,
    state_hash_s: hashS,
    plain: plain.figures,
    sealed: sealed.figures,
    import: imported.figures,
    rss_mb: Math.round(process.memoryUsage().rss / 1e6),
    same_state_hash: equal,
    ok:
      equal &&
      Math.max(...seconds) < SECONDS_MAX &&
      imported.figures.total_s < Math.max(SECONDS_MAX, RESTORES_MAX * plain.figures.restore_s),
  };
}

async function roundTrip(
  dir: string,
  mesh: string,
  name: string,
  seal: typeof PASSPHRASE | null,
  log: (line: string) => void,
) {
  const [file, to] = [join(dir, `${name}.backup`), join(dir, name)];
  const [backupS] = await timed(() =>
    backUpFolder(mesh, { out: file, sealTo: seal, secrets: true }),
  );
  const secretsFile = seal === null ? stateFolder(mesh).secrets : undefined;
  const [restoreS] = await timed(() => restoreFolder({ file, dir: to, opener: seal, secretsFile }));
  const { state_hash: hash } = await hashFolder(to);
  const file_mb = Math.round((await stat(file)).size / 1e6);
  log(`${name}: backup ${backupS} s, restore ${restoreS} s, ${file_mb} MB`);
  return { hash, figures: { backup_s: backupS, restore_s: restoreS, file_mb } };
}

/** Imports the file of `plain` into a mesh that runs on this machine: the command and the mesh share its processors. */
async function importOverHttp(dir: string, mesh: string, log: (line: string) => void) {
  const to = join(dir, "imported");
  await mkdir(to, { mode: 0o700 });
  await copyFile(stateFolder(mesh).secrets, stateFolder(to).secrets);
  const running = await startMesh({ dir: to, port: 0 });
  try {
    const client = controller({ url: running.url, token: running.adminToken });
    const cpuBefore = process.cpuUsage();
    const begun = performance.now();
    const at = { first: 0, last: 0 };
    let parts = 0;
    const { summary } = await importIntoMesh(client, {
      file: join(dir, "plain.backup"),
      opener: null,
      onPart(sent, of) {
        parts = of;
        at.last = performance.now();
        if (sent === 1) at.first = at.last;
      },
    });
    const ended = performance.now();
    const { user, system } = process.cpuUsage(cpuBefore);
    const figures = {
      total_s: secondsOf(ended - begun),
      // The front of the mesh, which passes the parts on, is in the process of the command here.
      command_cpu_s: secondsOf((user + system) / 1e3),
      mesh_cpu_s: secondsOf(cpuMs(running.pid as number)),
      until_first_part_s: secondsOf(at.first - begun),
      parts_s: secondsOf(at.last - at.first),
      commit_s: secondsOf(ended - at.last),
      parts,
    };
    log(`import: ${JSON.stringify(figures)}`);
    return { hash: summary.state_hash, figures };
  } finally {
    await running.stop();
  }
}

const secondsOf = (ms: number): number => Math.round(ms) / 1e3;

async function timed<T>(work: () => Promise<T>): Promise<readonly [seconds: number, value: T]> {
  const start = performance.now();
  const value = await work();
  return [secondsOf(performance.now() - start), value];
}

/** The numbers from 1 on, in the column `i`. */
const numbers = (max: number): string =>
  `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${max})`;

/** A mesh with listed peers that have measurements, and tenth as many ended tasks with an attempt each. */
function fill(path: string, peers: number): void {
  const database = new DatabaseSync(path);
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF");
  migrate(nodeSql(database));
  const id = "lower(printf('%032x', i * 2654435761))";
  database.exec(`BEGIN;
    INSERT INTO peers (id, name, public_key, address, role, added_at, last_seen, state, epoch, session, protocol, speaks_muster,
        may_assign, capabilities, slots, held, rtt_ms, hops, geo_km, successes, failures, score, kinds)
      ${numbers(peers)} SELECT ${id}, 'worker ' || i, ${id} || ${id}, '203.0.113.7', 'worker', 1795348800000, 1795348800000 + i, 'active',
        3, ${id} || ${id}, 'muster/2', 1, 0, '["gpu","arch=arm64"]', 4, 0, 12.5 + i % 100, 1, 5570.25, i % 50, i % 3, 0.8125, '["resize","render"]' FROM n;
    INSERT INTO allowlist (public_key, peer_id, label, roles, added_at)
      ${numbers(peers)} SELECT ${id} || ${id}, ${id}, 'the lab', '["worker"]', 1795348800000 FROM n;
    INSERT INTO observed (peer_id, successes, failures, timeouts, refusals, outcomes_at)
      ${numbers(peers)} SELECT ${id}, 12.4, 0.5, 0, 0, 1795348800000 + i FROM n;
    INSERT INTO tasks (id, kind, payload, state, source, requirements, priority, created_at, deadline_at, not_before, ended_at,
        max_attempts, lease_ms, fence, tries, result)
      ${numbers(Math.round(peers / 10))} SELECT 'task ' || i, 'resize', '{"url":"https://example.com/a.png"}', 'succeeded', 'api', '{}', 0, 1795348800000,
        1795352400000, 1795348800000, 1795348860000, 3, 60000, 1, 1, '{"url":"https://example.com/b.png"}' FROM n;
    INSERT INTO attempts (task_id, fence, peer_id, peer_name, score, state, started_at)
      ${numbers(Math.round(peers / 10))} SELECT 'task ' || i, 1, ${id}, 'worker ' || i, 0.8, 'succeeded', 1795348800000 FROM n;
    COMMIT; PRAGMA wal_checkpoint(TRUNCATE)`);
  database.close();
}
