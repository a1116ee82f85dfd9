import type { DiscoveryCommands } from "../../contract/discovery.ts";
import type { Domain } from "../kernel/domain.ts";
import type { Job } from "../kernel/job.ts";
import { copyChecked, nextCopiesDue, tickCopies } from "./copies.ts";
import { learnEpochs, openEpoch } from "./cell-epochs.ts";
import { discoveryKeys } from "./discovery-keys.ts";
import { nextDiscoveryDue, tickDiscovery } from "./epoch-rotation.ts";
import { listPointers, readDiscovery } from "./pointers.ts";
import { samplePointers } from "./sample-pointers.ts";
import { preparePublication, published } from "./publication.ts";
import { blobsCopied, copyDropped, prepareReplication, replicated } from "./replication.ts";
import { blobDeleted } from "./withdrawal.ts";

const maintainPublished: Job = {
  name: "maintain_published",
  run: tickDiscovery,
  due: {
    reads: ["unsettledBlobs", "discoveryEpochs", "pointers", "settings", "reportedPeers"],
    at: ({ registry }) => nextDiscoveryDue(registry),
  },
};

const copyToReplicas: Job = {
  name: "copy_to_replicas",
  run: tickCopies,
  due: { reads: ["outbox", "copies", "discoveryEpochs", "pointers"], at: nextCopiesDue },
};

export const discovery: Domain<DiscoveryCommands> = {
  handlers: {
    list_pointers: listPointers,
    read_discovery: readDiscovery,
    discovery_keys: discoveryKeys,
    open_epoch: openEpoch,
    learn_epochs: learnEpochs,
    sample_pointers: samplePointers,
    prepare_publication: preparePublication,
    published,
    blob_deleted: blobDeleted,
    prepare_replication: prepareReplication,
    blobs_copied: blobsCopied,
    replicated,
    copy_checked: copyChecked,
    copy_dropped: copyDropped,
  },
  audit: {
    list_pointers: { notAudited: "it reads; what it writes is the signature of a page" },
    read_discovery: { notAudited: "it reads; what it writes is the signature of a pointer" },
    discovery_keys: ({ tokenId }, output) => ({
      subject: tokenId,
      detail: { epochs: output?.epochs.map(({ epoch }) => epoch) ?? [] },
    }),
  },
  jobs: [maintainPublished, copyToReplicas],
};
