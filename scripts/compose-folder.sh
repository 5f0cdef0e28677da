# Sourced by the scripts that run on the host; $scripts is their folder. Changes to the folder of the compose file with
# a service db-init, or says why there is none and ends the script.

knows_db_init() {
  (cd "$1" && docker compose config --services 2>/dev/null) | grep -qx db-init
}

# the current folder, the project's folder, or the folder above it
for folder in "$PWD" "$scripts/.." "$scripts/../.."; do
  if knows_db_init "$folder"; then
    cd "$folder"
    return 0
  fi
done
# an invalid file (for example, .env lacks a variable) is not a missing one
for folder in "$PWD" "$scripts/.." "$scripts/../.."; do
  if ! said=$(cd "$folder" && docker compose config --quiet 2>&1); then
    case $said in
      *'no configuration file'*) ;;
      *)
        printf 'docker compose cannot be used in %s:\n%s\n' "$folder" "$said" >&2
        exit 2
        ;;
    esac
  fi
done
echo "No compose file with a service db-init was found here, nor beside $scripts." >&2
echo "Change to its folder, or name it: COMPOSE_FILE=/path/to/docker-compose.yml $0" >&2
exit 2
