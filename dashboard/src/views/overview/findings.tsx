import type { Finding } from "../../model/findings.ts";
import { Icon } from "../../ui/icon.tsx";
import { Ago } from "../../ui/time.tsx";

interface FindingsProps {
  readonly findings: readonly Finding[];
  /** Whether everything was read that a finding may be about. */
  readonly isKnown: boolean;
}

/** Whether everything is well, in one glance. */
export const Findings = ({ findings, isKnown }: FindingsProps) => {
  const [first] = findings;
  if (first === undefined)
    return isKnown ? (
      <p class="verdict tone-ok">
        <Icon name="check" />
        Everything is well
      </p>
    ) : (
      <p class="verdict tone-idle">Asking the mesh how it is…</p>
    );
  return (
    <ul class={`verdict list tone-${first.severity}`} aria-label="What needs attention">
      {findings.map(({ severity, text, since, link }) => (
        <li key={text} class={`tone-${severity}`}>
          <Icon name="alert" />
          <span>
            {link === undefined ? text : <a href={link}>{text}</a>}
            {since !== undefined && (
              <>
                {" · "}
                <Ago at={since} />
              </>
            )}
          </span>
        </li>
      ))}
    </ul>
  );
};
