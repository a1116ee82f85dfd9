/** A share from 0 to 1 as a bar, beside its value in words or digits. */
export const Meter = ({
  share,
  tone = "accent",
}: {
  readonly share: number;
  readonly tone?: string;
}) => (
  <span class="meter" aria-hidden="true">
    <span
      class={`meter-fill tone-${tone}`}
      style={{ width: `${100 * Math.min(1, Math.max(0, share))}%` }}
    />
  </span>
);

interface Part {
  readonly name: string;
  readonly value: number;
  readonly tone: string;
}

/** Parts of a whole as one bar. */
export const Parts = ({ parts }: { readonly parts: readonly Part[] }) => (
  <span class="parts" aria-hidden="true">
    {parts.map(({ name, value, tone }) => (
      <span key={name} class={`part tone-${tone}`} style={{ flexGrow: value }} />
    ))}
  </span>
);
