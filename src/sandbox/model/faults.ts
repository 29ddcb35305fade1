import type { ModelFault } from '../control/protocol.ts';
import { Refusal } from '../control/refusal.ts';
import type { Endpoint } from './records.ts';

type FaultKind = ModelFault['kind'];

const EVERYWHERE: readonly FaultKind[] = ['delay', 'status', 'stall', 'cut', 'html', 'bad-json'];
const TRANSCRIPTION: readonly FaultKind[] = [...EVERYWHERE, 'no-end-marker', 'error-in-stream'];

/** Requests that wait to fail, at most. */
const MAX_PLANNED = 1_000;

function applies(fault: ModelFault, endpoint: Endpoint): boolean {
  if (endpoint === 'chat') return true;
  return (endpoint === 'token' ? EVERYWHERE : TRANSCRIPTION).includes(fault.kind);
}

/** The faults that are still to happen, in the order they were asked for. */
export class FaultQueue {
  readonly #planned: { fault: ModelFault; times: number; endpoint: Endpoint | undefined }[] = [];

  /**
   * Without an endpoint the fault is for the model itself, chat and transcription: whoever asks for a failing model does
   * not mean the token endpoint before it.
   * @throws {Refusal}
   */
  plan(fault: ModelFault, times: number, endpoint: Endpoint | undefined): void {
    if (endpoint !== undefined && !applies(fault, endpoint)) {
      throw new Refusal(`The ${endpoint} endpoint cannot show the fault ${fault.kind}.`);
    }
    if (this.#planned.length >= MAX_PLANNED) throw new Refusal('Too many faults are planned.');
    if (times > 0) this.#planned.push({ fault, times, endpoint });
  }

  /** The fault of this request. `audio-not-found` waits for a request that names a reply by its id. */
  take(endpoint: Endpoint, namesAudio: boolean): ModelFault | undefined {
    const index = this.#planned.findIndex(({ fault, endpoint: wanted }) => {
      const here = wanted === undefined ? endpoint !== 'token' : wanted === endpoint;
      return here && applies(fault, endpoint) && (fault.kind !== 'audio-not-found' || namesAudio);
    });
    const planned = this.#planned[index];
    if (planned === undefined) return undefined;
    planned.times--;
    if (planned.times <= 0) this.#planned.splice(index, 1);
    return planned.fault;
  }
}
