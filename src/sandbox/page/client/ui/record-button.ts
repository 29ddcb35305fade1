import { h, type JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { call } from '../control.ts';
import { BrowserMicrophone } from '../live.ts';
import { encodeWav } from '../wav.ts';
import { useParts } from './context.ts';
import { icon } from './icons.ts';

/** Discord's limit is twenty minutes; nobody tries that out here. */
const MAX_FRAMES = 5 * 60 * 50;

/** Records a voice message: one press begins, the next one sends it; Escape or the cross throws it away. */
export function RecordButton(): JSX.Element {
  const { state, strings, store } = useParts();
  const recording = useRef<{ microphone: BrowserMicrophone; frames: Int16Array[] } | undefined>(undefined);
  const [seconds, count] = useState<number | undefined>(undefined);
  const begin = async (): Promise<void> => {
    const microphone = await BrowserMicrophone.open().catch(() => undefined);
    store.set({ notice: microphone ? undefined : strings.composer.noMicrophone });
    if (!microphone) return;
    const frames: Int16Array[] = [];
    const port = microphone.port();
    port.addEventListener('message', ({ data }: MessageEvent<Int16Array>) => {
      if (frames.length < MAX_FRAMES) frames.push(data);
      if (frames.length % 50 === 0) count(frames.length / 50);
    });
    port.start();
    recording.current = { microphone, frames };
    count(0);
  };
  const stop = async (): Promise<Int16Array[] | undefined> => {
    const { microphone, frames } = recording.current ?? {};
    recording.current = undefined;
    count(undefined);
    await microphone?.close();
    return frames;
  };
  const finish = async (): Promise<void> => {
    const frames = await stop();
    if (!frames || frames.length === 0) return;
    const samples = new Int16Array(frames.reduce((sum, frame) => sum + frame.length, 0));
    let at = 0;
    for (const frame of frames) {
      samples.set(frame, at);
      at += frame.length;
    }
    await store.attempt(() =>
      call('sendVoiceMessage', { personId: state.me.id, channelId: state.text.id, wav: encodeWav(samples) }),
    );
  };
  const active = seconds !== undefined;
  const label = active ? strings.composer.finishRecording : strings.composer.record;
  return h(
    'span',
    { class: 'recorder', onKeyDown: (event: KeyboardEvent) => event.key === 'Escape' && void stop() },
    active &&
      h(
        'button',
        { type: 'button', class: 'square', title: strings.composer.discardRecording, onClick: () => void stop() },
        icon('close'),
        h('span', { class: 'hidden' }, strings.composer.discardRecording),
      ),
    h(
      'button',
      {
        type: 'button',
        class: `square${active ? ' danger' : ''}`,
        title: label,
        'aria-pressed': active,
        onClick: () => void (active ? finish() : begin()),
      },
      active ? h('span', { 'aria-hidden': 'true' }, `${seconds}s`) : icon('microphone'),
      h('span', { class: 'hidden' }, label),
    ),
  );
}
