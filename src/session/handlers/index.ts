import type { MessageType } from "../../protocol/messages.ts";
import { handleAdvert } from "./advert.ts";
import { handleAnnounce } from "./announce.ts";
import { handleDrain } from "./drain.ts";
import { handleDisconnect } from "./disconnect.ts";
import { handleGetStats } from "./get-stats.ts";
import { limited } from "./limited.ts";
import type { Handler } from "./handler.ts";
import {
  handleTaskAssign,
  handleTaskQuery,
  handleTaskRecall,
  handleTaskRetry,
} from "./controller-tasks.ts";
import { musterOnly, outOfPlace } from "./out-of-place.ts";
import { handlePing } from "./ping.ts";
import { handlePong } from "./pong.ts";
import { refuseRequest } from "./refused-request.ts";
import { handleReply } from "./reply.ts";
import { handleRotate } from "./rotate.ts";
import { handleRtts } from "./rtts.ts";
import {
  handleTaskAccept,
  handleTaskProgress,
  handleTaskRefuse,
  handleTaskRelease,
  handleTaskResult,
} from "./worker-tasks.ts";

export type { Handler } from "./handler.ts";

/** The handler of every message type in an active session. */
export const HANDLERS: { readonly [T in MessageType]: Handler<T> } = {
  handshake: outOfPlace,
  handshake_ack: outOfPlace,
  ping: handlePing,
  pong: handlePong,
  disconnect: handleDisconnect,
  get_stats: handleGetStats,
  stats: handleReply,
  start_miner: refuseRequest,
  stop_miner: refuseRequest,
  miner_ack: handleReply,
  deploy: refuseRequest,
  deploy_ack: handleReply,
  get_logs: refuseRequest,
  logs: handleReply,
  error: handleReply,
  content_event: outOfPlace, // over muster.2; those of go-p2p nodes are ignored before
  welcome: outOfPlace,
  rejection: outOfPlace,
  rotate: limited("rotate", handleRotate),
  task_offer: outOfPlace,
  task_accept: handleTaskAccept,
  task_refuse: handleTaskRefuse,
  task_release: handleTaskRelease,
  task_progress: handleTaskProgress,
  task_result: handleTaskResult,
  task_return: outOfPlace,
  task_cancel: outOfPlace,
  task_assign: handleTaskAssign,
  task_query: handleTaskQuery,
  task_recall: handleTaskRecall,
  task_retry: handleTaskRetry,
  task_shown: outOfPlace,
  advert: musterOnly(limited("advert", handleAdvert)),
  announce: limited("announce", handleAnnounce),
  drain: limited("drain", handleDrain),
  sample: outOfPlace,
  rtts: limited("rtts", handleRtts),
};
