/**
 * How a transcription is answered. `verbose_json` and `diarized_json` tell when each passage is said; `json` has the words
 * alone.
 */
export type TranscriptForm = 'verbose_json' | 'diarized_json' | 'json';

/**
 * Which form a transcription model answers in. OpenAI documents `verbose_json` for whisper alone, `diarized_json` for the
 * diarizing model and `json` for the others. On Azure a deployment has any name, so the name is a first guess, and what the
 * server refuses is not asked for again.
 */
export class TranscriptForms {
  #form: TranscriptForm;

  constructor(model: string) {
    if (/diari[sz]e/i.test(model)) this.#form = 'diarized_json';
    else this.#form = /gpt-.*transcribe/i.test(model) ? 'json' : 'verbose_json';
  }

  get form(): TranscriptForm {
    return this.#form;
  }

  /**
   * Learns from a refusal that names this parameter of the request. Whether another try may succeed: each form is left at
   * most once, so that this comes to an end.
   */
  learn(asked: TranscriptForm, param: string | null | undefined): boolean {
    // Another request has learned it meanwhile.
    if (asked !== this.#form) return true;
    if (param === 'chunking_strategy' && asked === 'verbose_json') this.#form = 'diarized_json';
    else if (param === 'response_format' && asked !== 'json') this.#form = 'json';
    else return false;
    return true;
  }
}
