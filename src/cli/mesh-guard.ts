/**
 * Loaded into wrangler's process (`--import`): when the process that started the mesh dies without a word, the IPC
 * channel breaks, and the mesh's whole process group goes with it.
 */
process.on("disconnect", () => {
  process.kill(-process.pid, "SIGKILL");
});
