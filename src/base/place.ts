/** A place on Earth in degrees. */
export interface Place {
  readonly latitude: number;
  readonly longitude: number;
}

/** Parses the platform's text coordinates; null when they are absent or out of range. */
export function placeOf(latitude: string | null, longitude: string | null): Place | null {
  if (latitude === null || longitude === null || latitude === "" || longitude === "") return null;
  const place = { latitude: Number(latitude), longitude: Number(longitude) };
  const onEarth = Math.abs(place.latitude) <= 90 && Math.abs(place.longitude) <= 180;
  return onEarth ? place : null;
}
