import type { Unsubscribe } from './types';

/** Listeners of typed events. A listener that throws does not keep the others from hearing. */
export class Emitter<Events> {
  private readonly listeners = new Map<keyof Events, Set<(detail: never) => void>>();

  on<E extends keyof Events>(event: E, listener: (detail: Events[E]) => void): Unsubscribe {
    const set = this.listeners.get(event) ?? new Set();
    this.listeners.set(event, set);
    set.add(listener);
    return () => set.delete(listener);
  }

  emit<E extends keyof Events>(event: E, detail: Events[E]): void {
    for (const listener of [...(this.listeners.get(event) ?? [])]) {
      try {
        (listener as (detail: Events[E]) => void)(detail);
      } catch (error) {
        reportError(error);
      }
    }
  }
}

/** A value with listeners that are told once per task, however often it was set in between. */
export class Store<T> {
  private readonly listeners = new Set<() => void>();
  private told = true;

  constructor(private value: T) {}

  get(): T {
    return this.value;
  }

  set(value: T): void {
    if (Object.is(value, this.value)) return;
    this.value = value;
    if (!this.told) return;
    this.told = false;
    queueMicrotask(() => this.tell());
  }

  subscribe(listener: () => void): Unsubscribe {
    // Wrapped, so that a function that subscribes twice is called twice and leaves one at a time.
    const own = (): void => listener();
    this.listeners.add(own);
    return () => this.listeners.delete(own);
  }

  private tell(): void {
    this.told = true;
    for (const listener of [...this.listeners]) {
      try {
        listener();
      } catch (error) {
        reportError(error);
      }
    }
  }
}
