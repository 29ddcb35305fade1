/** Float samples (-1 to 1) to signed 16-bit: rounded, and clipped where they are too loud. NaN becomes silence. */
export function toInt16(samples: Float32Array): Int16Array {
  const result = new Int16Array(samples.length);
  for (let i = 0; i < samples.length; i++) {
    const scaled = Math.round((samples[i] ?? 0) * 32_768);
    result[i] = scaled > 32_767 ? 32_767 : scaled < -32_768 ? -32_768 : scaled;
  }
  return result;
}

/** Signed 16-bit samples to float (-1 to just below 1). {@link toInt16} gives exactly the same samples back. */
export function toFloat32(samples: Int16Array): Float32Array {
  const result = new Float32Array(samples.length);
  for (let i = 0; i < samples.length; i++) result[i] = (samples[i] ?? 0) / 32_768;
  return result;
}

/** The mean of all channels: as long as the longest, and never louder than the loudest of them. */
export function mixToMono(channels: readonly Float32Array[]): Float32Array {
  const [first] = channels;
  if (first === undefined) return new Float32Array(0);
  if (channels.length === 1) return first;
  const result = new Float32Array(Math.max(...channels.map((channel) => channel.length)));
  for (const channel of channels) {
    for (let i = 0; i < channel.length; i++) result[i] = (result[i] ?? 0) + (channel[i] ?? 0) / channels.length;
  }
  return result;
}

/** Several pieces of sound as one. */
export function concatSamples(pieces: readonly Int16Array[]): Int16Array {
  const result = new Int16Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    result.set(piece, at);
    at += piece.length;
  }
  return result;
}
