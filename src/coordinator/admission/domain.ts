import { SECOND } from "../../base/clock.ts";
import type { AdmissionCommands } from "../../contract/admission.ts";
import type { Domain } from "../kernel/domain.ts";
import { admit } from "./admit.ts";
import { drainMesh } from "./drain-mesh.ts";
import {
  allow,
  disallow,
  forgetPeer,
  getAuthMode,
  listAllowed,
  setAuthMode,
} from "./membership.ts";
import { liftDenial, listDenied, revokePeer } from "./revocation.ts";
import { rotatePeer } from "./rotation.ts";
import { announce, gone, observe } from "./sessions.ts";

export const admission: Domain<AdmissionCommands> = {
  handlers: {
    admit,
    observe,
    gone,
    announce,
    rotate_peer: rotatePeer,
    drain_mesh: drainMesh,
    revoke_peer: revokePeer,
    list_denied: listDenied,
    lift_denial: liftDenial,
    forget_peer: forgetPeer,
    get_auth_mode: getAuthMode,
    set_auth_mode: setAuthMode,
    list_allowed: listAllowed,
    allow,
    disallow,
  },
  audit: {
    admit: ({ peerId, protocol, claimedRole, name, joinKey }, output) => ({
      subject: peerId,
      detail: {
        protocol,
        claimed_role: claimedRole,
        name,
        by_join_key: joinKey !== null,
        epoch: output?.epoch ?? null,
        // Whether the welcome carried the keys by which a member finds and opens other peers' records.
        discovery_keys: output?.discovery !== undefined,
      },
      newestOf: ["name", "epoch"],
    }),
    rotate_peer: ({ peerId, newPeerId }) => ({
      subject: peerId,
      detail: { new_peer_id: newPeerId },
    }),
    drain_mesh: ({ pauseMs }, output) => ({
      subject: "mesh",
      detail: { pause_seconds: pauseMs / SECOND, sessions: output?.ended ?? null },
    }),
    revoke_peer: ({ id, keepTasks = false }, output) => ({
      subject: output?.id ?? id,
      detail: {
        known: output?.known ?? null,
        rotated_from: output?.rotated_from ?? null,
        keep_tasks: keepTasks,
      },
    }),
    lift_denial: ({ id }) => ({ subject: id }),
    forget_peer: ({ id }) => ({ subject: id }),
    set_auth_mode: ({ mode }) => ({ subject: "auth_mode", detail: { mode } }),
    allow: ({ peerId, publicKey, label, roles, readmit, go_p2p }) => ({
      subject: peerId,
      detail: { public_key: publicKey, label, roles: [...roles], readmit, go_p2p },
    }),
    disallow: ({ publicKey }) => ({ subject: publicKey }),
  },
  jobs: [],
};
