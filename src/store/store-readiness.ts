import type { Log } from '../telemetry/log.ts';
import type { Part } from '../telemetry/readiness.ts';
import type { StoreState, TurnStore } from './turn-store.ts';

/** Says how the store is, from now on. */
export function followStore({ health }: TurnStore, part: Part, log: Log): void {
  const tell = (state: StoreState): void => {
    if (state.kind === 'ok') part.ready();
    else part.notReady(state.kind === 'failing' ? state.error.kind : state.kind);
    if (state.kind === 'failing') log.error({ err: state.error }, 'store does not work');
    else log.info({ state: state.kind }, 'store');
  };
  tell(health.state);
  health.onChange(tell);
}
