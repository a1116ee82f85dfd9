/** A go-p2p node without Muster's code, of the form named in FORM. It dials once. */
import { GoP2pNode, type Form } from "../../interop/go-p2p-node/node.ts";

const FORMS: Readonly<Record<string, Form>> = {
  "generation 1": { generation: 1, late: false },
  "early generation 2": { generation: 2, late: false },
  "late generation 2": { generation: 2, late: true },
};

const { FORM = "", MUSTER_PRIVATE_KEY = "", MUSTER_WS_URL = "" } = process.env;
const form = FORMS[FORM];
if (form === undefined) throw new Error(`FORM is none of ${Object.keys(FORMS).join(", ")}`);
const node = new GoP2pNode(form, "a go-p2p node", Buffer.from(MUSTER_PRIVATE_KEY, "hex"));
await node.dial(MUSTER_WS_URL);
// The program goes on when the session has ended.
setInterval(() => {}, 60_000);
