// oxlint-disable-next-line import/no-named-as-default -- its types have no named export
import qrcode from "qrcode-generator";
import { useMemo } from "preact/hooks";

/** Modules of white around the code, which scanners need. */
const MARGIN = 3;

/** A text as a QR code, black on white in every theme. */
export const QrCode = ({ text, label }: { readonly text: string; readonly label: string }) => {
  const { size, path } = useMemo(() => {
    const code = qrcode(0, "M");
    code.addData(text);
    code.make();
    const modules = code.getModuleCount();
    let dark = "";
    for (let row = 0; row < modules; row++)
      for (let column = 0; column < modules; column++)
        if (code.isDark(row, column)) dark += `M${column + MARGIN} ${row + MARGIN}h1v1h-1z`;
    return { size: modules + 2 * MARGIN, path: dark };
  }, [text]);
  return (
    <svg class="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label}>
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" shapeRendering="crispEdges" />
    </svg>
  );
};
