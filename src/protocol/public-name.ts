/**
 * Which host names public DNS can resolve. All others resolve in a local network, through a search list, or not at all: a URL
 * with one would lead into the network in which the mesh runs, or nowhere.
 */

/**
 * Names below which nothing is public, in the form that the URL standard gives a host: lower case, other scripts as `xn--`.
 *
 * `example` (RFC 2606) is allowed: it is reserved for documentation and no network serves it, so a call to it reaches nobody.
 */
const NOT_PUBLIC: readonly string[] = [
  // Special-use names (RFC 6761). `localhost` has a rule of its own, for loopback.
  "localhost",
  "test",
  "invalid",
  "local", // mDNS (RFC 6762)
  "onion", // Tor (RFC 7686)
  "alt", // names outside of DNS (RFC 9476)
  "arpa", // infrastructure of DNS (RFC 3172), without web servers; `home.arpa` is for home networks (RFC 8375)
  "internal", // reserved by ICANN for private networks (resolution 2024.07.29.06)
  // Private networks use these so much that ICANN delegates them to nobody (resolution 2018.02.04.12).
  "corp",
  "home",
  "mail",
  // Names that private networks use, by RFC 6762 appendix G, which also lists `internal`, `corp` and `home`.
  "intranet",
  "lan",
  "private",
  // The names of this machine in the hosts files of Linux distributions.
  "localdomain",
  "localdomain4",
  "localdomain6",
  // Names in clusters and containers: Kubernetes (`NAME.NAMESPACE.svc.cluster.local`, and `.svc` through its search list),
  // Consul, Docker, OpenStack.
  "svc",
  "cluster",
  "consul",
  "docker",
  "openstacklocal",
  "novalocal",
  // Names that home routers give to themselves and to their clients.
  "fritz.box",
  "router",
  "workgroup",
  // The metadata service of Google Cloud, also called `metadata.google.internal`.
  "metadata.goog",
];

/** Limits of DNS (RFC 1035 section 2.3.4); the dot at the end of a name does not count. */
const NAME_CHARS_MAX = 253;
const LABEL_CHARS_MAX = 63;

/**
 * Whether public DNS can resolve the name with these labels, which are in lower case and without the dot at the end. A name of
 * one label resolves only through a search list (RFC 7085). No top-level domain begins with a digit, and some resolvers read
 * such a name as an address.
 */
export function isPublicName(labels: readonly string[]): boolean {
  const name = labels.join(".");
  if (labels.length < 2 || name.length > NAME_CHARS_MAX) return false;
  if (labels.some(({ length }) => length < 1 || length > LABEL_CHARS_MAX)) return false;
  if (!/^[a-z]/.test(labels.at(-1) ?? "")) return false;
  return !NOT_PUBLIC.some((suffix) => name === suffix || name.endsWith(`.${suffix}`));
}
