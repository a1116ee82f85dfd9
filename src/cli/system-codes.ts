/**
 * The error codes of the system that Muster prints, and what to do about each: hints of the command line are made from this table, and
 * docs/troubleshooting.md has an entry for each.
 */
const FILES = {
  EACCES: "this user may not: change the permissions, or run the command as the owner",
  EPERM: "the system does not allow it: change the permissions, or run the command as the owner",
  EROFS: "the file system is read-only: choose a path on another one",
  ENOSPC: "the disk is full: free space on it",
  EDQUOT: "the disk quota of this user is used up: free space, or raise it",
  ENOENT: "check the path: a part of it does not exist",
  ENOTDIR: "check the path: a part of it is a file, and no folder",
  EISDIR: "it is a folder: name a file",
  EEXIST: "it exists already: choose another path",
  ELOOP: "symbolic links lead in a circle there: choose another path",
  ENAMETOOLONG: "the path is too long: choose a shorter one",
  EMFILE: "this process has too many files open: raise the limit (ulimit -n)",
  ENFILE: "the system has too many files open: end other programs",
  EBUSY: "another program uses it: try again when that has ended",
  EIO: "the disk reports an error: check it",
} as const;

const NETWORK = {
  EADDRINUSE: "another program listens there: end it, or choose another port",
  EADDRNOTAVAIL: "it is not an address of this machine: choose another one",
  ECONNREFUSED: "nothing listens there: check host and port, and that the mesh runs",
  ECONNRESET: "the other side has ended the connection: try again",
  ECONNABORTED: "the connection was ended: try again",
  ETIMEDOUT: "there is no answer: check host, port and firewalls",
  EHOSTUNREACH: "no route leads to that host: check the network",
  ENETUNREACH: "no route leads to that network: check the network",
  ENOTFOUND: "the host name does not exist: check its spelling",
  EAI_AGAIN: "the name server does not answer: check the network, and try again",
  EPIPE: "the other side has ended the connection: try again",
} as const;

const PROCESSES = {
  EAGAIN: "the system has too many processes: end some, or raise the limit (ulimit -u)",
  ENOMEM: "the system has too little memory: end other programs",
  ENOEXEC: "the system cannot run this file: check that it is a program for this machine",
} as const;

export const SYSTEM_CODES: Readonly<Record<string, string>> = {
  ...FILES,
  ...NETWORK,
  ...PROCESSES,
};

/** What to do about a code of the system; undefined if nothing is known. */
export const systemRemedy = (code: string | undefined): string | undefined =>
  code !== undefined && Object.hasOwn(SYSTEM_CODES, code) ? SYSTEM_CODES[code] : undefined;
