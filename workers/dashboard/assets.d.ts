/** What `dashboard/build` makes of the dashboard's sources: `assets.js`, which is part of the Worker and not of the repository. */
export interface DashboardAsset {
  readonly type: string;
  /** Of the content, in hex. */
  readonly hash: string;
  /** The file, compressed by gzip, in base64. */
  readonly gzip: string;
}

/** The page that loads the other files. */
export const PAGE: DashboardAsset;
/** The files that the page loads. The name of each contains its hash. */
export const FILES: Readonly<Record<string, DashboardAsset>>;
