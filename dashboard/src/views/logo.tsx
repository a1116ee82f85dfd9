/** The name of the product, with its mark. */
export const Logo = () => (
  <span class="logo">
    <svg viewBox="0 0 32 32" aria-hidden="true">
      <path d="M16 9 9 22M16 9l7 13M9 22h14" />
      <circle cx="16" cy="9" r="3.6" />
      <circle cx="9" cy="22" r="3.6" />
      <circle cx="23" cy="22" r="3.6" />
    </svg>
    Muster
  </span>
);
