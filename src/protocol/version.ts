/** The version of Muster: that of its packages. */
export const MUSTER_VERSION = "0.1.0";
