import { h, type JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';
import type { AttachmentSnapshot } from '../../../control/protocol.ts';
import { useParts } from './context.ts';
import { icon } from './icons.ts';

/** A file under a message: a voice message, another sound, a picture, or a link. */
export function Attachment({ attachment, voice }: { attachment: AttachmentSnapshot; voice: boolean }): JSX.Element {
  const { strings } = useParts();
  const { name, url, size, contentType = '' } = attachment;
  if (voice || attachment.waveform !== undefined) return h(VoiceMessage, { attachment });
  if (contentType.startsWith('image/')) return h('img', { class: 'picture', src: url, alt: name });
  return h(
    'div',
    { class: 'file' },
    icon('file'),
    h(
      'div',
      null,
      h('a', { href: url, download: name, target: '_blank', 'aria-label': strings.channel.download(name) }, name),
      h('span', { class: 'quiet small' }, ` ${sizeOf(size)}`),
    ),
    contentType.startsWith('audio/') &&
      h('audio', { controls: true, src: url, preload: 'metadata', 'aria-label': name }),
  );
}

/** Plays as Discord's does: a button, the picture of the sound filling up, and the time. */
function VoiceMessage({ attachment }: { attachment: AttachmentSnapshot }): JSX.Element {
  const { strings } = useParts();
  const player = useRef<HTMLAudioElement>(null);
  const [playing, setPlaying] = useState(false);
  const [played, setPlayed] = useState(0);
  const seconds = attachment.durationSecs ?? 0;
  const bars = barsOf(attachment.waveform ?? '');
  const toggle = (): void => {
    if (playing) player.current?.pause();
    else void player.current?.play().catch(() => setPlaying(false));
  };
  return h(
    'div',
    { class: 'voice-message', role: 'group', 'aria-label': `${strings.channel.voiceMessage}, ${clock(seconds)}` },
    h(
      'button',
      { type: 'button', class: 'square round primary', onClick: toggle },
      icon(playing ? 'pause' : 'play'),
      h('span', { class: 'hidden' }, playing ? strings.channel.pause : strings.channel.play),
    ),
    h(
      'svg',
      { class: 'waveform', viewBox: `0 0 ${bars.length * 4} 32`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
      bars.map((level, index) => {
        const height = Math.max(2, (level / 255) * 30);
        return h('rect', {
          key: index,
          x: index * 4,
          y: 16 - height / 2,
          width: 2.4,
          height,
          rx: 1.2,
          class: index / bars.length < played / Math.max(seconds, 0.1) ? 'played' : '',
        });
      }),
    ),
    h('span', { class: 'time' }, clock(playing || played > 0 ? played : seconds)),
    h('audio', {
      ref: player,
      src: attachment.url,
      preload: 'metadata',
      onPlay: () => setPlaying(true),
      onPause: () => setPlaying(false),
      onEnded: () => (setPlaying(false), setPlayed(0)),
      onTimeUpdate: ({ currentTarget }: { currentTarget: HTMLAudioElement }) => setPlayed(currentTarget.currentTime),
    }),
  );
}

const MAX_BARS = 48;

function barsOf(waveform: string): readonly number[] {
  const levels = Array.from(atob(waveform), (character) => character.charCodeAt(0));
  if (levels.length <= MAX_BARS) return levels;
  const share = levels.length / MAX_BARS;
  return Array.from({ length: MAX_BARS }, (_, bar) =>
    Math.max(...levels.slice(Math.floor(bar * share), Math.ceil((bar + 1) * share))),
  );
}

function clock(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

function sizeOf(bytes: number): string {
  return bytes < 1000
    ? `${bytes} B`
    : bytes < 1e6
      ? `${(bytes / 1000).toFixed(1)} kB`
      : `${(bytes / 1e6).toFixed(1)} MB`;
}
