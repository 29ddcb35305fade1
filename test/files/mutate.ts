/** Random numbers from 0 to 1, the same for the same seed (xorshift). */
export function randomFrom(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** The file with one kind of damage: its head cut off, its end, bytes changed, a piece removed or doubled. */
export function mutate(file: Uint8Array, seed: number): Uint8Array {
  const random = randomFrom(seed * 2_654_435_761);
  const place = (limit = file.length): number => Math.floor(random() * limit);
  const copy = Buffer.from(file);
  switch (seed % 7) {
    case 0:
      return copy.subarray(place(Math.min(512, file.length)));
    case 1:
      return copy.subarray(0, place());
    case 2:
      for (let i = 0; i < 8; i++) copy[place(Math.min(1024, file.length))] = place(256);
      return copy;
    case 3:
      for (let i = 0; i < 64; i++) copy[place()] = place(256);
      return copy;
    case 4: {
      // Counts and sizes that claim the most.
      const at = place(Math.min(1024, Math.max(1, file.length - 4)));
      copy.fill(0xff, at, at + 4);
      return copy;
    }
    case 5: {
      const from = place();
      return Buffer.concat([copy.subarray(0, from), copy.subarray(from + place(4096))]);
    }
    default: {
      const from = place();
      const piece = copy.subarray(from, from + place(4096));
      return Buffer.concat([copy.subarray(0, from), piece, piece, copy.subarray(from)]);
    }
  }
}
