# Parley runs its TypeScript as it is: nothing is compiled, so the first stage only installs packages.
FROM node:24.21.0-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
# No package that runs in production needs an install script: native parts come prebuilt, codecs as WebAssembly.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:24.21.0-bookworm-slim
# ffmpeg decodes what the packages cannot: m4a, aac, ALAC, aiff, video. It is Debian's own, a program that Parley starts and
# neither links nor changes, and it is under the GPL: who passes this image on passes ffmpeg on, and owes its source, which
# Debian has. `--build-arg FFMPEG=` leaves it out; those formats then get a sentence saying so.
ARG FFMPEG=ffmpeg
# tini is process 1: it passes SIGTERM on, so that the bot leaves its voice channels, and reaps what others leave behind.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends tini ${FFMPEG} \
  && rm -rf /var/lib/apt/lists/* \
  && install --directory --owner=node --group=node /data
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY commands ./commands
COPY src ./src
# HEALTH_PORT is for probes: do not publish it to the internet.
ENV NODE_ENV=production \
  DATABASE_URL=sqlite:/data/parley.db \
  HEALTH_PORT=8080
VOLUME /data
# The image's user "node", by number: an orchestrator that forbids root can check a number only.
USER 1000:1000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.HEALTH_PORT}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["/usr/bin/tini", "--"]
CMD ["node", "src/main.ts"]
