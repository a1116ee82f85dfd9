/** The head of a table. */

interface HeadProps {
  /** The columns with text, which come first. */
  readonly texts: readonly string[];
  /** The columns with figures, to the right of them. */
  readonly figures?: readonly string[];
  /** Whether the last column has the buttons of each row. */
  readonly hasActions?: boolean;
}

export const Head = ({ texts, figures = [], hasActions = false }: HeadProps) => (
  <thead>
    <tr>
      {texts.map((name) => (
        <th key={name} scope="col">
          {name}
        </th>
      ))}
      {figures.map((name) => (
        <th key={name} scope="col" class="figure">
          {name}
        </th>
      ))}
      {hasActions && (
        <th scope="col" class="figure">
          <span class="unseen">Actions</span>
        </th>
      )}
    </tr>
  </thead>
);
