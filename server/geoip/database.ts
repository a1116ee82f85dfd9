import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { Reader, type Response } from "mmdb-lib";
import { placeOf, type Place } from "../../src/base/place.ts";
import { UsageError } from "../../src/cli/failure.ts";
import { unreadableInput } from "../../src/cli/files.ts";

/** A database of locations by address, in MaxMind's format. */
export interface GeoDatabase {
  /** Its type and the day on which it was built, such as `GeoLite2-City of 2026-11-24`. */
  readonly source: string;
  /** Null for an address that it does not contain or whose location it does not know. */
  readonly locate: (address: string) => Place | null;
}

/** Reads the whole file: a lookup then takes microseconds. The largest of the free databases have 130 MB. */
export async function openGeoDatabase(
  path: string,
  source = "--geoip-database",
): Promise<GeoDatabase> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw unreadableInput(path, error, `it is the GeoIP database (${source})`);
  });
  const reader = parse(bytes, path, source);
  const { databaseType, buildEpoch } = reader.metadata;
  return {
    source: `${databaseType.slice(0, 60)} of ${buildEpoch.toISOString().slice(0, 10)}`,
    locate: (address) => locate(reader, address),
  };
}

function parse(bytes: Buffer, path: string, source: string): Reader<Response> {
  try {
    return new Reader(bytes);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(
      `${path} is not a database in MaxMind's format (.mmdb): ${reason}`,
      `choose another file: ${source}`,
    );
  }
}

function locate(reader: Reader<Response>, address: string): Place | null {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, "");
  const version = isIP(plain);
  if (version === 0 || (version === 6 && reader.metadata.ipVersion === 4)) return null;
  try {
    return placeIn(reader.get(plain));
  } catch {
    return null; // a damaged database
  }
}

/** MaxMind and DB-IP nest the coordinates in `location`; IPinfo writes them as text, `lat` and `lng`. */
function placeIn(record: unknown): Place | null {
  if (typeof record !== "object" || record === null) return null;
  const { location } = record as { readonly location?: unknown };
  const fields = (typeof location === "object" && location !== null ? location : record) as {
    readonly [name: string]: unknown;
  };
  return placeOf(
    degrees(fields["latitude"] ?? fields["lat"]),
    degrees(fields["longitude"] ?? fields["lng"]),
  );
}

const degrees = (value: unknown): string | null =>
  typeof value === "number" || typeof value === "string" ? String(value) : null;
