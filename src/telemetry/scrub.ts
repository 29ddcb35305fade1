/** What stands in a log line where a secret stood. */
export const REDACTED = '[redacted]';

/** A secret shorter than this is left alone: replacing it everywhere would damage more than it hides. */
const MIN_SECRET_LENGTH = 6;

/**
 * What secrets look like when nobody has told us their value. Every repetition that can start anywhere is bounded, so that
 * no text makes them slow.
 */
const SHAPES: readonly (readonly [RegExp, string])[] = [
  // Private keys, with their lines as they are or escaped.
  [/-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|$)/g, REDACTED],
  // JSON web tokens: the header is an object, so its base64 begins with `eyJ`.
  [/eyJ[\w-]{8,600}\.[\w-]{8,}(?:\.[\w-]*)?/g, REDACTED],
  // Discord bot tokens: base64 of a decimal id begins with M, N or O.
  [/[MNO][\w-]{15,40}\.[\w-]{5,10}\.[\w-]{20,}/g, REDACTED],
  // What follows the name of an authentication scheme.
  [/\b(Bearer|Bot|Basic)((?: |%20)+)[\w.~+/-]{16,}=*/gi, `$1$2${REDACTED}`],
  // Discord's webhook and interaction addresses end in a token.
  [/(\/(?:webhooks|interactions)\/\d{5,25}\/)[^\s/?#"\\]+/g, `$1${REDACTED}`],
  // Parameters that sign or open an address: Discord's CDN (`ex`, `is`, `hm`), Azure's shared access signatures (`sig`).
  [
    /([?&;](?:ex|is|hm|sig|signature|token|code|key|api[-_]?key|access_token|client_secret)=)[^\s&;"\\]+/gi,
    `$1${REDACTED}`,
  ],
  // A password in an address.
  [/(\b[a-z][a-z\d+.-]{1,20}:\/\/)[^\s/?#"\\]{1,500}@/gi, `$1${REDACTED}@`],
  // Keys of OpenAI and those who copied their look; of Azure, old (which is also a Discord session id's look) and new.
  [/\b(?:sk|rk|pk|ek)-[\w-]{16,}/g, REDACTED],
  [/(?<![\w-])[\da-f]{32}(?![\w-])/gi, REDACTED],
  [/[A-Za-z\d]{30,60}JQQJ99[A-Za-z\d]{20,40}/g, REDACTED],
  // `"token": "…"`, `\"token\":\"…\"`, `password=…`, `secret_key: [1,2,…]`.
  [
    /\b(authorization|cookie|(?:access_?|refresh_?|client_?|id_?|bot_?)?(?:token|secret)|secret_?key|api[-_]?key|password)(\\*["']?\s*[:=]\s*)(?:\[[\d,\s]*\]?|(\\*["']?)(?!\[redacted\])[^\s"'\\,;&}\][]{6,})/gi,
    `$1$2$3${REDACTED}`,
  ],
  // Sound, or anything else large in base64: not a secret but what people said, and of no use in a log.
  [/[A-Za-z\d+/_-]{400,}={0,2}/g, '[base64]'],
];

/**
 * A function that takes secrets out of a text: the given values, however they are encoded, and all that looks like a
 * credential.
 */
export function createScrub(secrets: readonly string[]): (text: string) => string {
  const known = knownValues(secrets);
  return (text) => {
    if (text.length < MIN_SECRET_LENGTH) return text;
    let clean = known ? text.replace(known, REDACTED) : text;
    for (const [shape, replacement] of SHAPES) clean = clean.replace(shape, replacement);
    return clean;
  };
}

function knownValues(secrets: readonly string[]): RegExp | undefined {
  const forms = secrets.filter((secret) => secret.length >= MIN_SECRET_LENGTH).flatMap(encodings);
  if (forms.length === 0) return undefined;
  // The longest first, so that no part of one is left over.
  const ordered = [...new Set(forms)].toSorted((a, b) => b.length - a.length);
  return new RegExp(ordered.map((form) => RegExp.escape(form)).join('|'), 'g');
}

/** How a secret stands in a text: as it is, in JSON, in JSON within JSON, in an address, and in the encodings of bytes. */
function encodings(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  const inJson = JSON.stringify(secret).slice(1, -1);
  return [
    secret,
    inJson,
    JSON.stringify(inJson).slice(1, -1),
    encodeURIComponent(secret.toWellFormed()),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
    bytes.toString('hex'),
  ];
}
