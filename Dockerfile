# The images db-init is built on and runs in. Both must have the same major of Node.js and the same Debian: the SQLite
# driver is compiled in the first and loaded in the second.
ARG NODE_IMAGE=node:24-trixie
ARG RUNTIME_IMAGE=node:24-trixie-slim
# The images with the client tools for backups: tools of the server's major or of a newer one can read the server.
ARG POSTGRES_16_IMAGE=postgres:16
ARG POSTGRES_17_IMAGE=postgres:17
ARG POSTGRES_18_IMAGE=postgres:18

FROM ${NODE_IMAGE} AS build
WORKDIR /build

# Downloads the SQLite driver, or compiles it with the headers of this image, which takes one to two minutes.
COPY package.json package-lock.json ./
COPY scripts/setup.mjs scripts/node-object-wrap.h scripts/
RUN --mount=type=cache,target=/root/.npm node scripts/setup.mjs dependencies

COPY tsconfig.json entrypoint LICENSE .env.example ./
COPY scripts/build.mjs scripts/loader.cjs scripts/keep-code-cache.cjs scripts/
COPY migrations migrations
COPY src src
RUN node scripts/build.mjs

# The bundle contains everything except the driver. 25 of the driver's 28 MB are the source of SQLite.
RUN mkdir /runtime && cp -R --parents entrypoint package.json LICENSE dist \
      node_modules/better-sqlite3/package.json node_modules/better-sqlite3/LICENSE node_modules/better-sqlite3/lib \
      node_modules/better-sqlite3/build/Release/better_sqlite3.node \
      node_modules/bindings node_modules/file-uri-to-path /runtime

FROM ${POSTGRES_16_IMAGE} AS postgres-16
FROM ${POSTGRES_17_IMAGE} AS postgres-17
FROM ${POSTGRES_18_IMAGE} AS postgres-18

# Removes the development files of Node.js: npm, headers, caches.
FROM ${RUNTIME_IMAGE} AS runtime
FROM runtime AS slim
RUN cd /usr/local \
    && rm -rf include lib/node_modules bin/node bin/npm bin/npx bin/corepack bin/yarn bin/yarnpkg bin/nodejs /opt/yarn-* \
      share/doc share/man /usr/share/info/* /usr/share/locale/* /usr/share/man/* /var/cache/*/* /var/lib/apt/lists/* /var/log/*

# Removes the names of inner functions, a seventh of Node.js, which only debuggers read.
FROM ${NODE_IMAGE} AS node
COPY --from=runtime /usr/local/bin/node /node
RUN strip --strip-unneeded /node

# A file that a later layer removes stays in the earlier layer. So this stage begins from nothing.
FROM scratch
COPY --from=slim / /
COPY --from=node /node /usr/local/bin/node
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LABEL org.opencontainers.image.title="db-init" \
      org.opencontainers.image.version="0.1.0" \
      org.timetracker.release="5.17.2" \
      org.timetracker.heads="198_add_oauth_applications" \
      org.opencontainers.image.description="Brings the database of TimeTracker to a proven schema before it starts" \
      org.opencontainers.image.licenses="GPL-3.0-or-later"

RUN --mount=from=postgres-16,target=/mnt/16 --mount=from=postgres-17,target=/mnt/17 \
    --mount=from=postgres-18,target=/mnt/18 --mount=source=scripts/copy-postgres-tools.sh,target=/mnt/copy \
    /mnt/copy /mnt/18 /mnt/17 /mnt/16

# Certificate authorities for sslrootcert=/etc/ssl/certs/ca-certificates.crt: the slim image comes without them.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /runtime /opt/db-init
# The paths of the recovery document of TimeTracker, under its names and under db-init's names.
COPY docker/seed-dev-data.sh /app/docker/
COPY scripts/db-init-reset.sh scripts/db-init-seed.sh scripts/reset-dev-db.sh /app/scripts/

# A new volume gets owner and mode of the folder that it is mounted on, and db-init mounts these first. So they belong to
# the application (uid 1000); otherwise it could not write there.
RUN install -d -o 1000 -g 1000 /data /app/app/static/uploads /app/uploads/project_attachments

# The command in messages, if nothing says how this container is started.
RUN ln -s /opt/db-init/entrypoint /usr/local/bin/db-init

ENV NODE_ENV=production
# A relative SQLite path names the same file as in the application.
WORKDIR /app
# A number, so that Kubernetes can see that it is not root. Any other uid works too.
USER 1000:1000
STOPSIGNAL SIGTERM
ENTRYPOINT ["/opt/db-init/entrypoint"]
CMD ["gate"]
