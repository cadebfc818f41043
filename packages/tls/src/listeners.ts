/** Functions to call on a change. */
export interface Listeners {
  /** Adds a listener, also one that is there already; returns the function that removes this addition. */
  add(listener: () => void): () => void;
  /** Calls each listener in the order they were added. */
  notify(): void;
}

/** Returns an empty collection of listeners. */
export function createListeners(): Listeners {
  const additions = new Set<{ readonly listener: () => void }>();
  return {
    add: (listener) => {
      const addition = { listener };
      additions.add(addition);
      return () => {
        additions.delete(addition);
      };
    },
    notify: () => {
      for (const { listener } of additions) listener();
    },
  };
}
