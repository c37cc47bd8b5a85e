// Generated from the Rust types by `cargo xtask codegen`. Do not edit.

import type { Rid } from './text.js';

/** A codec that Althing forwards. */
export type Codec =
  | 'vp8'
  | 'vp9'
  | 'h264'
  | 'av1'
  | 'opus'
  | 'g722'
  | 'pcmu'
  | 'pcma';

/** One encoding of a video stream, as its sender announced it. */
export type Layer = {
  /** The RID of the encoding. */
  rid: Rid;
  /** Width in pixels; 0 while unknown. */
  width: number;
  /** Height in pixels; 0 while unknown. */
  height: number;
};

/** Why a receive slot shows the encoding that it shows, and not a better one. */
export type LayerReason =
  | 'tile_size'
  | 'requested'
  | 'bandwidth'
  | 'cap'
  | 'inactive'
  | 'hidden';

/** Audio or video. */
export type MediaKind =
  | 'audio'
  | 'video';

/** A receiver's choice of how good a picture is to be, whatever the size that it is shown at: of the sizes in which it can be had, as several encodings or as layers of one. */
export type ReceiveQuality =
  | 'low'
  | 'medium'
  | 'high';

/** What a stream is to the meeting (`a=content`, RFC 4796: `slides` is a presentation, absent or `main` is main, everything else is misc). */
export type Semantic =
  | 'main'
  | 'presentation'
  | 'misc';
