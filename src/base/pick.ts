/** A copy of these fields of an object, and of no others. */
export function pick<T extends object, K extends keyof T>(
  from: T,
  fields: readonly K[],
): Pick<T, K> {
  const picked: Partial<Pick<T, K>> = {};
  for (const field of fields) picked[field] = from[field];
  return picked as Pick<T, K>;
}
