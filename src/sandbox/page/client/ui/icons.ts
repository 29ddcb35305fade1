import { h, type JSX } from 'preact';

const PATHS = {
  microphone: 'M12 15a4 4 0 0 0 4-4V6a4 4 0 0 0-8 0v5a4 4 0 0 0 4 4Zm-7-4a7 7 0 0 0 14 0M12 18v3',
  muted:
    'M9 9v2a3 3 0 0 0 5 2M16 11V6a4 4 0 0 0-8-1M5 11a7 7 0 0 0 11 5.700M19 11a7 7 0 0 1-.6 2.800M12 18v3M3 3l18 18',
  headphones: 'M4 15v-3a8 8 0 0 1 16 0v3M4 14h3v6H5a1 1 0 0 1-1-1zM20 14h-3v6h2a1 1 0 0 0 1-1z',
  deaf: 'M4 15v-3a8 8 0 0 1 12-7M20 12v3M4 14h3v6H5a1 1 0 0 1-1-1zM20 17v2a1 1 0 0 1-1 1h-2M3 3l18 18',
  play: 'M7 5v14l12-7z',
  pause: 'M8 5v14M16 5v14',
  attach: 'M20 11l-8.500 8.500a5 5 0 0 1-7-7L13 4a3.500 3.500 0 0 1 5 5l-8 8a1.500 1.500 0 0 1-2-2l7-7',
  send: 'M4 12l16-8-6 16-3-7z',
  stop: 'M7 7h10v10H7z',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  close: 'M6 6l12 12M18 6L6 18',
  file: 'M7 3h7l5 5v13H7zM14 3v5h5',
} as const;

/** A picture that says nothing by itself: the button around it has the words. */
export function icon(name: keyof typeof PATHS): JSX.Element {
  return h('svg', { class: 'icon', viewBox: '0 0 24 24', 'aria-hidden': 'true' }, h('path', { d: PATHS[name] }));
}
