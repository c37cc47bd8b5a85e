/** What views ask for: several may show the same stream, and the most demanding of them decides. */
import type { Wish } from '../session/model';
import type { ReceiveQuality, StreamKey, Unsubscribe } from '../types';

/** One view's interest in a stream. */
export interface Asked {
  /** Physical pixels; 0 × 0 is hidden. */
  readonly resize: (width: number, height: number) => void;
  readonly release: Unsubscribe;
}

/**
 * Tells what is wanted of each stream when the present task is over: a view that is made anew in between, to show another
 * quality or in another place, has then never let go of its stream.
 */
export class Demand {
  private readonly asked = new Map<StreamKey, Set<{ wish: Wish }>>();
  private readonly changed = new Set<StreamKey>();
  /** Streams that were wished for. */
  private readonly told = new Set<StreamKey>();

  constructor(
    private readonly wish: (key: StreamKey, wish: Wish) => void,
    private readonly unwish: (key: StreamKey) => void,
  ) {}

  /** Asks for a stream; without a size in the best layer. */
  add(key: StreamKey, first: Wish): Asked {
    const one = { wish: first };
    const all = this.asked.get(key) ?? new Set();
    this.asked.set(key, all.add(one));
    this.change(key);
    return {
      resize: (width, height) => {
        const { size } = one.wish;
        if (!all.has(one) || (size?.width === width && size.height === height)) return;
        one.wish = { ...one.wish, size: { width, height } };
        this.change(key);
      },
      release: () => {
        if (all.delete(one)) this.change(key);
      },
    };
  }

  private change(key: StreamKey): void {
    if (this.changed.size === 0) queueMicrotask(() => this.tell());
    this.changed.add(key);
  }

  private tell(): void {
    const keys = [...this.changed];
    this.changed.clear();
    for (const key of keys) {
      const all = this.asked.get(key) ?? new Set();
      if (all.size > 0) {
        this.told.add(key);
        this.wish(key, combine([...all].map((one) => one.wish)));
      } else {
        this.asked.delete(key);
        if (this.told.delete(key)) this.unwish(key);
      }
    }
  }
}

const QUALITIES: readonly (ReceiveQuality | null)[] = [null, 'low', 'medium', 'high'];

/** The largest size (one without a size outdoes them all) and the best quality chosen by any that can be seen. */
export function combine(wishes: readonly Wish[]): Wish {
  let size: Wish['size'] = { width: 0, height: 0 };
  let quality: Wish['quality'] = null;
  for (const wish of wishes) {
    if (size !== null && (wish.size === null || area(wish.size) > area(size))) size = wish.size;
    const seen = wish.size === null || area(wish.size) > 0;
    if (seen && QUALITIES.indexOf(wish.quality) > QUALITIES.indexOf(quality)) quality = wish.quality;
  }
  return { size, quality };
}

function area(size: { readonly width: number; readonly height: number }): number {
  return size.width * size.height;
}
