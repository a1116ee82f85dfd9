import { err } from "../base/result.ts";
import type { GatewayCommandName } from "../contract/commands.ts";
import type { MusterError } from "../protocol/errors.ts";
import type { Route } from "./network.ts";

/** Rows of several cells are no state of one coordinator: exports and imports over HTTP are those of a mesh of one cell. */
export const refusedForCells =
  <K extends GatewayCommandName>(): Route<K> =>
  () =>
    Promise.resolve(err(SEVERAL_CELLS));

/** An import that was begun before the mesh had several cells is not continued: its rows would replace those of cell 0. */
export const noImport =
  <K extends GatewayCommandName>(): Route<K> =>
  () =>
    Promise.resolve(err(NO_IMPORT));

const SEVERAL_CELLS: MusterError = {
  code: "conflict",
  detail:
    "this mesh has several cells, or had several: only a mesh that never had more than one is exported and imported over HTTP; back up and restore its folder with muster backup --dir and muster restore --dir",
};

const NO_IMPORT: MusterError = {
  code: "not_found",
  detail: "there is no import: a mesh of several cells has none",
};
