import { crc32, deflateSync } from "node:zlib";
import { GLYPH_HEIGHT, GLYPH_WIDTH, glyphOf } from "./font.ts";

/** Red, green, blue, each 0..255. */
export type Color = readonly [red: number, green: number, blue: number];

/** A pixel image that can be encoded as a PNG. */
export class Raster {
  readonly width: number;
  readonly height: number;
  readonly #pixels: Uint8Array;

  constructor(width: number, height: number, background: Color) {
    this.width = width;
    this.height = height;
    this.#pixels = new Uint8Array(3 * width * height);
    this.fill(0, 0, width, height, background);
  }

  /** Fills a rectangle; parts outside of the image are ignored. */
  fill(left: number, top: number, width: number, height: number, color: Color): void {
    const [x0, y0] = [Math.max(0, Math.round(left)), Math.max(0, Math.round(top))];
    const x1 = Math.min(this.width, Math.round(left + width));
    const y1 = Math.min(this.height, Math.round(top + height));
    for (let y = y0; y < y1; y++)
      for (let x = x0; x < x1; x++) this.#pixels.set(color, 3 * (y * this.width + x));
  }

  /** Writes text from its upper left corner; each pixel of the font becomes a square of `scale` pixels. */
  write(text: string, left: number, top: number, color: Color, scale = 2): void {
    for (const [n, letter] of Array.from(text).entries()) {
      const rows = glyphOf(letter);
      for (let y = 0; y < GLYPH_HEIGHT; y++)
        for (let x = 0; x < GLYPH_WIDTH; x++)
          if (rows[y]?.[x] === "#") {
            const column = n * (GLYPH_WIDTH + 1) + x;
            this.fill(left + column * scale, top + y * scale, scale, scale, color);
          }
    }
  }

  /** The image as a PNG (RFC 2083): 8 bits per channel, no filter. */
  png(): Uint8Array {
    const row = 3 * this.width;
    const scanlines = new Uint8Array((row + 1) * this.height);
    for (let y = 0; y < this.height; y++)
      scanlines.set(this.#pixels.subarray(y * row, (y + 1) * row), y * (row + 1) + 1);
    const header = Buffer.alloc(13);
    header.writeUInt32BE(this.width, 0);
    header.writeUInt32BE(this.height, 4);
    header.set([8, 2], 8); // bits per channel, color type RGB
    return Buffer.concat([
      Buffer.from("89504e470d0a1a0a", "hex"),
      chunk("IHDR", header),
      chunk("IDAT", deflateSync(scanlines, { level: 9 })),
      chunk("IEND", Buffer.alloc(0)),
    ]);
  }
}

/** The width of a text, in pixels. */
export const textWidth = (text: string, scale = 2): number =>
  (text.length * (GLYPH_WIDTH + 1) - 1) * scale;

function chunk(type: string, data: Uint8Array): Uint8Array {
  const body = Buffer.concat([Buffer.from(type, "ascii"), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  framed.set(body, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}
