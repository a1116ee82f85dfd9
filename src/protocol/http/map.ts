import { z } from "zod";
import { PeerId } from "../ids.ts";
import { Region } from "../discovery.ts";
import { MissingCells } from "./page.ts";

/** Peers that the map shows. */
export const MAP_PEERS_MAX = 10_000;

const LocationView = z
  .object({
    latitude: z.number().min(-90).max(90),
    longitude: z.number().min(-180).max(180),
  })
  .meta({ id: "Location", description: "In degrees, rounded to a tenth (11 km)" });

const NetworkPointView = z
  .object({ x_ms: z.number(), y_ms: z.number() })
  .meta({ id: "NetworkPoint" });

const MapPeerView = z
  .object({
    id: PeerId,
    region: Region.optional(),
    location: LocationView.optional().meta({
      description: "By the address of its last connection; absent if it is unknown",
    }),
    network: NetworkPointView.optional().meta({
      description:
        "Where its network coordinate is, seen from the mesh, in the plane in which the coordinates differ most; absent if it reported no round trips",
    }),
  })
  .meta({ id: "MapPeer" });

export const MapView = z
  .object({
    mesh: z.object({
      location: LocationView.optional().meta({ description: "As it is configured" }),
    }),
    peers: z.array(MapPeerView).meta({ description: "The connected peers, by ID" }),
    truncated: z.boolean().meta({ description: "Whether the mesh has more connected peers" }),
    missing_cells: MissingCells,
  })
  .meta({ id: "Map" });
export type MapView = z.infer<typeof MapView>;
