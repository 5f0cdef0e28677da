#!/bin/sh
# Tests a built image as somebody would use it: scripts/release/test-image.sh IMAGE VERSION
# Needs Docker, and removes what it makes. TEST_POSTGRES_IMAGE names another server than the newest.
set -eu
image=${1:?the image}
version=${2:?the version that it should have}
name=db-init-test-$$
archive=$(mktemp)
trap 'rm -f "$archive"; docker rm --force --volumes "$name" > /dev/null 2>&1; docker network rm "$name" > /dev/null 2>&1; docker volume rm "$name" > /dev/null 2>&1' EXIT

said=$(docker run --rm "$image" version)
case $said in *"$version"*) ;; *) echo "the image says that it is: $said" >&2; exit 1 ;; esac
for label in title version source url documentation revision created base.name licenses; do
  value=$(docker inspect --format "{{index .Config.Labels \"org.opencontainers.image.$label\"}}" "$image")
  [ -n "$value" ] || { echo "the image has no label org.opencontainers.image.$label" >&2; exit 1; }
done

# a new installation, its backup and the proof of that, on both engines
prove() {
  docker run --rm "$@" "$image" gate
  docker run --rm "$@" "$image" verify
  docker run --rm "$@" "$image" backup create --output - > "$archive"
  docker run --rm --interactive "$@" "$image" backup verify - < "$archive"
}
docker volume create "$name" > /dev/null
prove --volume "$name:/data" --env DATABASE_URL=sqlite:////data/timetracker.db

docker network create "$name" > /dev/null
docker run --detach --name "$name" --network "$name" --env POSTGRES_PASSWORD=test "${TEST_POSTGRES_IMAGE:-postgres:18-alpine}" > /dev/null
prove --volume "$name:/data" --network "$name" --env "DATABASE_URL=postgresql://postgres:test@$name:5432/postgres"
echo "$image: tested"
