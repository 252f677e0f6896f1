/** Encodes screenshots as an animated GIF. A frame has only the pixels that differ from the frame before. */

import gifenc from 'gifenc';
import type { Page } from 'playwright-core';

export interface Frame {
  /** A PNG. All frames have the same size. */
  readonly png: Buffer;
  /** How long it is shown. */
  readonly ms: number;
}

/** One index of the 64 of a frame means "as before". */
const maxColors = 63;
/** So many pixels between two that the palette is computed from. */
const sampleStep = 7;

/** @param page a blank page, which decodes the PNGs @returns the file */
export async function gifOf(frames: readonly Frame[], page: Page): Promise<Uint8Array> {
  const images = [];
  for (const { png } of frames) images.push(await pixelsOf(png, page));
  const palette = gifenc.quantize(samplesOf(images.map(({ rgba }) => rgba)), maxColors);
  const transparentIndex = palette.length;
  const encoder = gifenc.GIFEncoder();
  let before: Uint8Array | undefined;
  for (const [at, { rgba, width, height }] of images.entries()) {
    const indexes = gifenc.applyPalette(rgba, palette);
    const last = before;
    encoder.writeFrame(
      last ? indexes.map((index, i) => (index === last[i] ? transparentIndex : index)) : indexes,
      width,
      height,
      {
        delay: frames[at]?.ms ?? 0,
        palette: [...palette, [0, 0, 0]],
        transparent: last !== undefined,
        transparentIndex,
        dispose: 1,
      },
    );
    before = indexes;
  }
  encoder.finish();
  return encoder.bytes();
}

interface Image {
  readonly rgba: Uint8Array;
  readonly width: number;
  readonly height: number;
}

async function pixelsOf(png: Buffer, page: Page): Promise<Image> {
  const { base64, width, height } = (await page.evaluate(
    `(async () => {
      const image = new Image();
      image.src = 'data:image/png;base64,${png.toString('base64')}';
      await image.decode();
      const canvas = new OffscreenCanvas(image.width, image.height);
      const context = canvas.getContext('2d');
      context.drawImage(image, 0, 0);
      const { data, width, height } = context.getImageData(0, 0, image.width, image.height);
      const reader = new FileReader();
      await new Promise((resolve) => { reader.onload = resolve; reader.readAsDataURL(new Blob([data])); });
      return { base64: reader.result.split(',')[1], width, height };
    })()`,
  )) as { base64: string; width: number; height: number };
  return { rgba: Uint8Array.from(Buffer.from(base64, 'base64')), width, height };
}

/** Every `sampleStep`th pixel of every image. */
function samplesOf(images: readonly Uint8Array[]): Uint8Array {
  const pixels = images.map((rgba) => new Uint32Array(rgba.buffer).filter((_, i) => i % sampleStep === 0));
  const all = new Uint32Array(pixels.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of pixels) {
    all.set(part, offset);
    offset += part.length;
  }
  return new Uint8Array(all.buffer);
}
