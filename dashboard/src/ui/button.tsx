import type { ComponentChildren } from "preact";
import { Icon, type IconName } from "./icon.tsx";

interface ButtonProps {
  readonly onClick?: () => void;
  readonly children: ComponentChildren;
  readonly kind?: "primary" | "danger" | "plain";
  readonly icon?: IconName;
  readonly type?: "button" | "submit";
  readonly busy?: boolean;
  readonly disabled?: boolean;
}

export const Button = (props: ButtonProps) => {
  const { onClick, children, kind = "plain", icon, type = "button", busy = false } = props;
  return (
    <button
      type={type}
      class={`button ${kind}`}
      onClick={onClick}
      disabled={props.disabled === true || busy}
      aria-busy={busy}
    >
      {icon !== undefined && <Icon name={icon} />}
      {children}
    </button>
  );
};
