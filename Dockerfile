# syntax=docker/dockerfile:1
FROM node:22-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# Nothing that is installed needs its install script: ssh2's native parts are optional, and Node's own cryptography is used without them.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npx tsc -p tsconfig.build.json && npm prune --omit=dev --ignore-scripts --no-audit --no-fund \
  && rm -f dist/.tsbuildinfo && mkdir /state

FROM node:22-bookworm-slim
LABEL org.opencontainers.image.title="reboot-exporter" \
  org.opencontainers.image.description="Which servers need a restart, since when, why, and how urgently" \
  org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY LICENSE ./
# The only place that is written to: everything else may be read-only.
COPY --from=build --chown=10066:10066 /state /var/lib/reboot-exporter
USER 10066:10066
VOLUME ["/var/lib/reboot-exporter"]
EXPOSE 10066
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:10066/-/healthy').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/dist/main.js"]
CMD ["serve", "--config.file=/etc/reboot-exporter/reboot-exporter.yml", "--state.file=/var/lib/reboot-exporter/state.json"]
