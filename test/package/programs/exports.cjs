// Loads every export by `require` and by `import`; prints the names that both have.
const names = ["", "/stmf", "/replica"].map((path) => `muster-mesh${path}`);

void (async () => {
  const seen = {};
  for (const name of names) {
    const required = require(name);
    const imported = await import(name);
    seen[name] = Object.keys(imported).filter((key) => required[key] === imported[key]);
  }
  console.log(JSON.stringify(seen));
})();
