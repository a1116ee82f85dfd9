export { nodeSql } from "../src/cli/backup/node-sql.ts";
