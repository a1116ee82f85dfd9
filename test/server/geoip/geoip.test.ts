import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openGeoDatabase } from "../../../server/geoip/database.ts";
import { serveLocations } from "../../../server/geoip/location-service.ts";
import { cityRecord, writeMmdb } from "../../mmdb.ts";

const PARIS = { latitude: 48.8566, longitude: 2.3522 };
const SYDNEY = { latitude: -33.8688, longitude: 151.2093 };

let folder = "";
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), "muster-geoip-"))));
afterAll(() => rm(folder, { recursive: true }));

async function fileOf(bytes: Uint8Array, name = "test.mmdb"): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, bytes);
  return file;
}

const city = () =>
  writeMmdb([
    { network: "192.0.2.0/24", record: cityRecord(PARIS.latitude, PARIS.longitude) },
    { network: "2001:db8::/32", record: cityRecord(SYDNEY.latitude, SYDNEY.longitude) },
    { network: "198.51.100.0/25", record: { map: { lat: "48.8566", lng: "2.3522" } } },
    { network: "198.51.100.128/25", record: { map: { country_code: "FR" } } },
    { network: "203.0.113.0/24", record: cityRecord(91, 0) },
  ]);

describe("a database in MaxMind's format", () => {
  test("SC35 locates IPv4 and IPv6 addresses, and names its type and date", async () => {
    const { locate, source } = await openGeoDatabase(await fileOf(city()));
    expect(source).toBe("Test-City of 2026-11-03");
    expect(locate("192.0.2.0")).toEqual(PARIS);
    expect(locate("192.0.2.255")).toEqual(PARIS);
    expect(locate("::ffff:192.0.2.1")).toEqual(PARIS);
    expect(locate("2001:db8:5::1")).toEqual(SYDNEY);
    expect(locate("198.51.100.1")).toEqual(PARIS);
  });

  test.for([
    "192.0.3.0",
    "::1",
    "127.0.0.1",
    "198.51.100.200",
    "203.0.113.1",
    "",
    "paris",
    "1.2.3",
  ])("SC35 knows no location of %s", async (address) => {
    const { locate } = await openGeoDatabase(await fileOf(city()));
    expect(locate(address)).toBeNull();
  });

  test("SC35 that is missing or of another format is a failure that names the file", async () => {
    const missing = join(folder, "missing.mmdb");
    await expect(openGeoDatabase(missing)).rejects.toThrow("missing.mmdb");
    const other = await fileOf(Buffer.from("hello"), "other.mmdb");
    await expect(openGeoDatabase(other)).rejects.toThrow(`${other} is not a database`);
  });

  test("SC35 that is damaged locates nobody, and throws nothing", async () => {
    const bytes = city();
    bytes.fill(0xff, 0, 60);
    const { locate } = await openGeoDatabase(await fileOf(bytes, "damaged.mmdb"));
    expect(locate("192.0.2.1")).toBeNull();
  });
});

describe("the location service", () => {
  test("SC35 answers by address, on the loopback interface, until it is stopped", async () => {
    const service = await serveLocations(await openGeoDatabase(await fileOf(city())));
    expect(service.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const found = await fetch(`${service.url}/${encodeURIComponent("2001:db8::7")}`);
    expect(await found.json()).toEqual({ ...SYDNEY, source: "Test-City of 2026-11-03" });
    for (const path of ["/127.0.0.1", "/%zz", "/", "/../etc/passwd"])
      expect((await fetch(service.url + path)).status).toBe(404);
    service.stop();
    await expect(fetch(`${service.url}/192.0.2.1`)).rejects.toThrow();
  });
});
