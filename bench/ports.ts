import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** The state of a listening socket in Linux's `/proc/net/tcp`. */
const LISTENING = "0A";

/** The IPv4 ports on which a process listens. */
export function listeningPorts(pid: number): readonly number[] {
  const own = new Set(socketsOf(pid));
  return readFileSync(`/proc/${pid}/net/tcp`, "utf8")
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , state, , , , , , inode = ""]) => state === LISTENING && own.has(inode))
    .map(([, address = ""]) => Number.parseInt(address.split(":")[1] ?? "", 16));
}

/** The inodes of the sockets of a process. */
function socketsOf(pid: number): readonly string[] {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).flatMap((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`${folder}/${fd}`))?.[1] ?? [];
    } catch {
      return []; // closed in the meantime
    }
  });
}
