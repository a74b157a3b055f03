# syntax=docker/dockerfile:1
FROM docker.io/library/node:22-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# Nothing that is installed needs its install script: ssh2's native parts are optional, and Node's own cryptography is used without them.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
# What only compilers and debuggers read is a third of the dependencies. Licences stay.
RUN npx tsc -p tsconfig.build.json --incremental false --tsBuildInfoFile null \
  && npm prune --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund \
  && find node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.cts' -o -name '*.d.mts' \) -delete \
  && mkdir /state

# The C and C++ libraries that Node is linked with, time zones, and nothing else: no shell, no package manager.
FROM gcr.io/distroless/cc-debian12
LABEL org.opencontainers.image.title="reboot-exporter" \
  org.opencontainers.image.description="Which servers need a restart, since when, why, and how urgently" \
  org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /usr/local/bin/node /usr/local/bin/node
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY LICENSE deploy/container/healthcheck.js ./
# The only place that is written to: everything else may be read-only.
COPY --from=build --chown=10066:10066 /state /var/lib/reboot-exporter
USER 10066:10066
VOLUME ["/var/lib/reboot-exporter"]
EXPOSE 10066
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=10s CMD ["/usr/local/bin/node", "/app/healthcheck.js"]
ENTRYPOINT ["/usr/local/bin/node", "/app/dist/main.js"]
CMD ["serve", "--config.file=/etc/reboot-exporter/reboot-exporter.yml", "--state.file=/var/lib/reboot-exporter/state.json"]
