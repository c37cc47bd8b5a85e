/** Sizes of pictures that can be chosen, by their lines. */

export const PICTURE_HEIGHTS = [180, 360, 720, 1080, 2160] as const;

export type PictureHeight = (typeof PICTURE_HEIGHTS)[number];

/** One of the heights, from storage or a form; null for everything else. */
export function pictureHeight(value: unknown): PictureHeight | null {
  return PICTURE_HEIGHTS.find((height) => height === Number(value)) ?? null;
}

/** `1080p – Full HD`. */
export function heightWords(height: PictureHeight): string {
  return HEIGHT_WORDS[height];
}

const HEIGHT_WORDS: Readonly<Record<PictureHeight, string>> = {
  180: '180p – smallest',
  360: '360p – saves data',
  720: '720p – HD',
  1080: '1080p – Full HD',
  2160: '2160p – 4K',
};
