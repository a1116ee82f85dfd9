import { describeOutboundAllow } from "./outbound-allow.suite.ts";

describeOutboundAllow();
