const RATE_HZ = 24_000;
const HEADER_BYTES = 44;

/** 24 kHz mono 16-bit sound as a base64 WAV, which is what the sandbox takes. */
export function encodeWav(samples: Int16Array): string {
  const bytes = new Uint8Array(HEADER_BYTES + samples.byteLength);
  const view = new DataView(bytes.buffer);
  const words = (at: number, text: string): void => bytes.set(new TextEncoder().encode(text), at);
  words(0, 'RIFF');
  view.setUint32(4, bytes.length - 8, true);
  words(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, RATE_HZ, true);
  view.setUint32(28, RATE_HZ * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  words(36, 'data');
  view.setUint32(40, samples.byteLength, true);
  bytes.set(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength), HEADER_BYTES);
  return toBase64(bytes);
}

/** Any sound file the browser can play, as a base64 WAV. Rejects when it cannot. */
export async function decodeSoundFile(file: Blob): Promise<string> {
  const offline = new OfflineAudioContext(1, 1, RATE_HZ);
  const buffer = await offline.decodeAudioData(await file.arrayBuffer());
  const channels = Array.from({ length: buffer.numberOfChannels }, (_, index) => buffer.getChannelData(index));
  const mixed = Int16Array.from({ length: buffer.length }, (_, at) => {
    const sum = channels.reduce((total, channel) => total + (channel[at] ?? 0), 0);
    return Math.max(-32_768, Math.min(32_767, Math.round((sum / channels.length) * 32_767)));
  });
  return encodeWav(mixed);
}

/** A file's bytes in base64. */
export async function base64Of(file: Blob): Promise<string> {
  return toBase64(new Uint8Array(await file.arrayBuffer()));
}

/** An address for a player. Whoever asks for one gives it back with `URL.revokeObjectURL`. */
export function soundUrl(wav: string): string {
  const bytes = Uint8Array.from(atob(wav), (character) => character.charCodeAt(0));
  return URL.createObjectURL(new Blob([bytes], { type: 'audio/wav' }));
}

const CHUNK_BYTES = 0x80_00;

function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    text += String.fromCharCode(...bytes.subarray(at, at + CHUNK_BYTES));
  }
  return btoa(text);
}
