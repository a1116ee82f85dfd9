import { Fragment, type ComponentChildren } from "preact";

/** Names and values, in two columns. A value that is null is left out. */
export const Facts = ({
  facts,
}: {
  readonly facts: readonly (readonly [name: ComponentChildren, value: ComponentChildren])[];
}) => (
  <dl class="facts">
    {facts.map(
      ([name, value], at) =>
        value !== null && (
          <Fragment key={at}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </Fragment>
        ),
    )}
  </dl>
);

/** Short texts from elsewhere, such as labels and kinds. */
export const Tags = ({ of }: { readonly of: readonly string[] }) => (
  <span class="tags">
    {of.map((text) => (
      <span key={text} class="tag">
        {text}
      </span>
    ))}
  </span>
);
