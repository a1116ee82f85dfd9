import { describeOutboundAllow } from "../protocol/outbound-allow.suite.ts";

describeOutboundAllow();
