import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Failure } from "./act.tsx";

interface PageProps {
  readonly title: string;
  /** Beside the title: what the page is about, in a few words. */
  readonly about?: ComponentChildren;
  readonly actions?: ComponentChildren;
  /** Whether the last part of the page fills the rest of the window and scrolls by itself. */
  readonly fills?: boolean;
  readonly children: ComponentChildren;
}

/** A view with its heading, which gets the focus when the user comes here. */
export const Page = ({ title, about, actions, fills = false, children }: PageProps) => {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Muster`;
  }, [title]);
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  return (
    <main class={fills ? "page fills" : "page"} id="main">
      <header class="page-head">
        <div>
          <h1 ref={heading} tabIndex={-1}>
            {title}
          </h1>
          {about !== undefined && <div class="about">{about}</div>}
        </div>
        {actions !== undefined && <div class="actions">{actions}</div>}
      </header>
      {children}
    </main>
  );
};

/** A part of a page on a surface of its own. */
export const Panel = ({
  title,
  aside,
  children,
}: {
  readonly title: string;
  readonly aside?: ComponentChildren;
  readonly children: ComponentChildren;
}) => (
  <section class="panel" aria-label={title}>
    <header class="panel-head">
      <h2>{title}</h2>
      {aside}
    </header>
    {children}
  </section>
);

/** What a view shows in place of a value that it does not have. */
export const Loading = ({ error }: { readonly error: string | null }) =>
  error === null ? (
    <p class="quiet" role="status">
      Loading…
    </p>
  ) : (
    <Failure error={error} />
  );
