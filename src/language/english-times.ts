/** Minutes and seconds. */
export function minutes(ms: number): string {
  return `${Math.floor(ms / 60_000)}:${String(Math.floor(ms / 1000) % 60).padStart(2, '0')}`;
}

/** Minutes, and hours where there are any. */
export function longTime(ms: number): string {
  const total = Math.max(1, Math.round(ms / 60_000));
  const [hours, rest] = [Math.floor(total / 60), total % 60];
  return [hours > 0 ? `${hours} h` : '', rest > 0 || hours === 0 ? `${rest} min` : '']
    .filter((part) => part !== '')
    .join(' ');
}
