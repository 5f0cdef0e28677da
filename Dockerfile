# The images db-init is built on and runs in. Both must have the same major of Node.js and the same Debian: the SQLite
# driver is compiled in the first and loaded in the second.
ARG NODE_IMAGE=node:24-trixie
ARG NODE_SLIM_IMAGE=node:24-trixie-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /build

# Since 24.19 this header compiles hooks into native modules that abort the process when the module's objects are
# garbage-collected (nodejs/node#65446). Without the two calls it is what it was before.
RUN sed -i -E '/^ *(Add|Remove)CleanupHook\(\);$/d' /usr/local/include/node/node_object_wrap.h

# Only the SQLite driver needs its install script, which fetches a ready-made binary, or else compiles one with the
# headers of this image: then it takes a minute or two.
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci --include=dev --ignore-scripts --no-audit --no-fund
RUN npm_config_nodedir=/usr/local npm rebuild better-sqlite3

COPY tsconfig.json entrypoint ./
COPY scripts/build.mjs scripts/
COPY migrations migrations
COPY src src
RUN node scripts/build.mjs

# Everything but the driver is inside the bundle, and of the driver 25 of 28 MB are the source of SQLite.
RUN mkdir /runtime && cp -R --parents entrypoint package.json dist \
      node_modules/better-sqlite3/package.json node_modules/better-sqlite3/LICENSE node_modules/better-sqlite3/lib \
      node_modules/better-sqlite3/build/Release/better_sqlite3.node \
      node_modules/bindings node_modules/file-uri-to-path /runtime

FROM ${NODE_SLIM_IMAGE}
LABEL org.opencontainers.image.title="db-init" \
      org.opencontainers.image.description="Brings the database of TimeTracker to a proven schema before it starts" \
      org.opencontainers.image.licenses="GPL-3.0-or-later"

# Certificate authorities for sslrootcert=/etc/ssl/certs/ca-certificates.crt: the slim image comes without them.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /runtime /opt/db-init

# A new volume takes over owner and mode of the folder it is mounted on, and db-init is the first to mount these: they
# have to be the application's (uid 1000), or it could not write there.
RUN install -d -o 1000 -g 1000 /data /app/app/static/uploads /app/uploads/project_attachments

ENV NODE_ENV=production
# A relative SQLite path means the same file as in the application.
WORKDIR /app
# A number, so that Kubernetes can tell that it is not root. Any other uid works too.
USER 1000:1000
STOPSIGNAL SIGTERM
ENTRYPOINT ["/opt/db-init/entrypoint"]
CMD ["gate"]
