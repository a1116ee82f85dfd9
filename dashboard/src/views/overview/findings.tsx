import type { Finding } from "../../model/findings.ts";
import { Icon } from "../../ui/icon.tsx";

/** Whether everything is well, in one glance. */
export const Findings = ({ findings }: { readonly findings: readonly Finding[] }) => {
  const [first] = findings;
  if (first === undefined)
    return (
      <p class="verdict tone-ok">
        <Icon name="check" />
        Everything is well
      </p>
    );
  return (
    <ul class={`verdict list tone-${first.severity}`} aria-label="What needs attention">
      {findings.map(({ severity, text, link }) => (
        <li key={text} class={`tone-${severity}`}>
          <Icon name="alert" />
          {link === undefined ? text : <a href={link}>{text}</a>}
        </li>
      ))}
    </ul>
  );
};
