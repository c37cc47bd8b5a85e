/** What views ask for: several may show the same stream, and the most demanding of them decides. */
import type { Wish } from '../session/model';
import type { ReceiveQuality, StreamKey, Unsubscribe } from '../types';

/** One view's interest in a stream. */
export interface Asked {
  /** Physical pixels; 0 × 0 is hidden. */
  readonly resize: (width: number, height: number) => void;
  readonly release: Unsubscribe;
}

export class Demand {
  private readonly asked = new Map<StreamKey, Set<{ wish: Wish }>>();

  constructor(
    private readonly wish: (key: StreamKey, wish: Wish) => void,
    private readonly unwish: (key: StreamKey) => void,
  ) {}

  /** Asks for a stream; without a size in the best layer. */
  add(key: StreamKey, first: Wish): Asked {
    const one = { wish: first };
    const all = this.asked.get(key) ?? new Set();
    this.asked.set(key, all.add(one));
    this.tell(key);
    return {
      resize: (width, height) => {
        const { size } = one.wish;
        if (!all.has(one) || (size?.width === width && size.height === height)) return;
        one.wish = { ...one.wish, size: { width, height } };
        this.tell(key);
      },
      release: () => {
        if (!all.delete(one)) return;
        if (all.size > 0) {
          this.tell(key);
        } else if (this.asked.get(key) === all) {
          this.asked.delete(key);
          this.unwish(key);
        }
      },
    };
  }

  private tell(key: StreamKey): void {
    this.wish(key, combine([...(this.asked.get(key) ?? [])].map((one) => one.wish)));
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
