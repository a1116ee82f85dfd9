const COUNTED = ["Uint8Array", "Uint16Array", "Uint32Array", "Int32Array", "ArrayBuffer"] as const;

/**
 * Runs a synchronous function and counts the bytes of the typed arrays that it allocates. Allocations inside the engine
 * (strings, and the result of JSON.parse) are not counted.
 */
export function countAllocations<T>(run: () => T): { readonly value: T; readonly bytes: number } {
  let bytes = 0;
  const originals = COUNTED.map((name) => [name, globalThis[name]] as const);
  for (const [name, original] of originals) {
    const counting = new Proxy(original, {
      construct(target, args: never[]) {
        const made = Reflect.construct(target, args, target) as ArrayBuffer;
        const isView = (args[0] as unknown) instanceof ArrayBuffer;
        if (!isView) bytes += made.byteLength;
        return made;
      },
    });
    Object.assign(globalThis, { [name]: counting });
  }
  try {
    return { value: run(), bytes };
  } finally {
    Object.assign(globalThis, Object.fromEntries(originals));
  }
}
