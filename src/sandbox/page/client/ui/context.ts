import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { PageState } from '../state.ts';
import type { Store } from '../store.ts';
import type { Strings } from '../language/strings.ts';
import type { Voice } from '../voice.ts';

export interface PageParts {
  readonly store: Store;
  readonly voice: Voice;
  readonly state: PageState;
  readonly strings: Strings;
}

const Context = createContext<PageParts | undefined>(undefined);

export const PartsProvider = Context.Provider;

/** One object for as long as the page lives: only what is drawn anew reads from it anew. */
export function partsOf(store: Store, voice: Voice): PageParts {
  return {
    store,
    voice,
    get state() {
      return store.state;
    },
    get strings() {
      return store.state.language.strings;
    },
  };
}

/** What every part of the page works with. */
export function useParts(): PageParts {
  const parts = useContext(Context);
  if (!parts) throw new TypeError('outside the page');
  return parts;
}
