import type { AdmitInput } from "../../src/contract/admission.ts";
import type { Role } from "../../src/protocol/messages.ts";

/** The fields that a peer announces when it joins. */
export type Announced = Partial<Omit<AdmitInput, "peerId" | "publicKey" | "session">>;

/** What a test peer announces unless its test says otherwise. */
export const ANNOUNCED = {
  name: "",
  claimedRole: "worker" as Role,
  protocol: "go-p2p/1.0",
  speaksMuster: true,
  capabilities: [],
  slots: 1,
  prefetch: false,
  address: "",
  place: null,
  network: "",
  colo: "",
  tcpRttMs: null,
  rttMs: 20,
  joinKey: null,
} as const;
