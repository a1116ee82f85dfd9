/** `npm run build:dashboard`: builds the dashboard for the Worker. `wrangler` runs it before it bundles. */
import { buildDashboard } from "./build-dashboard.ts";

await buildDashboard();
