import { call } from './control.ts';
import { BrowserMicrophone, Live } from './live.ts';
import type { Store } from './store.ts';
import { decodeSoundFile } from './wav.ts';

/** What the person does in the voice channel. */
export class Voice {
  readonly #store: Store;
  #live: Live | undefined;
  #microphone: BrowserMicrophone | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Joins with the microphone, or without one where there is none. */
  async join(): Promise<void> {
    this.#store.set({ voice: { kind: 'joining' } });
    const { me, voiceChannel } = this.#store.state;
    const joined = await this.#store.attempt(async () => {
      const arrived = Promise.withResolvers<void>();
      const enter = (): void => {
        const { muted: selfMute, deafened: selfDeaf } = this.#store.state;
        const place = { personId: me.id, channelId: voiceChannel.id, selfMute, selfDeaf };
        call('join', place)
          .then(arrived.resolve)
          .catch((error: unknown) => arrived.reject(error));
      };
      this.#live = await Live.open({
        personId: me.id,
        connected: enter,
        reported: (report) => this.#store.set({ report }),
      });
      this.#microphone = await BrowserMicrophone.open().catch(() => undefined);
      if (this.#microphone) this.#live.attach(this.#microphone);
      this.#applyGate();
      this.#live.deafen(this.#store.state.deafened);
      await arrived.promise;
      return true;
    });
    if (joined) this.#store.set({ voice: { kind: 'joined', microphone: this.#microphone !== undefined } });
    else await this.leave();
  }

  async leave(): Promise<void> {
    const { me } = this.#store.state;
    const [live, microphone] = [this.#live, this.#microphone];
    this.#live = undefined;
    this.#microphone = undefined;
    this.#store.set({ voice: { kind: 'away' }, talking: false, report: undefined });
    await call('leave', { personId: me.id }).catch(() => undefined);
    await Promise.all([live?.close(), microphone?.close()]);
  }

  async mute(muted: boolean): Promise<void> {
    this.#store.set({ muted });
    this.#applyGate();
    await this.#self({ selfMute: muted });
  }

  async deafen(deafened: boolean): Promise<void> {
    this.#store.set({ deafened });
    this.#live?.deafen(deafened);
    await this.#self({ selfDeaf: deafened });
  }

  pushToTalk(pushToTalk: boolean): void {
    this.#store.set({ pushToTalk, talking: false });
    this.#applyGate();
  }

  /** The key or button of push to talk goes down or up. */
  talk(talking: boolean): void {
    if (!this.#store.state.pushToTalk || this.#store.state.talking === talking) return;
    this.#store.set({ talking });
    this.#applyGate();
  }

  /** Speaks words through the sandbox's synthesiser. */
  async say(text: string): Promise<void> {
    await this.speakWav(async () => (await call('synthesize', { text, voice: 'kal' })).wav);
  }

  async speakFile(file: File): Promise<void> {
    const { badSound } = this.#store.state.language.strings.room;
    const wav = await decodeSoundFile(file).catch(() => undefined);
    if (wav === undefined) this.#store.set({ notice: badSound(file.name) });
    else await this.speakWav(async () => wav);
  }

  async speakWav(wav: () => Promise<string>): Promise<void> {
    const { me } = this.#store.state;
    await this.#store.attempt(async () => call('speak', { personId: me.id, wav: await wav() }));
  }

  async stopSpeaking(): Promise<void> {
    await this.#store.attempt(() => call('stopSpeaking', { personId: this.#store.state.me.id }));
  }

  async #self(change: { selfMute?: boolean; selfDeaf?: boolean }): Promise<void> {
    const { me, voice } = this.#store.state;
    if (voice.kind === 'joined') await this.#store.attempt(() => call('setSelfVoice', { personId: me.id, ...change }));
  }

  #applyGate(): void {
    const { muted, pushToTalk, talking } = this.#store.state;
    this.#live?.gate(muted || (pushToTalk && !talking) ? 'closed' : pushToTalk ? 'open' : 'voice');
  }
}
