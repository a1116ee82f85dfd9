/** A picture on a canvas that is as wide as its place. What it shows is also in the text around it. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { Point } from "../model/world-map.ts";
import { theme } from "./theme.ts";

interface PictureProps {
  /** Says what the picture shows, to those who do not see it. */
  readonly label: string;
  /** The height as a share of the width. */
  readonly ratio: number;
  readonly heightMax: number;
  /** Draws the picture; it is called again when its size, its colors or the function change. */
  readonly draw: (context: CanvasRenderingContext2D, width: number, height: number) => void;
  readonly onPoint?: (at: Point | null) => void;
  readonly onChoose?: (at: Point) => void;
}

export const Picture = ({ label, ratio, heightMax, draw, onPoint, onChoose }: PictureProps) => {
  const frame = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [available, setAvailable] = useState(0);
  const colors = theme.value;
  const width = Math.floor(Math.min(available, heightMax / ratio));
  const height = Math.floor(width * ratio);

  useEffect(() => {
    const element = frame.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver(() => setAvailable(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext("2d");
    if (element === null || context === null || context === undefined || width === 0) return;
    const density = Math.min(3, devicePixelRatio);
    element.width = width * density;
    element.height = height * density;
    context.scale(density, density);
    draw(context, width, height);
  }, [width, height, colors, draw]);

  return (
    <div ref={frame} class="picture">
      <canvas
        ref={canvas}
        role="img"
        aria-label={label}
        style={{ width: `${width}px`, height: `${height}px` }}
        onPointerMove={(event) => onPoint?.(at(event))}
        onPointerLeave={() => onPoint?.(null)}
        onClick={(event) => onChoose?.(at(event))}
      />
    </div>
  );
};

const at = ({ offsetX, offsetY }: MouseEvent): Point => [offsetX, offsetY];
