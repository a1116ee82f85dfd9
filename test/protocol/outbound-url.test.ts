import { outboundUrlSuite } from "./outbound-url.suite.ts";

outboundUrlSuite();
