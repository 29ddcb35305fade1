import { h, type TargetedEvent, type JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { ModelFault, PersonSnapshot } from '../../../control/protocol.ts';
import { call } from '../control.ts';
import { isInCall } from '../state.ts';
import { useParts } from './context.ts';

/** Beyond any answer worth waiting for, the turn is lost anyway. */
const MAX_DELAY_MS = 5000;

const FAULTS = {
  '500': { kind: 'status', status: 500 },
  '429': { kind: 'status', status: 429, retryAfterSecs: 30 },
  '401': { kind: 'status', status: 401 },
  stall: { kind: 'stall', afterChunks: 3 },
  cut: { kind: 'cut', afterChunks: 3 },
  'filter-reply': { kind: 'filter-reply', afterChunks: 2 },
  html: { kind: 'html' },
} as const satisfies Record<string, ModelFault>;

type FaultName = keyof typeof FAULTS;

/** What can be made harder for the bot. */
export function Knobs(): JSX.Element {
  const { strings } = useParts();
  return h(
    'details',
    { class: 'knobs' },
    h('summary', null, h('h2', null, strings.knobs.title)),
    h(ModelKnobs, null),
    h(NetworkKnobs, null),
    h(People, null),
    h(Disconnects, null),
  );
}

function ModelKnobs(): JSX.Element {
  const { strings, store } = useParts();
  const { knobs } = strings;
  const [firstAudioMs, delay] = useState(300);
  const [speed, hurry] = useState(4);
  const [fault, choose] = useState<FaultName>('500');
  const fail = async (): Promise<void> => {
    // The bot may try again: it is to meet the fault each time until this turn is over.
    const armed = await store.attempt(() =>
      call('modelFault', { fault: FAULTS[fault], times: 3, endpoint: 'chat' }).then(() => true),
    );
    if (armed) store.set({ notice: knobs.done(knobs.faults[fault]) });
  };
  const isFault = (name: string): name is FaultName => Object.hasOwn(FAULTS, name);
  return h(
    'fieldset',
    null,
    h('legend', null, knobs.model),
    h('p', { class: 'quiet small' }, knobs.realModel),
    h(Slider, {
      label: knobs.delay,
      value: firstAudioMs,
      max: MAX_DELAY_MS,
      step: 50,
      unit: 'ms',
      set: (value: number) => (delay(value), void store.attempt(() => call('setModel', { firstAudioMs: value }))),
    }),
    h(Slider, {
      label: knobs.speed,
      value: speed,
      min: 0.5,
      max: 10,
      step: 0.5,
      unit: '×',
      set: (value: number) => (hurry(value), void store.attempt(() => call('setModel', { speed: value }))),
    }),
    h(
      'label',
      { class: 'option' },
      h('span', null, knobs.faultHint),
      h(
        'select',
        {
          value: fault,
          onChange: ({ currentTarget }: TargetedEvent<HTMLSelectElement>) =>
            isFault(currentTarget.value) && choose(currentTarget.value),
        },
        Object.keys(FAULTS).map((name) => isFault(name) && h('option', { key: name, value: name }, knobs.faults[name])),
      ),
    ),
    h('button', { type: 'button', class: 'wide', onClick: () => void fail() }, knobs.failNext),
  );
}

function NetworkKnobs(): JSX.Element {
  const { strings, store } = useParts();
  const { knobs } = strings;
  const [loss, lose] = useState(0);
  const [jitterMs, shake] = useState(0);
  const set = (lossPercent: number, jitter: number): void => {
    lose(lossPercent);
    shake(jitter);
    void store.attempt(() => call('setNetwork', { seed: 1, lossRate: lossPercent / 100, jitterMs: jitter }));
  };
  return h(
    'fieldset',
    null,
    h('legend', null, knobs.network),
    h(Slider, {
      label: knobs.loss,
      value: loss,
      max: 30,
      step: 1,
      unit: '%',
      set: (value: number) => set(value, jitterMs),
    }),
    h(Slider, {
      label: knobs.jitter,
      value: jitterMs,
      max: 200,
      step: 10,
      unit: 'ms',
      set: (value: number) => set(loss, value),
    }),
  );
}

/** Somebody else who talks, over the bot if one likes. */
function People(): JSX.Element {
  const { state, strings, store } = useParts();
  const { knobs } = strings;
  const [armed, arm] = useState(false);
  const others = state.guild.people.filter(({ id, bot }) => id !== state.me.id && !bot).slice(0, 2);
  const speak = (person: PersonSnapshot): Promise<unknown> =>
    store.attempt(async () => {
      if (!isInCall(store.state, person.id))
        await call('join', { personId: person.id, channelId: state.voiceChannel.id });
      const { wav } = await call('synthesize', { text: knobs.overLine, voice: person === others[0] ? 'slt' : 'rms' });
      await call('speak', { personId: person.id, wav });
    });
  useEffect(() => {
    const [person] = others.slice(-1);
    if (!armed || !person) return undefined;
    return store.listen((event) => {
      if (event.type !== 'bot-speaking' || !event.speaking) return;
      arm(false);
      setTimeout(() => void speak(person), 600);
    });
  }, [armed]);
  return h(
    'fieldset',
    null,
    h('legend', null, knobs.people),
    h(
      'div',
      { class: 'row wrap' },
      others.map((person) =>
        h('button', { key: person.id, type: 'button', onClick: () => void speak(person) }, knobs.over(person.name)),
      ),
    ),
    h(
      'label',
      { class: 'choice' },
      h('input', { type: 'checkbox', checked: armed, onChange: () => arm(!armed) }),
      knobs.whenBotSpeaks,
    ),
  );
}

function Disconnects(): JSX.Element {
  const { state, strings, store } = useParts();
  const { knobs } = strings;
  const { guild, world } = state;
  const actions: readonly (readonly [string, () => Promise<void>])[] = [
    [knobs.gateway, () => call('gatewayFault', { kind: 'cut' })],
    [knobs.voice, () => call('voiceFault', { kind: 'cut' })],
    [knobs.move, () => call('voiceFault', { kind: 'move-server' })],
    [knobs.kick, () => call('moveMember', { guildId: guild.id, userId: world.bot.id, channelId: null })],
  ];
  const run = async (label: string, action: () => Promise<void>): Promise<void> => {
    if (await store.attempt(() => action().then(() => true))) store.set({ notice: knobs.done(label) });
  };
  return h(
    'fieldset',
    null,
    h('legend', null, knobs.disconnect),
    h(
      'div',
      { class: 'row wrap' },
      actions.map(([label, action]) =>
        h('button', { key: label, type: 'button', onClick: () => void run(label, action) }, label),
      ),
    ),
  );
}

interface SliderProps {
  readonly label: string;
  readonly value: number;
  readonly min?: number;
  readonly max: number;
  readonly step: number;
  readonly unit: string;
  readonly set: (value: number) => void;
}

function Slider({ label, value, min = 0, max, step, unit, set }: SliderProps): JSX.Element {
  return h(
    'label',
    { class: 'slider' },
    h('span', null, label),
    // No <output>: a label names the first field in it, and that would be one.
    h('span', { class: 'value', 'aria-hidden': 'true' }, `${value} ${unit}`),
    h('input', {
      'aria-label': label,
      'aria-valuetext': `${value} ${unit}`,
      type: 'range',
      min,
      max,
      step,
      value,
      onChange: ({ currentTarget }: TargetedEvent<HTMLInputElement>) => set(Number(currentTarget.value)),
    }),
  );
}
