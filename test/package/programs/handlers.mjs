// A handlers module, which runs in threads. The kind has the name of its file, because all platforms share one mesh.
const [, name] = /([\w-]+)\.handlers\.mjs/.exec(import.meta.url);
const fibonacci = (n) => (n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2));

export const handlers = { [`${name}-thread`]: ({ n }) => fibonacci(n) };
