import { h, type TargetedEvent, type JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { call } from '../control.ts';
import { isInCall } from '../state.ts';
import { useParts } from './context.ts';
import { icon } from './icons.ts';
import { Members, Others } from './members.ts';
import { Steps } from './steps.ts';

/** The voice channel: who is there, who speaks, and the person's own controls. */
export function Room(): JSX.Element {
  const { state, strings } = useParts();
  return h(
    'section',
    { class: 'room', 'aria-labelledby': 'room-title' },
    h('h2', { id: 'room-title' }, strings.room.title(state.voiceChannel.name)),
    h(Members, null),
    h(Steps, null),
    h(Controls, null),
    h(WithoutMicrophone, null),
    h(Others, null),
  );
}

function Controls(): JSX.Element {
  const { state, strings, voice, store } = useParts();
  const { room } = strings;
  const { me, text, world } = state;
  const botHere = isInCall(state, world.bot.id);
  if (state.voice.kind !== 'joined') {
    const joining = state.voice.kind === 'joining';
    return h(
      'div',
      { class: 'controls' },
      h(
        'button',
        {
          type: 'button',
          class: 'primary wide',
          'aria-disabled': joining,
          onClick: () => void (joining || voice.join()),
        },
        icon('microphone'),
        room.join,
      ),
    );
  }
  const bot = (command: 'join' | 'leave'): Promise<boolean> =>
    store.interact(() => call('runCommand', { personId: me.id, channelId: text.id, command }));
  return h(
    'div',
    { class: 'controls' },
    h(
      'div',
      { class: 'row' },
      h(
        'button',
        {
          type: 'button',
          class: 'square',
          'aria-pressed': state.muted,
          title: state.muted ? room.unmute : room.mute,
          onClick: () => void voice.mute(!state.muted),
        },
        icon(state.muted ? 'muted' : 'microphone'),
        h('span', { class: 'hidden' }, room.mute),
      ),
      h(
        'button',
        {
          type: 'button',
          class: 'square',
          'aria-pressed': state.deafened,
          title: state.deafened ? room.undeafen : room.deafen,
          onClick: () => void voice.deafen(!state.deafened),
        },
        icon(state.deafened ? 'deaf' : 'headphones'),
        h('span', { class: 'hidden' }, room.deafen),
      ),
      h('button', { type: 'button', class: 'danger grow', onClick: () => void voice.leave() }, room.leave),
    ),
    h(
      'button',
      {
        type: 'button',
        class: `wide${botHere ? '' : ' primary'}`,
        onClick: () => void bot(botHere ? 'leave' : 'join'),
      },
      botHere ? room.sendBotAway : room.callBot,
    ),
    state.voice.microphone ? h(Gate, null) : h('p', { class: 'quiet' }, room.noMicrophone),
    state.report && h('p', { class: 'quiet small' }, room.delay(state.report.delayMs)),
  );
}

/** What opens the microphone: the voice itself or a key. */
function Gate(): JSX.Element {
  const { state, strings, voice } = useParts();
  const choice = (pushToTalk: boolean, label: string): JSX.Element =>
    h(
      'label',
      { class: 'choice' },
      h('input', {
        type: 'radio',
        name: 'gate',
        checked: state.pushToTalk === pushToTalk,
        onChange: () => voice.pushToTalk(pushToTalk),
      }),
      label,
    );
  useEffect(() => {
    // Wherever the pointer or the focus goes meanwhile: up is up.
    const up = (): void => voice.talk(false);
    addEventListener('pointerup', up);
    addEventListener('blur', up);
    return () => {
      removeEventListener('pointerup', up);
      removeEventListener('blur', up);
    };
  }, [voice]);
  const onKey = (talking: boolean) => (event: KeyboardEvent) => {
    if (event.key !== ' ' && event.key !== 'Enter') return;
    event.preventDefault();
    voice.talk(talking);
  };
  return h(
    'fieldset',
    { class: 'gate' },
    h('legend', null, strings.room.microphone),
    choice(false, strings.room.voiceActivity),
    choice(true, strings.room.pushToTalk),
    state.pushToTalk &&
      h(
        'button',
        {
          type: 'button',
          class: `wide talk${state.talking ? ' live' : ''}`,
          'aria-pressed': state.talking,
          onPointerDown: () => voice.talk(true),
          onKeyDown: onKey(true),
          onKeyUp: onKey(false),
          onBlur: () => voice.talk(false),
        },
        icon('microphone'),
        strings.room.hold,
      ),
  );
}

/** Speech for those who have no microphone, or would rather not talk to their screen. */
function WithoutMicrophone(): JSX.Element | null {
  const { state, strings, voice } = useParts();
  const { room } = strings;
  const [text, write] = useState('');
  if (state.voice.kind !== 'joined') return null;
  const say = (event: TargetedEvent<HTMLFormElement>): void => {
    event.preventDefault();
    if (text.trim() !== '') void voice.say(text.trim());
    write('');
  };
  const speaking = state.speaking.has(state.me.id);
  return h(
    'section',
    { class: 'without', 'aria-labelledby': 'without-title' },
    h('h3', { id: 'without-title' }, room.without),
    h('p', { class: 'quiet small' }, room.withoutHint),
    h(
      'form',
      { class: 'row', onSubmit: say },
      h('input', {
        type: 'text',
        class: 'grow',
        'aria-label': room.sayThis,
        placeholder: room.sayThis,
        value: text,
        onInput: ({ currentTarget }) => write(currentTarget.value),
      }),
      h('button', { type: 'submit' }, room.say),
    ),
    h(
      'ul',
      { class: 'sayings' },
      room.sayings.map((saying) =>
        h(
          'li',
          { key: saying },
          h('button', { type: 'button', lang: 'en', onClick: () => void voice.say(saying) }, saying),
        ),
      ),
    ),
    h(
      'div',
      { class: 'row' },
      h(
        'label',
        { class: 'button grow' },
        room.file,
        h('input', {
          type: 'file',
          accept: 'audio/*,.wav,.mp3,.ogg',
          class: 'hidden',
          onChange: ({ currentTarget }) => {
            const file = currentTarget.files?.[0];
            if (file) void voice.speakFile(file);
            currentTarget.value = '';
          },
        }),
      ),
      speaking && h('button', { type: 'button', onClick: () => void voice.stopSpeaking() }, icon('stop'), room.stop),
    ),
  );
}
