const PATHS = {
  overview: "M3 12h4l2-6 4 12 2.5-8 1.5 2h4",
  peers:
    "M12 3.5a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5M6 15.5a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5M18 15.5a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5M10.9 8.3 7.2 15.8M13.1 8.3l3.7 7.5M8.5 18h7",
  map: "M3.5 6.5 9 4l6 2.5 5.5-2.5v13.5L15 20l-6-2.5L3.5 20zM9 4v13.5M15 6.5V20",
  tasks: "M9 6h11M9 12h11M9 18h11M4 6l.8.8L6.4 5M4 12l.8.8 1.6-1.8M4 18l.8.8 1.6-1.8",
  submit: "M12 5v14M5 12h14",
  webhooks:
    "M9.5 4.5a3.5 3.5 0 0 1 4.6 4.4l3 5.2M6.5 12.5a3.5 3.5 0 1 0 3.4 4.5h6M16.5 13.5a3.5 3.5 0 1 1-2.2 6M11.5 8l-4 7",
  access: "M8 11.5a4 4 0 1 0 0 8 4 4 0 0 0 0-8M11 12.5 19.5 4M16 7.5l2.5 2.5M13.5 10l1.8 1.8",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M18.7 5.3l-1.4 1.4M6.7 17.3l-1.4 1.4",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z",
  leave: "M14 4h5v16h-5M10 8l-4 4 4 4M6 12h9",
  search: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13M15.5 15.5 20 20",
  copy: "M9 9h11v11H9zM5 15V4h11",
  check: "M5 12.5 10 17 19 7",
  alert: "M12 4 2.5 20h19zM12 10v4.5M12 17.2v.1",
} as const;
export type IconName = keyof typeof PATHS;

/** A picture beside a text that says the same. */
export const Icon = ({ name }: { readonly name: IconName }) => (
  <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
    <path d={PATHS[name]} />
  </svg>
);
