import type { MeshView, WebhookSourceView } from "../../../../src/protocol/http.ts";
import { hashOf } from "../../model/route.ts";
import { senderStep } from "../../model/webhook-form.ts";
import { Button } from "../../ui/button.tsx";
import { CopiedText } from "../../ui/copied-text.tsx";
import { useData } from "../data.ts";

export interface Made {
  readonly source: WebhookSourceView;
  /** The secret that was made; null if the user gave one. */
  readonly secret: string | null;
}

/** Where a sender delivers to a source. */
export const deliveryUrl = ({ public_url: url }: MeshView, name: string): string =>
  `${url ?? location.origin}/v1/webhooks/${encodeURIComponent(name)}`;

interface MadeSourceProps {
  readonly made: Made;
  readonly onClose: () => void;
}

/** What the sender of a new source needs. The secret is shown once: the mesh shows it to nobody. */
export const MadeSource = ({ made: { source, secret }, onClose }: MadeSourceProps) => {
  const { mesh } = useData().session;
  return (
    <div class="made">
      <div class="made-text">
        <p>
          <strong>The source {source.name} exists.</strong> {senderStep(source.scheme)}
        </p>
        <p>URL:</p>
        <CopiedText text={deliveryUrl(mesh, source.name)} label="the URL" />
        {secret === null ? (
          <p>The secret is the one that you gave.</p>
        ) : (
          <>
            <p>
              Secret. <strong>It is shown only now.</strong>
            </p>
            <CopiedText text={secret} label="the secret" />
          </>
        )}
        <div class="actions">
          <a class="button plain" href={hashOf(["webhooks", source.name])}>
            Go to the source
          </a>
          <Button onClick={onClose}>Done</Button>
        </div>
      </div>
    </div>
  );
};
