import type { DialOrder } from "../../src/peers/session-orders.ts";
import { DIAL_BACKOFF_MAX } from "../../src/protocol/constants.ts";
import type { DialView } from "../../src/protocol/http.ts";
import { present } from "../must.ts";
import { TestMesh, type Key, type TestPeer } from "./mesh.ts";

export const testUrl = (name: number | string) => `wss://peer-${name}.example:9091/ws`;

/** A mesh that dials addresses. The test decides what happens at each address. */
export class DialingMesh extends TestMesh {
  dial(url: string, key: Key | null = null, name = ""): DialView {
    const proved = key === null ? null : { publicKey: key.publicKey, peerId: key.id };
    return this.run("dial_peer", { url, name, key: proved }).dial;
  }
  get orders(): DialOrder[] {
    return this.effectsOfType("dial").map(({ order }) => order);
  }
  /** The newest order to dial an address. */
  newestOrder(url: string): DialOrder {
    return present(this.orders.findLast((order) => order.url === url));
  }
  orderCount = (url: string): number => this.orders.filter((order) => order.url === url).length;
  dialView(url: string): DialView {
    return present(this.run("list_dials", {}).dials.find((dial) => dial.url === url));
  }
  failDial(url: string, error = "no answer", key: Key | null = null): void {
    const proved = key === null ? null : { publicKey: key.publicKey, peerId: key.id };
    this.run("dial_failed", { dial: this.newestOrder(url).dial, error, proved });
  }
  /** The peer at the address proves its key and is admitted. */
  answerDial(url: string, key: Key): TestPeer {
    return this.join(key, { address: url, dial: this.newestOrder(url).dial });
  }
  /** Runs the coordinator until the address is dialed again; returns the milliseconds until then. */
  waitForDial(url: string, patience = 2 * DIAL_BACKOFF_MAX): number {
    const [before, since] = [this.orderCount(url), this.now];
    while (this.orderCount(url) === before) {
      if (this.now - since > patience)
        throw new Error(`${url} was not dialed within ${patience} ms`);
      const due = this.nextTick();
      if (due === null) throw new Error("nothing is due");
      this.now = Math.max(due, this.now + 1);
      this.tick();
    }
    return this.now - since;
  }
}
