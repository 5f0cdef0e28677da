#!/bin/sh
# Copies pg_dump, pg_restore and psql out of Debian-based images of PostgreSQL, with the libraries that they lack here.
#   copy-postgres-tools.sh ROOT...
# Each ROOT is the file system of an image. The newest major comes first: older tools run with a newer libpq.
set -eu

missing() { ldd "$@" | awk '/=> not found/ { print $1 }' | sort -u; }

for root in "$@"; do
  for bin in "$root"/usr/lib/postgresql/*/bin; do
    target=${bin#"$root"}
    mkdir -p "$target"
    cp "$bin/pg_dump" "$bin/pg_restore" "$bin/psql" "$target"
    # A copied library may need others.
    while libraries=$(missing "$target"/*) && [ -n "$libraries" ]; do
      for library in $libraries; do
        cp -L "$root"/usr/lib/*-linux-gnu*/"$library" /usr/local/lib
      done
      ldconfig
    done
    # The libraries that were here already must be new enough as well.
    for tool in "$target"/*; do "$tool" --version; done
  done
done
