/** What the coordinator does besides the policy's constants; all of it by default. */
export interface Features {
  readonly circuits: boolean;
  readonly earnedSlots: boolean;
  /** Whether service times forget what was before a change. */
  readonly forgets: boolean;
}

export const NO_FEATURES: Features = { circuits: false, earnedSlots: false, forgets: false };
export const ALL_FEATURES: Features = { circuits: true, earnedSlots: true, forgets: true };
