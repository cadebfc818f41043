import type { CertificatePair, CertificateSource } from "@hauberk/tls";

/** A certificate source whose one pair the test replaces; counts who listens. */
export interface ChangeableSource extends CertificateSource {
  replace(pair: CertificatePair | undefined): void;
  listenerCount(): number;
}

export function changeableSource(initial: CertificatePair): ChangeableSource {
  let current: CertificatePair | undefined = initial;
  const listeners = new Set<() => void>();
  return {
    certificateFor: () => current,
    onChange: (listener) => {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    replace: (pair) => {
      current = pair;
      for (const listener of listeners) listener();
    },
    listenerCount: () => listeners.size,
  };
}
