import { outboundUrlSuite } from "../protocol/outbound-url.suite.ts";

outboundUrlSuite();
