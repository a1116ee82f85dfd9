/** Second labels below which a country's registry gives names to anybody, so that the name before them is the owner's. */
const SHARED_SECOND_LABELS = new Set(
  "ac co com edu go gob gov gub mil ne net nom or org".split(" "),
);

/**
 * What several origins have in common that are most likely one receiver: an address, or a domain with all its subdomains and ports. Names
 * below one domain can also belong to many tenants of a hosting service, so a site only shares places for receivers that have not
 * answered; whether one of them answers is known of each origin by itself. Without the Public Suffix List the domain is a guess:
 * the last two labels, or three below such as `co.uk`.
 */
export function siteOf(origin: string): string {
  const { hostname } = new URL(origin);
  if (hostname.startsWith("[") || /^[\d.]+$/.test(hostname)) return hostname;
  const labels = hostname.replace(/\.$/, "").split(".");
  const [second = "", last = ""] = labels.slice(-2);
  const isShared = last.length === 2 && SHARED_SECOND_LABELS.has(second);
  return labels.slice(isShared ? -3 : -2).join(".");
}
